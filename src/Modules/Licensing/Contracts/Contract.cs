using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Contracts;

/// <summary>Whether a contract counts. That it has ended is a matter of the hour.</summary>
internal enum ContractState
{
    Draft,
    Active,
}

/// <summary>What never changes in a contract, and where its versions stand.</summary>
internal sealed class Contract : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required Guid AccountId { get; init; }

    public required string Number { get; init; }

    public required string Currency { get; init; }

    public ContractState State { get; set; }

    public int FromHour { get; set; }

    /// <summary>Its end, as its newest version says.</summary>
    public int ToHour { get; set; }

    public int LastNumber { get; set; }

    /// <summary>Why it ends early; null: it does not.</summary>
    public string? TerminationReason { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    public bool HasEnded(DateTimeOffset now) => State == ContractState.Active && ToHour <= UsageWindow.HourOf(now);

    /// <summary>Why a draft's action cannot be done, in words; null: it can.</summary>
    public string? NoDraft() => State == ContractState.Draft ? null : "It is no draft; what was agreed is changed by an amendment.";

    /// <summary>Why it cannot be amended or terminated, in words; null: it can.</summary>
    public string? NotRunning(DateTimeOffset now) =>
        State == ContractState.Draft ? "It is a draft." : HasEnded(now) ? "It has ended." : TerminationReason is not null ? "It is terminated." : null;

    public ContractItem ToItem(string? hindrance, DateTimeOffset now) => new(
        Id, CustomerId, AccountId, Number, Currency, State == ContractState.Draft ? "draft" : HasEnded(now) ? "ended" : "active", UsageWindow.StartOf(FromHour), UsageWindow.StartOf(ToHour), LastNumber, TerminationReason, CreatedAt, Version,
        [
            AllowedAction.Of("replace", hindrance ?? NoDraft()), AllowedAction.Of("discard", hindrance ?? NoDraft()), AllowedAction.Of("activate", hindrance ?? NoDraft()),
            AllowedAction.Of("amend", hindrance ?? NotRunning(now)), AllowedAction.Of("terminate", hindrance ?? NotRunning(now)),
        ]);

    /// <summary>Saves a contract and its versions, with the entry in the customer's audit log. The only place that does.</summary>
    public async Task SaveAsync(ControlPlaneDbContext db, IEvents events, TimeProvider time, string type, IReadOnlyList<AuditChange> changes, string? reason, CancellationToken cancellationToken)
    {
        events.Audit(new AuditFact(type, AuditLog.Customer, "contract", Id.ToString()) { CustomerId = CustomerId, Changes = changes, Reason = reason });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.Contract, CustomerId, Id.ToString(), Version: Version)], cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Contract>
    {
        public void Configure(EntityTypeBuilder<Contract> builder)
        {
            builder.ToTable("licensing_contract").HasKey(row => row.Id);
            builder.Property(row => row.Number).HasMaxLength(60);
            builder.Property(row => row.Currency).HasMaxLength(3);
            builder.Property(row => row.TerminationReason).HasMaxLength(500);
            builder.HasIndex(row => row.Number).IsUnique();
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.AccountId);
        }
    }
}
