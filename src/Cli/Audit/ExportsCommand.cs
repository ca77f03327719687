using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MissionControl.Client;
using MissionControl.Contracts.Api.Audit;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit exports</c>: logs that Mission Control sends to systems as they grow.</summary>
internal static class ExportsCommand
{
    private const string Interrupted = "Interrupted. Whether it was done is not known: mc audit exports list.";
    private const string Unknown = "Whether it was done is not known: mc audit exports list.";

    private const string Help = """
        Have Mission Control send logs to a webhook or a syslog server of notifications as they grow, and see how far each is.

        It goes by whoever is signed in: audit:read to see them, audit:write and audit:read to have one sent. A customer has its own.

        Exit codes: 0 done; 3 the server refused, or could not be asked; 64 wrong use; 130 interrupted.

        Examples:
          mc audit exports list
          mc audit exports create --log ID --endpoint ID --format ocsf
          mc audit exports resume ID
          mc audit exports remove ID
        """;

    // Its encoder escapes every character that could steer a terminal.
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static Command Create() => new("exports", Help)
    {
        List(),
        Make(),
        Change("resume", "Send on one that stopped, from the first entry that was not taken.", "resumed", static (api, id, cancellationToken) => api.ResumeAuditExportAsync(id, cancellationToken)),
        Change("remove", "Send nothing more, call back what is on its way, and forget how far it was.", "removed", static (api, id, cancellationToken) => api.RemoveAuditExportAsync(id, cancellationToken)),
    };

    private static Command List()
    {
        var customer = new Option<Guid?>("--customer") { Description = "Only those of this customer." };
        var output = AuditCommand.Output();
        var command = new Command("list", "Say which logs are sent where, how far each is, and why one stopped.") { customer, output };
        command.SetAction((parsed, cancellationToken) => AuditCommand.AskAsync(
            parsed,
            async person =>
            {
                var exports = new List<AuditExportItem>();
                for (var query = $"?limit=500{(parsed.GetValue(customer) is { } only ? $"&customer={only}" : "")}"; query is not null;)
                {
                    var page = await person.AskAsync(api => api.ListAuditExportsAsync(query, cancellationToken), cancellationToken);
                    exports.AddRange(page.Items);
                    query = page.Next?.IndexOf('?') is >= 0 and var at ? page.Next[at..] : null;
                }

                var said = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) == "json")
                {
                    said.WriteLine(JsonSerializer.Serialize(new { version = 1, exports = exports.Select(Told) }, Form));
                }
                else if (exports.Count == 0)
                {
                    said.WriteLine("No log is sent.");
                }

                foreach (var export in parsed.GetValue(output) == "json" ? [] : exports)
                {
                    Tell(said, export);
                }

                return Verdict.Good;
            },
            "Interrupted.",
            null,
            cancellationToken));
        return command;
    }

    private static Command Make()
    {
        var log = new Option<Guid>("--log") { Description = "The log: its id, as GET /api/v1/audit/logs says.", Required = true };
        var endpoint = new Option<Guid>("--endpoint") { Description = "Where it is sent: id of a webhook or a syslog server of notifications.", Required = true };
        var customer = new Option<Guid?>("--customer") { Description = "The customer whose endpoint it is; default: your own." };
        var format = new Option<string>("--format") { Description = "What lines are.", DefaultValueFactory = _ => "jsonl" };
        format.AcceptOnlyFromAmong("jsonl", "ocsf", "cef");
        var from = new Option<long?>("--from") { Description = "The first entry; default: the first that is kept." };
        from.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() < 0)
            {
                result.AddError("--from is 0 or more.");
            }
        });
        var output = AuditCommand.Output();
        var command = new Command("create", "Have a log sent: what is signed now, and what comes.") { log, endpoint, customer, format, from, output };
        command.SetAction((parsed, cancellationToken) => AuditCommand.AskAsync(
            parsed,
            async person =>
            {
                var request = new CreateAuditExportRequest(parsed.GetValue(log), parsed.GetValue(endpoint), parsed.GetValue(customer), parsed.GetValue(format), parsed.GetValue(from));

                // A token that ends in between makes no second one.
                var once = new Precondition(Guid.CreateVersion7().ToString());
                var export = await person.AskAsync(api => api.CreateAuditExportAsync(request, once, cancellationToken), cancellationToken);
                if (parsed.GetValue(output) == "json")
                {
                    parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(new { version = 1, export = Told(export) }, Form));
                }
                else
                {
                    Tell(parsed.InvocationConfiguration.Output, export);
                }

                return Verdict.Good;
            },
            Interrupted,
            Unknown,
            cancellationToken));
        return command;
    }

    private static Command Change(string name, string help, string done, Func<MissionControlClient, Guid, CancellationToken, Task> act)
    {
        var id = new Argument<Guid>("ID") { Description = "The export." };
        var output = AuditCommand.Output();
        var command = new Command(name, help) { id, output };
        command.SetAction((parsed, cancellationToken) => AuditCommand.AskAsync(
            parsed,
            async person =>
            {
                var export = parsed.GetValue(id);
                await person.AskAsync(async api =>
                {
                    await act(api, export, cancellationToken);
                    return true;
                }, cancellationToken);
                parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(output) == "json" ? JsonSerializer.Serialize(new { version = 1, id = export, outcome = done }, Form) : $"{export} {done}");
                return Verdict.Good;
            },
            Interrupted,
            Unknown,
            cancellationToken));
        return command;
    }

    // What can be done of it is for pages.
    private static object Told(AuditExportItem export) => new
    {
        export.Id, export.LogId, export.CustomerId, export.EndpointId, export.Format, export.From, export.Next, export.SignedSize, export.State, export.Problem, export.SentAt, export.WaitingSince, export.CreatedAt,
    };

    private static void Tell(TextWriter said, AuditExportItem export)
    {
        said.WriteLine(Printable.Line(string.Create(CultureInfo.InvariantCulture, $"{export.Id} {export.State}: {export.Next} of {export.SignedSize} entries taken, {export.Format}, of log {export.LogId} to endpoint {export.EndpointId}{(export.CustomerId is { } customer ? $" of customer {customer}" : "")}")));
        if (export.Problem is { } problem)
        {
            said.WriteLine(Printable.Line($"  {problem}"));
        }
    }
}
