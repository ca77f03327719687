using MissionControl.Platform.Data;

namespace MissionControl.Platform.Retention;

/// <summary>The tables every module has under its own prefix; see <see cref="ModuleTables"/>.</summary>
internal static class SharedRecords
{
    /// <summary>An Idempotency-Key counts this long, as the API promises.</summary>
    public static readonly TimeSpan IdempotencyTerm = TimeSpan.FromHours(24);

    public static void Declare(RetentionTable records, string module)
    {
        records.KeepShared("outbox", ModuleTablesModel.Outbox(module), "messages on their way to other roles", "until every consumer has it");
        records.PurgeShared("inbox", ModuleTablesModel.Inbox(module), db => db.Inbox(module), "that a message was applied, so that it is applied once", Term.Days(30, 7, 90), "after it was applied", row => row.AppliedAt);
        records.PurgeShared(
            "parked-message", ModuleTablesModel.Parked(module), db => db.ParkedMessages(module), "messages that could not be applied, and what was given up", Term.Days(90, 7, 400),
            "after a person gave it up; what nobody gave up is kept until it is applied", row => row.GivenUpAt);
        records.KeepShared("projection", ModuleTablesModel.Projections(module), "other roles' facts that this role needs", "replaced by the newest");
        records.KeepShared("lease", ModuleTablesModel.Leases(module), "which replica does repeated work", "overwritten");
        records.KeepShared("audit-producer", ModuleTablesModel.AuditProducers(module), "the last audit number a process gave, so that a gap is seen", "as long as the audit log");

        records.PurgeShared("replica", ModuleTablesModel.Replicas(module), db => db.Replicas(module), "which processes run the role, with version, disk and certificate", Term.Days(7, 1, 90), "after it last said that it runs", row => row.SeenAt);

        // What happened once and for all, such as the first start, stands at the epoch and stays.
        records.PurgeShared(
            "job-run", ModuleTablesModel.JobRuns(module), db => db.JobRuns(module), "which replica ran a job, and how it ended", Term.Days(90, 7, 400), "after it began", row => row.StartedAt,
            row => row.ScheduledAt > DateTimeOffset.UnixEpoch);
        records.PurgeShared("task", ModuleTablesModel.Tasks(module), db => db.LongTasks(module), "work on many things: who started it, and how it ended", Term.Days(90, 7, 400), "after it ended", row => row.EndedAt);
        records.PurgeShared("task-item", ModuleTablesModel.TaskItems(module), db => db.LongTaskItems(module), "what became of each of them, and why", Term.Days(90, 7, 400), "after it was dealt with", row => row.EndedAt);
        records.PurgeShared(
            "idempotency", ModuleTablesModel.Idempotency(module), db => db.IdempotencyRecords(module), "the answer to a request that may be sent again", Term.Fixed(IdempotencyTerm), "after the request", row => row.CreatedAt);
    }
}
