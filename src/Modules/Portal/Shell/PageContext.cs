using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Security;
using MissionControl.Portal.Look;
using MissionControl.Portal.Sessions;

namespace MissionControl.Portal.Shell;

/// <summary>One request for a page: who reads it, through which client, and what a posted form led to.</summary>
internal sealed class PageContext(MissionControlClient client, IAntiforgery forgery, TimeProvider time, Flashes flashes, SignedIn signedIn)
{
    private HttpContext? http;
    private TradedSession? user;
    private Task<TradedSession?>? renewal;

    /// <summary>The request.</summary>
    public HttpContext Http => http ?? throw new InvalidOperationException("No page is entered.");

    /// <summary>Who reads; null on the pages before sign-in.</summary>
    public PrincipalItem? Reader => user?.Principal;

    /// <summary>The API with the reader's rights; with none before sign-in.</summary>
    public MissionControlClient Api => user is null ? client : Proof is null ? client.As(user.AccessToken) : client.As(user.AccessToken).Proving(Proof);

    /// <summary>What the reader has just confirmed, for the one request that it is good for.</summary>
    public string? Proof { get; set; }

    /// <summary>The instant that the whole page speaks of.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>Ends the wait when the browser goes away.</summary>
    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>How the reader wants pages to look.</summary>
    public SetPreferencesRequest Looks { get; private set; } = new();

    /// <summary>The person's zone: the one that was chosen, or else the browser's; without either it is UTC.</summary>
    public Zone OwnZone { get; private set; } = Zone.Utc;

    /// <summary>The zone that times are shown in: the person's, or UTC while that is wanted.</summary>
    public Zone Zone { get; private set; } = Zone.Utc;

    /// <summary>What the form before this page did; shown once.</summary>
    public Flash? Done { get; private set; }

    /// <summary>Why the form that was posted here was refused.</summary>
    public Refusal? Refused { get; set; }

    /// <summary>What was typed into it, so that nothing has to be typed twice.</summary>
    public IFormCollection? Typed { get; set; }

    /// <summary>Path of this page.</summary>
    public string Path => Http.Request.Path;

    /// <summary>Path and query of this page.</summary>
    public string Address => Http.Request.Path + Http.Request.QueryString;

    /// <summary>Enters a request.</summary>
    public void Enter(HttpContext context, TradedSession? reader)
    {
        http = context;
        user = reader;
        Now = time.GetUtcNow();
        var cookies = context.Request.Cookies;
        Looks = Preferences.Of(cookies);
        OwnZone = Zone.Find(Looks.Zone) ?? Zone.Find(cookies[Preferences.GuessedZone]) ?? Zone.Utc;
        Zone = (IsFragment ? Zone.Find(context.Request.Headers[Preferences.ZoneHeader]) : null) ?? (Looks.InUtc ? Zone.Utc : OwnZone);
        Done = HttpMethods.IsGet(context.Request.Method) && !IsFragment ? flashes.Take(context) : null;
    }

    /// <summary>Whether the script asks, for parts of the page.</summary>
    public bool IsFragment => Http.Request.Headers.ContainsKey("HX-Request");

    /// <summary>A parameter of the address; null when absent or empty.</summary>
    public string? Query(string name) => Http.Request.Query[name].ToString() is { Length: > 0 } value ? value : null;

    /// <summary>What was typed into a field of the form that was refused.</summary>
    public string? Field(string name) => Typed is not null && Typed.TryGetValue(name, out var value) && !StringValues.IsNullOrEmpty(value) ? value.ToString() : null;

    /// <summary>The API's words about a field of the form that was refused.</summary>
    public string? Mistake(string pointer) => Refused?.Errors.FirstOrDefault(error => error.Pointer.Trim('/').Split('/')[0].Equals(pointer, StringComparison.OrdinalIgnoreCase))?.Detail;

    /// <summary>Whether the reader holds a right; the API decides again.</summary>
    public bool Can(string scope) => Reader is { } reader && Scopes.Include(string.Join(' ', reader.Scopes), scope);

    /// <summary>Staff of the vendor, not bound to one customer.</summary>
    public bool IsStaff => Reader is { CustomerId: null };

    /// <summary>Antiforgery field of a form.</summary>
    public AntiforgeryTokenSet Forgery => forgery.GetAndStoreTokens(Http);

    /// <summary>Asks a role; a refusal or a silence is an answer too, so that the rest of the page stands.</summary>
    /// <param name="scope">The right it needs, <c>{role}:{verb}</c>; without it nothing is asked.</param>
    /// <param name="ask">The question.</param>
    public Task<Answer<T>> AskAsync<T>(string scope, Func<MissionControlClient, CancellationToken, Task<T>> ask)
        where T : class => Can(scope) ? AskAnywayAsync(scope[..scope.IndexOf(':', StringComparison.Ordinal)], ask) : Task.FromResult(new Answer<T>(null, Refusal.Lacks(scope)));

    /// <summary>Asks a role without looking at the reader's rights first.</summary>
    public async Task<Answer<T>> AskAnywayAsync<T>(string role, Func<MissionControlClient, CancellationToken, Task<T>> ask)
        where T : class
    {
        try
        {
            var asks = user;
            try
            {
                return new Answer<T>(await ask(Api, Aborted), null);
            }
            catch (ApiException refusal) when ((int)refusal.Status == StatusCodes.Status401Unauthorized && asks is not null && Http.Request.Cookies[SignedIn.Cookie] is { } session)
            {
                // A page asks several roles at once: whichever is refused first renews it for all, once.
                renewal ??= signedIn.RenewAsync(session, asks, Aborted);
                if (await renewal is not { } renewed || renewed.AccessToken == asks.AccessToken)
                {
                    return new Answer<T>(null, Refusal.Of(role, refusal));
                }

                user = renewed;
                return new Answer<T>(await ask(Api, Aborted), null);
            }
        }
        catch (ApiException refusal)
        {
            return new Answer<T>(null, Refusal.Of(role, refusal));
        }
        catch (Exception silence) when (silence is HttpRequestException or OperationCanceledException && !Aborted.IsCancellationRequested)
        {
            return new Answer<T>(null, Refusal.Silent(role));
        }
    }
}

/// <summary>What a role answered, or why it did not.</summary>
/// <param name="Value">The answer.</param>
/// <param name="Refusal">Why there is none.</param>
internal sealed record Answer<T>(T? Value, Refusal? Refusal)
    where T : class
{
    /// <summary>The answer that the page is nothing without.</summary>
    /// <exception cref="PageRefusedException">There is none; the whole page says why.</exception>
    public T Required() => Value ?? throw new PageRefusedException(Refusal!);
}

/// <summary>The page cannot be shown; the failure page says why.</summary>
internal sealed class PageRefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    /// <summary>Why.</summary>
    public Refusal Refusal => refusal;
}
