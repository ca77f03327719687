using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Trust;

namespace MissionControl.Cli.Audit;

/// <summary>What somebody else needs to see for themselves what is wrong with a log: what it has signed, then and now, and where it shows.</summary>
internal static class Evidence
{
    // For people, too: the notes' dashes and base64 stay readable.
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes it for a log that is inconsistent. What was found before stays: a name that is taken is followed by a number.</summary>
    /// <returns>The report, which names the file.</returns>
    public static async Task<AuditReport> AddAsync(AuditReport report, string path, LogSource log, string source, TextWriter error, CancellationToken cancellationToken)
    {
        if (report.Verdict != Verdict.Inconsistent)
        {
            return report;
        }

        var fork = await ForkProof.FindAsync(log, report, cancellationToken);
        var content = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                version = 1,
                source,
                foundAt = TimeProvider.System.GetUtcNow(),
                problem = report.Problem,
                tile = report.Found?.Tile?.ToString(),
                index = report.Found?.Index,
                previousCheckpoint = report.Before?.Text,
                checkpoint = report.Now?.Text,
                fork = Form(fork),
                anchor = report.Anchor is not { } anchor ? null : new
                {
                    proof = anchor.Proof?.ToString(),
                    fleetProof = anchor.FleetProof?.ToString(),
                    entry = anchor.Epoch?.ToBytes(),
                    inclusion = anchor.Inclusion?.Select(hash => hash.ToString()),
                    previousCheckpoint = anchor.AnchorBefore?.Text,
                    checkpoint = anchor.Anchor?.Text,
                    fork = Form(anchor.Fork),
                    previousFleetCheckpoint = anchor.FleetBefore?.Text,
                    fleetCheckpoint = anchor.Fleet?.Text,
                    registrations = anchor.Registrations,
                },
                content = report.Found?.Content?.ToArray(),
                hashes = report.Found?.Beside?.ToArray(),
            },
            Readable);
        try
        {
            var free = path;
            for (var number = 2; !OnceFile.TryWrite(free, content); number++)
            {
                free = string.Create(CultureInfo.InvariantCulture, $"{Path.ChangeExtension(path, null)}-{number}{Path.GetExtension(path)}");
            }

            return report with { Evidence = free };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(Printable.Line($"The evidence cannot be written: {exception.Message}"));
            return report; // The verdict stands.
        }
    }

    private static object? Form(ForkProof? fork) => fork is null ? null : new { size = fork.Size, root = fork.Root.ToString(), consistency = fork.Hashes.Select(hash => hash.ToString()) };
}
