using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Tasks;

namespace MissionControl.Platform.Data;

/// <summary>The tables every module has under its own prefix, so that each role can be given its own database.</summary>
internal static class ModuleTablesModel
{
    public static void Configure(ModelBuilder model, string module)
    {
        model.SharedTypeEntity<OutboxMessage>(Outbox(module), entity =>
        {
            entity.ToTable(Outbox(module)).HasKey(row => row.Id);
            entity.Property(row => row.Type).HasMaxLength(100);
            entity.Property(row => row.Key).HasMaxLength(100);
            entity.Property(row => row.LastError).HasMaxLength(1000);
        });
        model.SharedTypeEntity<InboxMessage>(Inbox(module), entity =>
        {
            entity.ToTable(Inbox(module)).HasKey(row => new { row.Consumer, row.MessageId });
            entity.Property(row => row.Consumer).HasMaxLength(100);
            entity.HasIndex(row => row.AppliedAt);
        });
        model.SharedTypeEntity<ParkedMessage>(Parked(module), entity =>
        {
            entity.ToTable(Parked(module)).HasKey(row => row.Id);
            entity.HasIndex(row => new { row.Consumer, row.MessageId }).IsUnique();
            entity.HasIndex(row => new { row.State, row.NextAttemptAt });
            entity.HasIndex(row => row.GivenUpAt);
            entity.Property(row => row.State).IsConcurrencyToken();
            entity.Property(row => row.Consumer).HasMaxLength(100);
            entity.Property(row => row.Type).HasMaxLength(100);
            entity.Property(row => row.Key).HasMaxLength(100);
            entity.Property(row => row.FirstError).HasMaxLength(1000);
            entity.Property(row => row.LastError).HasMaxLength(1000);
            entity.Property(row => row.GivenUpBy).HasMaxLength(100);
            entity.Property(row => row.GivenUpReason).HasMaxLength(500);
        });
        model.SharedTypeEntity<Projection>(Projections(module), entity =>
        {
            entity.ToTable(Projections(module)).HasKey(row => new { row.Kind, row.Id });
            entity.Property(row => row.Kind).HasMaxLength(40);
            entity.Property(row => row.Id).HasMaxLength(100);
            entity.Property(row => row.Body).IsText();
        });
        model.SharedTypeEntity<Lease>(Leases(module), entity =>
        {
            entity.ToTable(Leases(module)).HasKey(row => row.Name);
            entity.Property(row => row.Name).HasMaxLength(100);
            entity.Property(row => row.Holder).HasMaxLength(100);
        });
        model.SharedTypeEntity<Replica>(Replicas(module), entity =>
        {
            entity.ToTable(Replicas(module)).HasKey(row => row.Instance);
            entity.Property(row => row.Instance).HasMaxLength(100);
            entity.Property(row => row.Version).HasMaxLength(60);
            entity.HasIndex(row => row.SeenAt);
        });
        model.SharedTypeEntity<JobRun>(JobRuns(module), entity =>
        {
            entity.ToTable(JobRuns(module)).HasKey(row => new { row.Job, row.ScheduledAt });
            entity.Property(row => row.Job).HasMaxLength(100);
            entity.Property(row => row.Replica).HasMaxLength(100);
            entity.Property(row => row.Outcome).HasMaxLength(1000);
            entity.Property(row => row.StartedBy).HasMaxLength(100);
            entity.Property(row => row.Reason).HasMaxLength(500);
            entity.HasIndex(row => row.StartedAt);
        });
        model.SharedTypeEntity<AuditProducer>(AuditProducers(module), entity =>
        {
            entity.ToTable(AuditProducers(module)).HasKey(row => row.Producer);
            entity.Property(row => row.Producer).HasMaxLength(100);
        });
        model.SharedTypeEntity<IdempotencyRecord>(Idempotency(module), entity =>
        {
            entity.ToTable(Idempotency(module)).HasKey(row => new { row.Principal, row.Route, row.Key });
            entity.Property(row => row.Principal).HasMaxLength(100);
            entity.Property(row => row.Route).HasMaxLength(200);
            entity.Property(row => row.Key).HasMaxLength(100);
            entity.Property(row => row.ContentType).HasMaxLength(100);
            entity.Property(row => row.Location).HasMaxLength(400);
            entity.HasIndex(row => row.CreatedAt);
        });
        model.SharedTypeEntity<LongTask>(Tasks(module), entity =>
        {
            entity.ToTable(Tasks(module)).HasKey(row => row.Id);
            entity.Property(row => row.Kind).HasMaxLength(100);
            entity.Property(row => row.Summary).HasMaxLength(400);
            entity.Property(row => row.StartedBy).HasMaxLength(100);
            entity.Property(row => row.Actor).HasMaxLength(1000);
            entity.Property(row => row.Reason).HasMaxLength(500);
            entity.HasIndex(row => new { row.State, row.Id });
            entity.HasIndex(row => row.EndedAt);
        });
        model.SharedTypeEntity<LongTaskItem>(TaskItems(module), entity =>
        {
            entity.ToTable(TaskItems(module)).HasKey(row => new { row.TaskId, row.Number });
            entity.Property(row => row.Target).HasMaxLength(100);
            entity.Property(row => row.Label).HasMaxLength(200);
            entity.Property(row => row.Reason).HasMaxLength(1000);
            entity.HasIndex(row => new { row.TaskId, row.State, row.Number });
            entity.HasIndex(row => row.EndedAt);
        });
    }

