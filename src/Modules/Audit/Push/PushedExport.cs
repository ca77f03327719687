using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Push;

/// <summary>
/// A log that is sent to a system as it grows. Every change of its place is made from the state that was read, in one statement: of two
/// replicas one makes a batch, and what is told of a batch that is not on its way any more changes nothing.
/// </summary>
internal sealed class PushedExport
{
    public required Guid Id { get; init; }

    public required Guid LogId { get; init; }

    /// <summary>By what the log's checkpoints called it when the export was made: another log under its id is another log.</summary>
    public required string Origin { get; init; }

    /// <summary>Whose the export and its endpoint are, and what may be seen in it; null: the vendor's.</summary>
    public required Guid? CustomerId { get; init; }

    /// <summary>An endpoint of the role notifications.</summary>
    public required Guid EndpointId { get; init; }

    /// <summary>Name of the format.</summary>
    public required string Format { get; init; }

    /// <summary>The entry that it began with.</summary>
    public required long FirstIndex { get; init; }

    /// <summary>Everything before it was taken by the receiver.</summary>
    public required long NextIndex { get; init; }

    /// <summary>Hash of the entry before <see cref="NextIndex"/>: what is sent goes on from there. Null: nothing was sent, or there was none.</summary>
    public byte[]? LastHash { get; init; }

    /// <summary>The delivery that is on its way, or has failed; null: none.</summary>
    public Guid? BatchId { get; init; }

    /// <summary>Where it ends.</summary>
    public long? BatchEnd { get; init; }

    /// <summary>Hash of its last entry.</summary>
    public byte[]? BatchHash { get; init; }

    /// <summary>When the last batch was made; before the first one, when the export was.</summary>
    public required DateTimeOffset BatchAt { get; init; }

    /// <summary>When the receiver last took one.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>Why it is stopped; null: it runs.</summary>
    public string? Problem { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether somebody may have a log sent: a customer its own and the fleet's, the vendor every one. The anchor's entries are nobody's deeds.</summary>
    public static bool May(Guid? owner, Log log) => log.Kind != AnchorLog.Kind && (owner is null || log.Kind == "fleet" || (log.Kind == "customer" && log.CustomerId == owner));

    /// <summary>What the audit log is told of it: in the log of the customer whose entries are sent, or who has them sent.</summary>
    /// <param name="type">What was done.</param>
    /// <param name="logCustomer">The customer whose log it is.</param>
    public AuditFact Fact(string type, Guid? logCustomer)
    {
        var customer = logCustomer ?? CustomerId;
        return new AuditFact(type, customer is null ? AuditLog.Operator : AuditLog.Customer, "export", Id.ToString()) { CustomerId = customer };
    }

    /// <summary>What the API says of it.</summary>
    /// <param name="signed">How many signed entries the log has.</param>
    /// <param name="hindrance">Why its reader may change none; null: it may.</param>
    public AuditExportItem ToItem(long signed, string? hindrance) => new(
        Id, LogId, CustomerId, EndpointId, Format, FirstIndex, NextIndex, signed, Problem is null ? "running" : "stopped", Problem, SentAt, BatchId is null ? null : BatchAt, CreatedAt,
        [AllowedAction.Of("resume", hindrance ?? (Problem is null ? "It runs." : null)), AllowedAction.Of("remove", hindrance)]);

    internal sealed class Configuration : IEntityTypeConfiguration<PushedExport>
    {
        public void Configure(EntityTypeBuilder<PushedExport> builder)
        {
            builder.ToTable("audit_export").HasKey(row => row.Id);
            builder.Property(row => row.Origin).HasMaxLength(200);
            builder.Property(row => row.Format).HasMaxLength(20);
            builder.Property(row => row.LastHash).HasMaxLength(32);
            builder.Property(row => row.BatchHash).HasMaxLength(32);
            builder.Property(row => row.Problem).HasMaxLength(StopExport.MostCharacters);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.BatchId);
        }
    }
}
