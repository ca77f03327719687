using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Security;
using MissionControl.Portal.Look;
using MissionControl.Portal.Sessions;

namespace MissionControl.Portal.Shell;

/// <summary>How a request becomes a page: who reads, with which rights, and what happens when that is not so.</summary>
internal static class PortalPage
{
    /// <summary>A page for somebody who is signed in; route values become its parameters.</summary>
    public static Task<IResult> ShowAsync<T>(HttpContext http)
        where T : IComponent => WithReaderAsync(http, reader => Task.FromResult<IResult>(new PageResult<T>(reader, Parameters<T>(http))));

    /// <summary>
    /// A posted form: the change is made, and the browser is sent on; a refusal shows the form again with the API's words beside its
    /// fields and all that was typed.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="change">Makes the change and says where to go.</param>
    /// <param name="prove">What is done with an answer that confirms it; null: it proves the change.</param>
    public static Task<IResult> ChangeAsync<TForm>(HttpContext http, Func<PageContext, IFormCollection, Task<IResult>> change, Func<PageContext, StepUpRequest, Task>? prove = null)
        where TForm : IComponent => WithReaderAsync(http, async reader =>
        {
            if (Confirmation.Open(http, await http.Request.ReadFormAsync(http.RequestAborted)) is not { } form)
            {
                return new PageResult<Pages.Failure>(reader, new Dictionary<string, object?> { [nameof(Pages.Failure.Why)] = Refusal.Expired() }, status: 400);
            }

            var page = http.RequestServices.GetRequiredService<PageContext>();
            page.Enter(http, reader);
            string? mistake = null;
            try
            {
                mistake = await Confirmation.TakeAsync(page, form, prove);
                return await change(page, form);
            }
            catch (ApiException refusal) when (refusal.Problem?.StepUp is { } demand)
            {
                return await Confirmation.AskAsync(page, reader, form, demand, mistake, takesCode: prove is null);
            }
            catch (ApiException refusal)
            {
                return Again<TForm>(http, reader, form, Refusal.Of(RoleOf(refusal), refusal));
            }
            catch (Exception silence) when (silence is HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
            {
                return Again<TForm>(http, reader, form, Refusal.Silent("portal") with
                {
                    Title = "No answer in time",
                    Detail = "Whether it was done is not known. Send the form again: the same form is never carried out twice.",
                });
            }
        });

    /// <summary>Who the browser's session speaks for; null when it has none or it has ended.</summary>
    public static async Task<TradedSession?> ReaderAsync(HttpContext http) =>
        http.Request.Cookies[SignedIn.Cookie] is { } session ? await http.RequestServices.GetRequiredService<SignedIn>().FindAsync(session, IsActive(http.Request), http.RequestAborted) : null;

    /// <summary>The same, and null as well when nobody can say: for pages that show nothing of anybody's.</summary>
    public static async Task<TradedSession?> ReaderOrNobodyAsync(HttpContext http)
    {
        try
        {
            return await ReaderAsync(http);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Does something for somebody who is signed in; everybody else is sent to sign in, and comes back after.</summary>
    public static async Task<IResult> WithReaderAsync(HttpContext http, Func<TradedSession, Task<IResult>> then)
    {
        TradedSession? reader;
        try
        {
            reader = await ReaderAsync(http);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return new PageResult<Pages.Failure>(null, new Dictionary<string, object?> { [nameof(Pages.Failure.Why)] = Refusal.Silent("identity") with { Detail = "Who you are cannot be checked now. Try again in a moment; your session is kept." } }, status: 503);
        }

        if (reader is not null && !IsAdmitted(http, reader))
        {
            return new PageResult<Pages.Failure>(null, new Dictionary<string, object?> { [nameof(Pages.Failure.Why)] = Refusal.OutsideNetwork() }, status: 403);
        }

        return reader is null ? SignInFirst(http) : await then(reader);
    }

    /// <summary>Whether a reader may work from where the request comes from: staff has its networks.</summary>
    public static bool IsAdmitted(HttpContext http, TradedSession reader) => reader.Principal.CustomerId is not null || http.RequestServices.GetRequiredService<StaffNetworks>().Admits(http.Connection.RemoteIpAddress);

    // What pages fetch by themselves: their regions when something changed, the count of tasks, the stream of signals.
    private static bool IsActive(HttpRequest request) =>
        request.Headers["HX-Trigger"].ToString() is not ("refresh" or "tasks-ask") && request.Path.Value is not ("/_changes" or "/_f/alive");

    private static PageResult<TForm> Again<TForm>(HttpContext http, TradedSession reader, IFormCollection form, Refusal refusal)
        where TForm : IComponent => new(reader, Parameters<TForm>(http), page =>
        {
            page.Refused = refusal;
            page.Typed = form;
        }, refusal.Status is 503 or 429 or 403 or 404 or 409 or 412 ? refusal.Status : StatusCodes.Status422UnprocessableEntity);

    private static string RoleOf(ApiException refusal) => refusal.Problem is null ? "portal" : "api";

    private static IResult SignInFirst(HttpContext http)
    {
        if (!http.Request.Headers.ContainsKey("HX-Request"))
        {
            var back = HttpMethods.IsGet(http.Request.Method) ? http.Request.Path + http.Request.QueryString : "/";
            return TypedResults.LocalRedirect("/signin" + QueryString.Create("returnUrl", back));
        }

        // A redirect would be followed by the script and the sign-in page land inside a table: the whole page must go there.
        var address = Uri.TryCreate(http.Request.Headers["HX-Current-URL"].ToString(), UriKind.Absolute, out var current) ? current.PathAndQuery : "/";
        http.Response.Headers["HX-Redirect"] = "/signin" + QueryString.Create("returnUrl", LocalAddress.OrHome(address));
        return TypedResults.StatusCode(StatusCodes.Status401Unauthorized);
    }

    // A route value without a parameter of its name belongs to the address alone.
    private static Dictionary<string, object?> Parameters<T>(HttpContext http)
    {
        var parameters = new Dictionary<string, object?>();
        foreach (var (name, value) in http.Request.RouteValues)
        {
            var property = typeof(T).GetProperty(char.ToUpperInvariant(name[0]) + name[1..]);
            if (property is not null && value is string text)
            {
                parameters[property.Name] = property.PropertyType == typeof(Guid) ? Guid.Parse(text)
                    : property.PropertyType == typeof(long) ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : text;
            }
        }

        return parameters;
    }
}
