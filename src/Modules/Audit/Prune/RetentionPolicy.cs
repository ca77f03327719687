using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Bundle;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;

namespace MissionControl.Audit.Prune;

/// <summary>For how long entries are kept, as the log of the fleet says to everybody.</summary>
/// <param name="EventId">The entry that says so.</param>
/// <param name="Days">How many days old an entry is at least before it may be pruned; null: none may.</param>
internal sealed record RetentionPolicy(Guid EventId, int? Days)
{
    /// <summary>What the entry is called.</summary>
    public const string Told = "audit.retention-set";

    /// <summary>The one in force: the newest that is signed. Null: there never was one.</summary>
    public static async Task<RetentionPolicy?> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var signed = await db.Set<LogCheckpoint>().Where(row => row.LogId == BoundLog.FleetId).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0;
        var place = await db.Set<IndexedEntry>().Where(row => row.LogId == BoundLog.FleetId && row.Type == Told && row.Position < signed).MaxAsync(row => (long?)row.Position, cancellationToken);
        return place is { } at && (await TileReader.LeavesAsync(db, BoundLog.FleetId, at, at + 1, ["content"], cancellationToken))[0] is [byte[] content] ? Read(content) : null;
    }

    private static RetentionPolicy Read(byte[] content)
    {
        using var entry = JsonDocument.Parse(content);
        return new RetentionPolicy(entry.RootElement.GetProperty("eventId").GetGuid(), entry.RootElement.GetProperty("changes")[0].TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null);
    }
}

/// <summary>Tells everybody for how long entries are kept, before anything is pruned by it: in the log of the fleet, whenever the configuration says another term than before.</summary>
internal sealed class PublishRetention(IOptions<AuditOptions> options, TimeProvider time) : Sweeper("audit.publish-retention", "audit", TimeSpan.FromSeconds(15))
{
    private const string Kind = "told-retention";

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, days) = (scope.GetRequiredService<ControlPlaneDbContext>(), options.Value.RetentionDays);

        // What was told is known here before the log has it; and nothing is told where there never was a term.
        var row = await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind).Select(row => row.Body).SingleOrDefaultAsync(cancellationToken);
        var before = row is null ? null : JsonSerializer.Deserialize<int?>(row);
        if (before == days)
        {
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await db.Dialect.UpsertAsync(db, new BulkRows("audit_projection", ["kind", "id", "version", "body"], ["kind", "id"], [[Kind, "all", time.GetUtcNow().ToUnixTimeMilliseconds(), JsonSerializer.Serialize(days)]]), null, cancellationToken);
        scope.GetRequiredService<IEvents>().Audit(new AuditFact(RetentionPolicy.Told, AuditLog.Fleet, "logs", "all")
        {
            Actor = new AuditActor("system", "audit", "local"),
            Changes = [Change.Replace("/days", before, days)],
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
