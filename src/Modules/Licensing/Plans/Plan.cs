using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Plans;

/// <summary>What a licence gives, in versions that never change.</summary>
internal sealed class Plan
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public int LastNumber { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    public PlanItem ToItem() => new(Id, Name, LastNumber, CreatedAt, Version);

    /// <summary>Saves a plan with a new version, and the entry in the audit log. The only place that does.</summary>
    public async Task SaveAsync(ControlPlaneDbContext db, IEvents events, TimeProvider time, string type, IReadOnlyList<AuditChange> changes, CancellationToken cancellationToken)
    {
        events.Audit(new AuditFact(type, AuditLog.Operator, "plan", Id.ToString()) { Changes = changes });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.Plan, Guid.Empty, Id.ToString(), Version: Version)], cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Plan>
    {
        public void Configure(EntityTypeBuilder<Plan> builder)
        {
            builder.ToTable("licensing_plan").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.HasIndex(row => row.Name).IsUnique();
        }
    }
}

/// <summary>A version of a plan.</summary>
internal sealed class PlanVersion
{
    public required Guid PlanId { get; init; }

    public required int Number { get; init; }

    /// <summary>The entitlements, as JSON.</summary>
    public required string Content { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public IReadOnlyList<EntitlementItem> Entitlements() => JsonSerializer.Deserialize<List<EntitlementItem>>(Content, JsonSerializerOptions.Web) ?? [];

    public static PlanVersion Of(Plan plan, IReadOnlyList<EntitlementItem> entitlements, DateTimeOffset now) =>
        new() { PlanId = plan.Id, Number = ++plan.LastNumber, Content = JsonSerializer.Serialize(entitlements, JsonSerializerOptions.Web), CreatedAt = now };

    public PlanVersionItem ToItem(string name) => new(PlanId, name, Number, Entitlements(), CreatedAt);

    internal sealed class Configuration : IEntityTypeConfiguration<PlanVersion>
    {
        public void Configure(EntityTypeBuilder<PlanVersion> builder)
        {
            builder.ToTable("licensing_plan_version").HasKey(row => new { row.PlanId, row.Number });
            builder.Property(row => row.Content).IsText();
        }
    }
}
