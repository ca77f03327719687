using System.Diagnostics;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages;

namespace MissionControl.Portal.Shell;

/// <summary>Draws a page; when it cannot be shown, the page that says why, with the right status.</summary>
/// <param name="reader">Who reads; null before sign-in.</param>
/// <param name="parameters">The page's parameters.</param>
/// <param name="enter">What the request led to before, such as a refused form.</param>
/// <param name="status">Status of the answer.</param>
internal sealed class PageResult<T>(TradedSession? reader, IReadOnlyDictionary<string, object?> parameters, Action<PageContext>? enter = null, int status = StatusCodes.Status200OK) : IResult
    where T : IComponent
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var page = httpContext.RequestServices.GetRequiredService<PageContext>();
        page.Enter(httpContext, reader);
        enter?.Invoke(page);
        try
        {
            await new RazorComponentResult<T>(parameters) { PreventStreamingRendering = true, StatusCode = status }.ExecuteAsync(httpContext);
        }
        catch (PageRefusedException refused) when (!httpContext.Response.HasStarted)
        {
            await FailAsync(httpContext, refused.Refusal);
        }
    }

    private async Task FailAsync(HttpContext http, Refusal refusal)
    {
        // The renderer of this request is spent; the failure is drawn by one of its own.
        await using var scope = http.RequestServices.GetRequiredService<IServiceScopeFactory>().CreateAsyncScope();
        var services = http.RequestServices;
        http.Response.Headers.Remove("blazor-enhanced-nav");
        http.RequestServices = scope.ServiceProvider;
        try
        {
            scope.ServiceProvider.GetRequiredService<PageContext>().Enter(http, reader);
            var why = refusal with { TraceId = refusal.TraceId ?? Activity.Current?.TraceId.ToHexString() };
            if (why.Status is 429 or 503)
            {
                http.Response.Headers.RetryAfter = "5";
            }

            await new RazorComponentResult<Failure>(new Dictionary<string, object?> { [nameof(Failure.Why)] = why }) { PreventStreamingRendering = true, StatusCode = why.Status }.ExecuteAsync(http);
        }
        finally
        {
            http.RequestServices = services;
        }
    }
}
