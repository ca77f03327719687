using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Credentials;

/// <summary><c>POST /callhome/v1/rotate</c>: a new key, signed by the old one; both are valid until the new one is used.</summary>
internal static class RotateKey
{
    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapPost("/rotate", HandleAsync).AllowAnonymous().WithName("RotateKey").WithSummary("Replace the cluster's key").ExcludeFromDescription();

    private static async Task HandleAsync(HttpContext context, ControlPlaneDbContext db, Assertions assertions, Nonces nonces, ClusterDirectory directory, IEvents events, TimeProvider time)
    {
        if (await Wire.ReadAsync(context, RotateRequest.Parser) is not { } request)
        {
            return;
        }

        if (!ClusterKeys.TryRead(request.NewPublicKey.Span, out var newKey))
        {
            await Problems.WriteAsync(context, ProblemCodes.KeyUnsupported, "The key must be a P-256 key as DER SubjectPublicKeyInfo.");
            return;
        }

        if (!Assertions.IsWellFormed(request.Assertion))
        {
            await ExchangeToken.RefuseAsync(context, AssertionError.Invalid, nonces, time);
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        var (assertion, error) = await assertions.VerifyAsync(request.Assertion, "rotate", context.RequestAborted);
        if (assertion is null)
        {
            await transaction.DisposeAsync();
            await ExchangeToken.RefuseAsync(context, error, nonces, time);
            return;
        }

        if (await ExchangeToken.RefuseStateAsync(context, assertion.Cluster, transaction))
        {
            return;
        }

        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(request.NewPublicKey.Span));
        if (!assertion.Claims.TryGetProperty("new_key_sha256", out var claim) || claim.ValueKind != System.Text.Json.JsonValueKind.String || claim.GetString() != digest
            || !newKey.Verify(ClusterKeys.RotationProof(assertion.Cluster.Id, request.NewPublicKey.Span), request.Proof.Span))
        {
            await transaction.CommitAsync(context.RequestAborted);
            await Problems.WriteAsync(context, ProblemCodes.ProofInvalid, "The assertion needs the claim new_key_sha256, and the proof must be by the new key over mc-rotate-v1, the cluster id and the key.");
            return;
        }

        var now = time.GetUtcNow();
        if (assertion.Keys.All(key => key.Kid != newKey.KeyId))
        {
            var row = new ClusterKeyRow { ClusterId = assertion.Cluster.Id, Kid = newKey.KeyId, Use = ClusterKeyRow.Identity, Spki = request.NewPublicKey.ToByteArray(), NotBefore = now, Admission = assertion.Cluster.Admission };
            db.Add(row);
            assertion.Cluster.Touch(now);
            Suspect(assertion, row, events, now);
            events.Publish(assertion.Cluster.ToEvent([.. assertion.Keys, row], now));
            events.Audit(new AuditFact("callhome.key-rotated", AuditLog.Customer, "cluster", assertion.Cluster.Id.ToString())
            {
                CustomerId = assertion.Cluster.CustomerId,
                ClusterId = assertion.Cluster.Id,
                Changes = [Change.Add("/keys/-", newKey.KeyId)],
                Actor = new AuditActor("cluster", assertion.Cluster.Id.ToString(), "assertion"),
            });
        }

        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        await directory.RefreshAsync(now, context.RequestAborted);
        await Wire.WriteAsync(context, new RotateResponse { KeyId = newKey.KeyId });
    }

    // An agent that did not get its answer asks for the same key again. Two successors of one key are two machines that hold it, and
    // whichever is used later ends the other: that must not go by in silence.
    private static void Suspect(Assertion assertion, ClusterKeyRow successor, IEvents events, DateTimeOffset now)
    {
        var cluster = assertion.Cluster;
        if (cluster.CloneSuspected || !assertion.Keys.Any(key => key is { NotAfter: null, FirstUsedAt: null } && key.NotBefore > assertion.Key.NotBefore && key.Kid != successor.Kid))
        {
            return;
        }

        cluster.SuspectClone(now);
        events.Audit(new AuditFact("callhome.clone-suspected", AuditLog.Customer, "cluster", cluster.Id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = cluster.Id,
            Outcome = AuditOutcome.Denied,
            Reason = "one key announced two successors",
            Actor = new AuditActor("cluster", cluster.Id.ToString(), "assertion"),
        });
    }
}
