using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Credentials;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.CallHome.Enrollment;

/// <summary>Makes enrolment and access tokens worth nothing that leaked, and tells identity what became of each. With a wrong secret nothing is done, and nothing told of the token.</summary>
internal sealed class BurnLeakedTokens(ControlPlaneDbContext db, EndLeakedAccess access, IEvents events, TimeProvider time) : IMessageHandler<TokensLeaked>
{
    private const string Kind = "e";

    public async Task HandleAsync(TokensLeaked message, MessageContext context, CancellationToken cancellationToken)
    {
        var own = message.Tokens.Where(one => one.Kind == Kind).ToList();
        if (!message.Tokens.Any(one => one.Kind is Kind or EndLeakedAccess.Kind))
        {
            return;
        }

        db.Scope.OpenAll("a leaked token is made worthless whosever it is");
        var now = time.GetUtcNow();
        var ids = own.Select(one => one.TokenId).Distinct().ToList();
        var tokens = await db.Set<EnrollmentToken>().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        events.Publish(new LeakedTokensJudged(message.ReportId, [.. own.Select(one => Judge(one, tokens.GetValueOrDefault(one.TokenId), now)), .. await access.ApplyAsync(message.Tokens, now, cancellationToken)], now));
    }

    private JudgedToken Judge(LeakedToken found, EnrollmentToken? token, DateTimeOffset now)
    {
        if (token is null || !CryptographicOperations.FixedTimeEquals(token.SecretSha256, found.SecretSha256))
        {
            return new JudgedToken(found.IncidentId, "unknown", null, null, null, null);
        }

        var state = token.StateAt(now);
        if (state == "open")
        {
            token.RevokedAt = now;
            token.Version++;
            events.Audit(new AuditFact("callhome.enrollment-token-revoked", AuditLog.Customer, "enrollmentToken", token.Id) { CustomerId = token.CustomerId, Reason = "it leaked", Changes = [Change.Add("/revokedAt", now)] });
        }

        return new JudgedToken(found.IncidentId, state == "open" ? "revoked" : $"was-{state}", token.CustomerId, token.UsedBy ?? token.ReadmitsCluster, token.ClusterName, token.UsedAt);
    }
}
