using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Tokens;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Enrollment;

/// <summary>
/// <c>POST /callhome/v1/enroll</c>: a one-time token and a key become a cluster. The same token with the same key gets the same
/// answer, so that a lost reply is harmless; with another key it is refused and both sides learn of it.
/// </summary>
internal static class Enroll
{
    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapPost("/enroll", HandleAsync).AllowAnonymous().WithName("Enroll").WithSummary("Enrol a cluster with a one-time token").ExcludeFromDescription();

    private static async Task HandleAsync(
        HttpContext context, ControlPlaneDbContext db, EnrollmentLimiter limiter, Anchors anchors, ClusterDirectory directory, IEvents events, IOptions<CallHomeOptions> options, TimeProvider time)
    {
        if (!limiter.TryAcquire(out var retryAfter))
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(retryAfter.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            await Problems.WriteAsync(context, ProblemCodes.RateLimited, "Too many clusters enrol at once. Come back after Retry-After.");
            return;
        }

        if (await Wire.ReadAsync(context, EnrollRequest.Parser) is not { } request)
        {
            return;
        }

        var now = time.GetUtcNow();
        if (!TokenText.TryParse(request.Token, out var kind, out var id, out var secretSha256) || kind != 'e')
        {
            await Problems.WriteAsync(context, ProblemCodes.EnrollmentTokenInvalid, "This is not an enrolment token; it begins with mce_ and has 66 characters.");
            return;
        }

        if (!ClusterKeys.TryRead(request.PublicKey.Span, out var key))
        {
            await Problems.WriteAsync(context, ProblemCodes.KeyUnsupported, "The key must be a P-256 key as DER SubjectPublicKeyInfo.");
            return;
        }

        var signed = ClusterKeys.EnrollmentProof(request.Token, request.PublicKey.Span);
        if (!key.Verify(signed, request.Proof.Span))
        {
            await Problems.WriteAsync(context, ProblemCodes.ProofInvalid, "The proof must be an ES256 signature by the key over mc-enroll-v1, SHA-256 of the token, and the key.");
            return;
        }

        if (ClusterKeys.MistakeIn(request.FurtherKeys) is { } mistake)
        {
            await Problems.WriteAsync(context, ProblemCodes.KeyUnsupported, mistake);
            return;
        }

        if (!ClusterKeys.AreProven(request.FurtherKeys, signed))
        {
            await Problems.WriteAsync(context, ProblemCodes.ProofInvalid, "Each further key must sign the same bytes as the cluster's key, in its field proof.");
            return;
        }

        db.Scope.OpenAll("the token says which customer the cluster belongs to");
        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        var token = await db.Set<EnrollmentToken>().SingleOrDefaultAsync(row => row.Id == id, context.RequestAborted);
        if (token is null || !CryptographicOperations.FixedTimeEquals(token.SecretSha256, secretSha256) || !IsWithin(token.Networks, context.Connection.RemoteIpAddress))
        {
            await Problems.WriteAsync(context, ProblemCodes.EnrollmentTokenInvalid, "The token is not known, or not valid from this network.");
            return;
        }

        if (token.UsedKey is not null && token.UsedKey != key.KeyId)
        {
            events.Audit(Refused(token, "the token was used before by another key", now));
            await db.SaveChangesAsync(context.RequestAborted);
            await transaction.CommitAsync(context.RequestAborted);
            await Problems.WriteAsync(context, ProblemCodes.EnrollmentTokenUsed, "The token was used by another key. Ask for a new one, and find out who used this one.");
            return;
        }

        if (token.RevokedAt is not null || token.ExpiresAt <= now)
        {
            await Problems.WriteAsync(context, ProblemCodes.EnrollmentTokenExpired, "The token has expired or was revoked. Ask for a new one.");
            return;
        }

        var (cluster, refusal) = token switch
        {
            { UsedBy: { } existing } => (await db.Set<Cluster>().SingleAsync(row => row.Id == existing, context.RequestAborted), null),
            { ReadmitsCluster: not null } => await Readmit.AdmitAsync(db, events, token, key, request, now, context.RequestAborted),
            _ => (Admit(db, events, token, key, request, now), null),
        };
        if (refusal is { } why)
        {
            await Problems.WriteAsync(context, why.Code, why.Detail);
            return;
        }

        var customer = await db.Set<KnownCustomer>().SingleOrDefaultAsync(row => row.Id == token.CustomerId, context.RequestAborted);
        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        await directory.RefreshAsync(now, context.RequestAborted);
        await Wire.WriteAsync(context, new EnrollResponse
        {
            ClusterId = cluster.Id.ToString("D"),
            Epoch = cluster.Epoch,
            Anchors = Google.Protobuf.ByteString.CopyFrom(anchors.OfDigest(token.AnchorsSha256).Span),
            Intervals = new Intervals { CheckinS = options.Value.IntervalSeconds, JitterPercent = options.Value.JitterPercent, UsageS = 3600, InventoryS = 86_400 },
            ServerTimeMs = now.ToUnixTimeMilliseconds(),
            CustomerName = customer?.Name ?? "",
            EpochIssuedMs = cluster.Epoch > 1 ? cluster.EpochIssuedAt.ToUnixTimeMilliseconds() : 0,
        });
    }

