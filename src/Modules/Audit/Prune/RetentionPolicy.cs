using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Bundle;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
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

    private const int Newest = 64;

    /// <summary>The one in force: the newest that is signed. Null: there never was one.</summary>
    public static async Task<RetentionPolicy?> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var signed = await db.Set<LogCheckpoint>().Where(row => row.LogId == BoundLog.FleetId).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0;
        var places = await db.Set<IndexedEntry>().Where(row => row.LogId == BoundLog.FleetId && row.Type == Told && row.Position < signed).OrderByDescending(row => row.Position).Take(Newest).Select(row => row.Position).ToListAsync(cancellationToken);
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. places.Select(place => new object?[] { BoundLog.FleetId, place })], ["content"], cancellationToken);
        return leaves.Select(leaf => leaf is [byte[] content] ? Read(content) : null).FirstOrDefault(policy => policy is not null);
    }

    // The index says what an imported entry was, too: only what the role itself says, in the leaf, and could be told to say.
    private static RetentionPolicy? Read(byte[] content)
    {
        try
        {
            using var entry = JsonDocument.Parse(content);
            var (root, change) = (entry.RootElement, entry.RootElement.GetProperty("changes")[0]);
            int? days = change.TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null ? value.GetInt32() : null;
            return Pruned.IsOwn(root, Told) && change.GetProperty("path").ValueEquals("/days") && days is null or (>= AuditOptions.ShortestRetention and <= AuditOptions.LongestRetention)
                ? new RetentionPolicy(root.GetProperty("eventId").GetGuid(), days)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}

/// <summary>Tells everybody for how long entries are kept, before anything is pruned by it: in the log of the fleet, whenever the configuration says another term than before.</summary>
internal sealed class PublishRetention(AppendOnlyTest test, IOptions<AuditOptions> options, TimeProvider time) : Sweeper("audit.publish-retention", "audit", TimeSpan.FromSeconds(15))
{
    private const string Kind = "told-retention";
    private const string Turn = "retention";

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, days) = (scope.GetRequiredService<ControlPlaneDbContext>(), options.Value.RetentionDays);
        if (test.Refusal is not null || await ToldAsync(db, cancellationToken) == days)
        {
            return;
        }

        // Appended here, and never sent: what comes by a message anybody may have written who may write messages. One replica at a time.
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await Progress.TakeAsync(db, Turn, 0, cancellationToken);
        var before = await ToldAsync(db, cancellationToken);
        if (before == days)
        {
            return;
        }

        var now = time.GetUtcNow();
        await db.Dialect.UpsertAsync(db, new BulkRows("audit_projection", ["kind", "id", "version", "body"], ["kind", "id"], [[Kind, "all", now.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(days)]]), null, cancellationToken);
        var entry = new AuditEntryRecorded(
            1, Guid.CreateVersion7(now), "audit", 0, now, "fleet", null, null, RetentionPolicy.Told, "success", new AuditActor("system", "audit", "local"), new AuditTarget("logs", "all"),
            [Change.Replace("/days", before, days)], null, null, null, "none", new Dictionary<string, string>());
        await scope.GetRequiredService<Sequencer>().AppendAsync([Told.Of(entry) with { IsNumbered = false }], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    // Null also where there never was a term: nothing is told then.
    private static async Task<int?> ToldAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind).Select(row => row.Body).SingleOrDefaultAsync(cancellationToken) is { } row ? JsonSerializer.Deserialize<int?>(row) : null;
}
