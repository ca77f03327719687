using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Accounts;

/// <summary>Whether contracts may be made for an account.</summary>
internal enum AccountState
{
    Active,
    Closed,
}

/// <summary>Whom invoices go to, and in which currency. A customer may have several.</summary>
internal sealed class BillingAccount : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; set; }

    /// <summary>Never changes: what was booked would be worth something else.</summary>
    public required string Currency { get; init; }

    public required string TaxRegion { get; set; }

    public string? InvoiceReference { get; set; }

    public AccountState State { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    /// <summary>Why it cannot be moved to a state, in words; null: it can.</summary>
    public string? NoEntering(AccountState state) => state != State ? null : state == AccountState.Active ? "It is active already." : "It is closed already.";

    /// <param name="hindrance">Why its reader may change no account; null: it may.</param>
    public BillingAccountItem ToItem(string? hindrance) => new(
        Id, CustomerId, Name, Currency, TaxRegion, InvoiceReference, Word(State), CreatedAt, Version,
        [AllowedAction.Of("change", hindrance), AllowedAction.Of("close", hindrance ?? NoEntering(AccountState.Closed)), AllowedAction.Of("reopen", hindrance ?? NoEntering(AccountState.Active))]);

    public static string Word(AccountState state) => state.ToString().ToLowerInvariant();

    /// <summary>Saves a new account, or a change of one, with its entry in the customer's audit log. The only place that does.</summary>
    public async Task SaveAsync(ControlPlaneDbContext db, IEvents events, TimeProvider time, string type, IReadOnlyList<AuditChange> changes, string? reason, CancellationToken cancellationToken)
    {
        events.Audit(new AuditFact(type, AuditLog.Customer, "billing-account", Id.ToString()) { CustomerId = CustomerId, Changes = changes, Reason = reason });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.Account, CustomerId, Id.ToString(), Version: Version)], cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<BillingAccount>
    {
        public void Configure(EntityTypeBuilder<BillingAccount> builder)
        {
            builder.ToTable("licensing_billing_account").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
            builder.Property(row => row.Currency).HasMaxLength(3);
            builder.Property(row => row.TaxRegion).HasMaxLength(40);
            builder.Property(row => row.InvoiceReference).HasMaxLength(100);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.Name);
        }
    }
}
