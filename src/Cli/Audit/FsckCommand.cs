using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit fsck</c>: has the server make its logs anew from its rows, now, and says what it found.</summary>
internal static class FsckCommand
{
    private const string Role = "audit";
    private const string Job = Role + ".verify-logs";

    private const string Help = """
        Have Mission Control make every one of its audit logs anew from the rows of its database, all entries and all tiles, and say what is damaged.

        It is what the server does each night, done now while it goes on working, and the server's word: to believe nobody, verify (mc audit verify). For the vendor's staff with system:write and audit:read. That it was asked for, and why, is an entry of the audit log.

        Exit codes: 0 nothing is damaged; 2 a log is damaged, or is not signed any more; 3 the check was refused, did not end, or passed over a log; 64 wrong use; 130 interrupted, and the check goes on.

        Examples:
          mc audit fsck --reason "After the disk was replaced"
          mc audit fsck --reason "Each Monday" --output json
        """;

    // Its encoder escapes every character that could steer a terminal.
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var reason = new Option<string>("--reason") { Description = "Why, in 3 to 500 characters; it goes to the audit log.", Required = true };
        var output = AuditCommand.Output();
        var command = new Command("fsck", Help) { reason, output };
        command.SetAction((parsed, cancellationToken) => AuditCommand.AskAsync(
            parsed,
            async person =>
            {
                var run = await RunAsync(person, parsed.GetValue(reason)!, cancellationToken);
                var logs = run.State == "succeeded" ? await LogsAsync(person, cancellationToken) : [];
                var verdict = run.State != "succeeded" ? Verdict.Incomplete : logs.Exists(log => log.Problem is not null) ? Verdict.Inconsistent : logs.Exists(log => IsPassedOver(log, run)) ? Verdict.Incomplete : Verdict.Good;
                Tell(parsed.InvocationConfiguration.Output, parsed.GetValue(output) == "json", verdict, run, logs);
                return verdict;
            },
            "Interrupted. The check goes on; what it finds stands in the list of logs.",
            null,
            cancellationToken));
        return command;
    }

    // The run that was asked for, when it has ended.
    private static async Task<JobRunItem> RunAsync(Person person, string reason, CancellationToken cancellationToken)
    {
        var asked = await person.AskAsync(api => api.RunJobAsync(Role, Job, reason, null, cancellationToken), cancellationToken);
        var patience = new Patience(absenceMayPass: false);
        while (true)
        {
            await Task.Delay(Between, cancellationToken);
            var runs = await patience.AskAsync(() => person.AskAsync(api => api.ListJobRunsAsync(Role, $"?job={Job}&limit=10", cancellationToken), cancellationToken), cancellationToken);
            if (runs?.Items.FirstOrDefault(run => run.ScheduledAt == asked.ScheduledAt) is { State: not "running" } ended)
            {
                return ended;
            }
        }
    }

    private static async Task<List<AuditLogItem>> LogsAsync(Person person, CancellationToken cancellationToken)
    {
        var logs = new List<AuditLogItem>();
        for (var query = "?limit=500"; query is not null;)
        {
            var page = await person.AskAsync(api => api.ListAuditLogsAsync(query, cancellationToken), cancellationToken);
            logs.AddRange(page.Items);
            query = page.Next?.IndexOf('?') is >= 0 and var at ? page.Next[at..] : null;
        }

        return logs;
    }

    private static void Tell(TextWriter said, bool asJson, Verdict verdict, JobRunItem run, List<AuditLogItem> logs)
    {
        if (asJson)
        {
            said.WriteLine(JsonSerializer.Serialize(
                new
                {
                    version = 1,
                    verdict = verdict.ToString().ToLowerInvariant(),
                    exitCode = (int)verdict,
                    run.StartedAt,
                    run.EndedAt,
                    run.Outcome,
                    logs = logs.Select(log => new { log.Id, log.Origin, log.CheckedAt, log.CheckedSize, log.Problem }),
                },
                Form));
            return;
        }

        said.WriteLine(Printable.Line($"{verdict}: {run.Outcome ?? "The process that ran the check ended first."}"));
        foreach (var log in logs.Where(log => log.Problem is not null || IsPassedOver(log, run)))
        {
            said.WriteLine(Printable.Line(string.Create(CultureInfo.InvariantCulture, $"  {log.Origin}: {log.Problem ?? "it was not looked at"}")));
        }
    }

    // It was there when the check began, and no check ended since: that nothing is said of it means nothing.
    private static bool IsPassedOver(AuditLogItem log, JobRunItem run) => log.CreatedAt < run.StartedAt && (log.CheckedAt is not { } at || at < run.StartedAt);
}
