using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Devices;

/// <summary><c>/api/v1/identity/sign-in/device</c>: the program's half of a sign-in where no browser is. Nothing is typed into the program.</summary>
internal static class DeviceSignInApi
{
    private const string Gone = "There is no such sign-in, or it is over. Begin again.";

    private const string TooMany = "Too many programs sign in at this moment. Try again in a few seconds.";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in/device/begin", BeginAsync).OpenToAll("asks for a code, of nobody by name").WithName("BeginDeviceSignIn").WithSummary("Ask for a code that somebody types in the portal, to sign in where no browser is").Produces<DeviceSignIn>();
        api.MapPost("/sign-in/device", FinishAsync).OpenToAll("the device code is the credential").WithName("FinishDeviceSignIn").WithSummary("Ask whether somebody permitted it; the session is said once").Produces<DeviceSignInAnswer>();
    }

    private static async Task<IResult> BeginAsync(BeginDeviceSignInRequest request, HttpContext http, ControlPlaneDbContext db, DeviceLimits limits, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var address = AddressOf(http);
        if (!limits.MayAsk(address))
        {
            return Problems.Of(ProblemCodes.RateLimited, TooMany);
        }

        var attempt = DeviceAttempt.Begin(request.Agent!.Trim(), address, time.GetUtcNow(), out var deviceCode);
        db.Add(attempt);
        await db.SaveChangesAsync(cancellationToken);

        // Told to the caller alone, who knows by which address it came.
        var portal = options.Value.PortalAddress?.GetLeftPart(UriPartial.Authority) ?? $"{http.Request.Scheme}://{http.Request.Host}";
        return TypedResults.Ok(new DeviceSignIn(deviceCode, attempt.ShownCode, $"{portal}/device", attempt.ExpiresAt, DeviceAttempt.Interval));
    }

    private static async Task<IResult> FinishAsync(FinishDeviceSignInRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, FirstAdministrator first, DeviceLimits limits, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var (sha256, now) = (DeviceAttempt.Digest(request.DeviceCode!), time.GetUtcNow());
        if (await db.Set<DeviceAttempt>().AsNoTracking().SingleOrDefaultAsync(row => row.DeviceSha256 == sha256 && row.ExpiresAt > now && row.TakenAt == null, cancellationToken) is not { } attempt)
        {
            return limits.MayAsk(AddressOf(http)) ? Problems.Of(ProblemCodes.Unauthenticated, Gone) : Problems.Of(ProblemCodes.RateLimited, TooMany);
        }

        if (attempt.DecidedAt is null)
        {
            return TypedResults.Ok(new DeviceSignInAnswer(limits.MayPoll(attempt.Id) ? DeviceStates.Pending : DeviceStates.SlowDown));
        }

        if (attempt.PersonId is null)
        {
            return TypedResults.Ok(new DeviceSignInAnswer(DeviceStates.Denied));
        }

        // Of two who hold the code one gets the session, and it is used up whatever comes of it.
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<DeviceAttempt>().Where(row => row.Id == attempt.Id && row.TakenAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.TakenAt, now), cancellationToken) == 0)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Gone);
        }

        var person = await db.Set<Person>().AsNoTracking().SingleAsync(row => row.Id == attempt.PersonId, cancellationToken);
        var opener = await db.Set<Session>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == attempt.SessionId && row.EndedAt == null, cancellationToken);
        if (opener?.IsLive(now) == true && person.Stamp == attempt.PersonStamp)
        {
            var usual = options.Value.LimitsOf(person.Kind);
            var session = Session.Of(person, $"{opener.Factors} device", attempt.Agent, opener.ExpiresAt < now + usual.Longest ? new SessionLimits { Idle = usual.Idle, Longest = opener.ExpiresAt - now } : usual, now, out var secret);
            (session.OpenerId, session.ProviderId, session.ProviderSession) = (opener.Id, opener.ProviderId, opener.ProviderSession);
            if (await SignInApi.OpenAsync(db, events, person, session, "device", first, now, cancellationToken, [Change.Add("/device", attempt.Id), Change.Add("/opener", opener.Id)]))
            {
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return TypedResults.Ok(new DeviceSignInAnswer(DeviceStates.SignedIn, secret, session.ExpiresAt));
            }
        }

        await transaction.CommitAsync(cancellationToken);
        return Problems.Of(ProblemCodes.Unauthenticated, "Whoever permitted it was signed out, or changed, since. Begin again.");
    }

    private static string? AddressOf(HttpContext http) => (http.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : http.Connection.RemoteIpAddress)?.ToString();
}
