using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Clusters;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Credentials;

/// <summary><c>POST /callhome/v1/token</c>: an assertion for ten minutes of access.</summary>
internal static class ExchangeToken
{
    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapPost("/token", HandleAsync).AllowAnonymous().WithName("ExchangeToken").WithSummary("Trade a signed assertion for an access token").ExcludeFromDescription();

    private static async Task HandleAsync(HttpContext context, ControlPlaneDbContext db, Assertions assertions, AccessTokens tokens, Nonces nonces, IEvents events, TimeProvider time)
    {
        if (await Wire.ReadAsync(context, TokenRequest.Parser) is not { } request)
        {
            return;
        }

        if (!Assertions.IsWellFormed(request.Assertion))
        {
            await RefuseAsync(context, AssertionError.Invalid, nonces, time);
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        var (assertion, error) = await assertions.VerifyAsync(request.Assertion, "token", context.RequestAborted);
        if (assertion is null)
        {
            await transaction.DisposeAsync();
            await RefuseAsync(context, error, nonces, time);
            return;
        }

        if (await RefuseStateAsync(context, assertion.Cluster, transaction))
        {
            return;
        }

        EndPredecessors(assertion, events, time.GetUtcNow());
        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        await Wire.WriteAsync(context, new TokenResponse
        {
            AccessToken = tokens.Seal(assertion.Cluster.Id, assertion.Cluster.AccessGeneration),
            ExpiresInS = (int)AccessTokens.Lifetime.TotalSeconds,
            ServerTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
    }

    /// <summary>Answers an assertion that does not count; with a fresh nonce when that is all that is missing.</summary>
    public static async Task RefuseAsync(HttpContext context, AssertionError error, Nonces nonces, TimeProvider time)
    {
        if (error == AssertionError.Replaced)
        {
            await context.RequestServices.GetRequiredService<Assertions>().AlarmAsync(context.RequestAborted);
        }

        context.Response.Headers["MC-Time"] = time.GetUtcNow().ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers["MC-Nonce"] = nonces.Issue();
        await (error == AssertionError.NeedsNonce
            ? Problems.WriteAsync(context, ProblemCodes.UseNonce, "Put the nonce of header MC-Nonce into the assertion; MC-Time is this server's time.")
            : Problems.WriteAsync(context, ProblemCodes.AssertionInvalid, "The assertion must be an ES256 JWT, signed by an enrolled key, with iss = sub = the cluster id, aud missioncontrol/callhome, use = the route called, jti, iat, exp and the nonce."));
    }

    /// <summary>Answers a cluster that may not speak, keeping that its nonce was used; false when it may.</summary>
    public static async Task<bool> RefuseStateAsync(HttpContext context, Cluster cluster, WriteTransaction transaction)
    {
        if (cluster.State == ClusterState.Active)
        {
            return false;
        }

        await transaction.CommitAsync(context.RequestAborted);
        await (cluster.State == ClusterState.Suspended
            ? Problems.WriteAsync(context, ProblemCodes.ClusterSuspended, "This cluster is suspended. Keep the items; ask for the state once an hour.")
            : Problems.WriteAsync(context, ProblemCodes.ClusterDecommissioned, "This cluster was decommissioned. Stop calling home; to come back, enrol anew."));
        return true;
    }

    /// <summary>The first use of a rotated key ends the one before it: until then a lost answer does no harm.</summary>
    private static void EndPredecessors(Assertion assertion, IEvents events, DateTimeOffset now)
    {
        var older = assertion.Keys.Where(key => key.NotAfter is null && key.NotBefore < assertion.Key.NotBefore).ToList();
        if (older.Count == 0)
        {
            return;
        }

        foreach (var key in older)
        {
            key.NotAfter = now;
        }

        assertion.Cluster.Touch(now);
        events.Publish(assertion.Cluster.ToEvent(assertion.Keys, now));
    }
}