    private static Cluster Admit(ControlPlaneDbContext db, IEvents events, EnrollmentToken token, VerificationKey key, EnrollRequest request, DateTimeOffset now)
    {
        var facts = request.Facts ?? new Facts();
        var name = WellFormedText.Line(string.IsNullOrWhiteSpace(facts.Name) ? token.ClusterName ?? "unnamed" : facts.Name, 100);
        var cluster = Cluster.Enroll(Guid.CreateVersion7(now), token.CustomerId, name, Cluster.Fingerprint(facts.InstallFingerprint), request.TrustedFirstContact, now);
        cluster.AgentVersion = WellFormedText.Line(facts.AgentVersion, 100);
        var identity = new ClusterKeyRow { ClusterId = cluster.Id, Kid = key.KeyId, Use = ClusterKeyRow.Identity, Spki = request.PublicKey.ToByteArray(), NotBefore = now };
        var witness = request.FurtherKeys.Select(further => new ClusterKeyRow { ClusterId = cluster.Id, Kid = KeyIds.Of(further.Spki.Span), Use = ClusterKeyRow.Witness, Spki = further.Spki.ToByteArray(), NotBefore = now });
        ClusterKeyRow[] keys = [identity, .. witness];
        db.Add(cluster);
        db.AddRange(keys.AsEnumerable());
        db.Add(new ClusterEpoch { ClusterId = cluster.Id, Epoch = 1, IssuedAt = now, Reason = ClusterEpoch.Enrolled });
        token.UsedAt = now;
        token.UsedBy = cluster.Id;
        token.UsedKey = key.KeyId;
        token.Version++;
        events.Publish(cluster.ToEvent(keys, now));
        events.Audit(new AuditFact("callhome.cluster-enrolled", AuditLog.Customer, "cluster", cluster.Id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = cluster.Id,
            Changes = [Change.Add("/name", name), Change.Add("/trustedFirstContact", request.TrustedFirstContact), Change.Add("/key", key.KeyId)],
            Actor = new AuditActor("cluster", cluster.Id.ToString(), "enrollmentToken", TokenId: token.Id),
        });
        return cluster;
    }

    private static AuditFact Refused(EnrollmentToken token, string why, DateTimeOffset now) => new("callhome.enrollment-refused", AuditLog.Customer, "enrollmentToken", token.Id)
    {
        CustomerId = token.CustomerId,
        ClusterId = token.UsedBy,
        Outcome = AuditOutcome.Denied,
        Reason = $"{why} at {now:O}",
        Actor = new AuditActor("cluster", "unknown", "enrollmentToken", TokenId: token.Id),
    };

    private static bool IsWithin(string networks, IPAddress? address)
    {
        if (networks.Length == 0)
        {
            return true;
        }

        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return plain is not null && networks.Split(' ').Any(network => IPNetwork.TryParse(network, out var parsed) && parsed.Contains(plain));
    }
}
