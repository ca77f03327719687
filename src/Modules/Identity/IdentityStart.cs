using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.OAuth;
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;

namespace MissionControl.Identity;

/// <summary>At every start tells the roles the keys of user tokens and access tokens; at the first one makes the bootstrap token.</summary>
internal sealed partial class IdentityStart(IServiceScopeFactory scopes, DataDirectory data, UserTokenKey key, ClientTokenKey clients, FactorBook factors, IOptions<IdentityOptions> options, ProcessIdentity process, TimeProvider time, ILogger<IdentityStart> logger) : IHostedService
{
    private const string FileName = "admin.token";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("identity");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("identity begins before anybody can be signed in");
        var events = scope.ServiceProvider.GetRequiredService<IEvents>();
        var now = time.GetUtcNow();
        events.Publish(key.ToEvent());
        events.Publish(clients.ToEvent());
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);

        // Of replicas that start at once the one whose row it is makes the token.
        var first = new BulkRows("identity_job_run", ["job", "scheduled_at", "replica", "started_at"], ["job", "scheduled_at"],
            [["identity.bootstrap-token", 0L, process.Instance, now.ToUnixTimeMilliseconds()]]);
        if (await db.Dialect.InsertIfAbsentAsync(db, first, cancellationToken) == 1 && !await db.Set<ApiToken>().AnyAsync(cancellationToken))
        {
            var token = ApiToken.Create(ApiToken.Bootstrap, null, [Scopes.Everything], [], TimeSpan.FromDays(30), now, out var text);
            db.Add(token);
            token.Tell(events);
            events.Audit(new AuditFact("identity.token-created", AuditLog.Operator, "token", token.Id) { Reason = "first start" });
            DataDirectory.WritePrivate(data.PathOf(FileName), System.Text.Encoding.ASCII.GetBytes(text + "\n"));
            LogBootstrap(logger, FileName, token.ExpiresAt);
        }

        await InviteFirstAsync(db, events, now, cancellationToken);

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>While there is no administrator, the data directory holds an invitation for the first administrator: whoever reads it owns the installation already.</summary>
    private async Task InviteFirstAsync(ControlPlaneDbContext db, IEvents events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await db.Set<HeldRole>().AnyAsync(row => row.Role == RoleBook.Administrator && row.Until == null, cancellationToken)
            || await db.Set<Invitation>().AnyAsync(row => row.Email == null && row.AcceptedAt == null && row.RevokedAt == null && row.ExpiresAt > now + TimeSpan.FromDays(1), cancellationToken))
        {
            return;
        }

        await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.Email == null), events, "a newer one takes its place", now, cancellationToken);

        var invitation = Invitation.Create(factors, null, null, Person.Staff, null, [RoleBook.Administrator], null, "system", now, out var code);
        InvitationsApi.Add(db, events, invitation, code, options.Value, "there is no administrator yet", now);
        DataDirectory.WritePrivate(data.PathOf(FirstAdministrator.CodeFile), System.Text.Encoding.ASCII.GetBytes(code + "\n"));
        LogInvitation(logger, FirstAdministrator.CodeFile, invitation.ExpiresAt);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(2002, LogLevel.Information, "Wrote the code of the first administrator's invitation to {File} in the data directory; it ends at {ExpiresAt}")]
    private static partial void LogInvitation(ILogger logger, string file, DateTimeOffset expiresAt);

    [LoggerMessage(2001, LogLevel.Information, "Wrote the bootstrap token to {File} in the data directory; it ends at {ExpiresAt}")]
    private static partial void LogBootstrap(ILogger logger, string file, DateTimeOffset expiresAt);
}
