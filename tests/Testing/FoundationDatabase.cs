using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Testing;

/// <summary>A database as versions left it that had one table for what was done, names and addresses in clear: <c>audit_entry</c>.</summary>
public static class FoundationDatabase
{
    private static readonly string[] Columns = ["id", "occurred_at", "recorded_at", "log", "customer_id", "cluster_id", "type", "is_read", "outcome", "actor_kind", "actor_id", "target_type", "target_id", "reason", "producer", "producer_seq", "body"];

    /// <summary>Brings the schema to a migration of then, with the triggers of that table.</summary>
    public static async Task MigrateAsync(ControlPlaneDbContext db, string migration)
    {
        ArgumentNullException.ThrowIfNull(db);
        using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, CancellationToken.None);
        await db.GetService<IMigrator>().MigrateAsync(migration);
        foreach (var statement in db.Dialect.AppendOnlySql("audit_entry"))
        {
            await db.Database.ExecuteSqlRawAsync(statement);
        }
    }

    /// <summary>Writes events into the table, as it was done then.</summary>
    public static async Task InsertAsync(ControlPlaneDbContext db, IEnumerable<AuditEntryRecorded> events, DateTimeOffset recordedAt, Func<AuditEntryRecorded, string>? body = null)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(events);
        await using var transaction = await db.BeginWriteAsync();
        foreach (var told in events)
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.Transaction = db.RequireTransaction();
#pragma warning disable CA2100 // The columns stand above.
            command.CommandText = $"INSERT INTO audit_entry ({string.Join(", ", Columns)}) VALUES ({string.Join(", ", Columns.Select((_, i) => $"@p{i}"))})";
#pragma warning restore CA2100
            object?[] values =
            [
                told.EventId, told.OccurredAt.ToUnixTimeMilliseconds(), recordedAt.ToUnixTimeMilliseconds(), told.Log, told.CustomerId, told.ClusterId,
                told.Type, told.Type.EndsWith("-read", StringComparison.Ordinal), told.Outcome, told.Actor.Kind, told.Actor.Id, told.Target.Type, told.Target.Id, told.Reason, told.Producer, told.ProducerSeq,
                body?.Invoke(told) ?? JsonSerializer.Serialize(told, MessageJson.Options),
            ];
            for (var i = 0; i < values.Length; i++)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = ($"@p{i}", values[i] ?? DBNull.Value);
                command.Parameters.Add(parameter);
            }

            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    /// <summary>Somebody's change or look, told by name and from an address.</summary>
    /// <param name="number">Its number; its producer gives each once.</param>
    /// <param name="customer">The customer concerned; null: it stands in the operators' log.</param>
    public static AuditEntryRecorded Event(int number, Guid? customer) => new(
        1, Guid.CreateVersion7(), "identity/before", number, new DateTimeOffset(2026, 11, 1, 10, 0, 0, TimeSpan.Zero).AddSeconds(number / 3), customer is null ? "operator" : "customer", customer, null,
        number % 10 == 0 ? "callhome.cluster-read" : "licensing.customer-renamed", "success", new AuditActor("staff", $"person:{number % 7}", "session", Mfa: true), new AuditTarget("customer", (customer ?? Guid.Empty).ToString()),
        [Change.Replace("/region", "eu", "us")], $"because {number}", "T-1", null, "none", new Dictionary<string, string> { ["name"] = $"Ada Lovelace {number}", ["address"] = $"192.0.2.{number % 250}" });
}