    public static string Outbox(string module) => $"{module}_outbox";

    public static string Inbox(string module) => $"{module}_inbox";

    public static string Parked(string module) => $"{module}_parked_message";

    public static string Projections(string module) => $"{module}_projection";

    public static string Leases(string module) => $"{module}_lease";

    public static string Replicas(string module) => $"{module}_replica";

    public static string JobRuns(string module) => $"{module}_job_run";

    public static string AuditProducers(string module) => $"{module}_audit_producer";

    public static string Idempotency(string module) => $"{module}_idempotency";

    public static string Tasks(string module) => $"{module}_task";

    public static string TaskItems(string module) => $"{module}_task_item";
}

/// <summary>The per-module tables as query roots.</summary>
public static class ModuleTables
{
    /// <summary>The module's outbox.</summary>
    public static DbSet<OutboxMessage> Outbox(this ControlPlaneDbContext db, string module) => db.Set<OutboxMessage>(ModuleTablesModel.Outbox(module));

    /// <summary>The module's parked messages.</summary>
    public static DbSet<ParkedMessage> ParkedMessages(this ControlPlaneDbContext db, string module) => db.Set<ParkedMessage>(ModuleTablesModel.Parked(module));

    /// <summary>The module's inbox.</summary>
    public static DbSet<InboxMessage> Inbox(this ControlPlaneDbContext db, string module) => db.Set<InboxMessage>(ModuleTablesModel.Inbox(module));

    /// <summary>The module's copies of other roles' facts.</summary>
    public static DbSet<Projection> Projections(this ControlPlaneDbContext db, string module) => db.Set<Projection>(ModuleTablesModel.Projections(module));

    /// <summary>The module's leases.</summary>
    public static DbSet<Lease> Leases(this ControlPlaneDbContext db, string module) => db.Set<Lease>(ModuleTablesModel.Leases(module));

    /// <summary>The processes that run the module's role, or did.</summary>
    public static DbSet<Replica> Replicas(this ControlPlaneDbContext db, string module) => db.Set<Replica>(ModuleTablesModel.Replicas(module));

    /// <summary>The module's job runs.</summary>
    public static DbSet<JobRun> JobRuns(this ControlPlaneDbContext db, string module) => db.Set<JobRun>(ModuleTablesModel.JobRuns(module));

    /// <summary>The module's audit numbers.</summary>
    public static DbSet<AuditProducer> AuditProducers(this ControlPlaneDbContext db, string module) => db.Set<AuditProducer>(ModuleTablesModel.AuditProducers(module));

    /// <summary>The module's stored answers.</summary>
    public static DbSet<IdempotencyRecord> IdempotencyRecords(this ControlPlaneDbContext db, string module) => db.Set<IdempotencyRecord>(ModuleTablesModel.Idempotency(module));

    /// <summary>The module's long tasks.</summary>
    public static DbSet<LongTask> LongTasks(this ControlPlaneDbContext db, string module) => db.Set<LongTask>(ModuleTablesModel.Tasks(module));

    /// <summary>What the module's long tasks are about.</summary>
    public static DbSet<LongTaskItem> LongTaskItems(this ControlPlaneDbContext db, string module) => db.Set<LongTaskItem>(ModuleTablesModel.TaskItems(module));
}
