using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Export;

/// <summary><c>GET /api/v1/audit/logs/{id}/export</c>: the signed entries of a log as lines for a SIEM, from any of them on.</summary>
internal static class ExportApi
{
    /// <summary>Where to go on: the index behind the last line.</summary>
    public const string NextHeader = "MC-Next-Index";

    private const int ReadAtOnce = 64;
    private const int SendAtOnce = 64 * 1024;

    public static void Map(RouteGroupBuilder one) => one.MapGet("/export", GetAsync).RequireScope("audit:read")
        // A look of its own: names and addresses leave with it, and somebody may have read the checkpoint before.
        .Shows("log-export", static (ControlPlaneDbContext db, Guid id) => db.Set<Log>().Where(row => row.Id == id).Select(row => row.CustomerId))
        .WithName("ExportAuditLog")
        .WithSummary("Signed entries of a log as lines for a SIEM, from entry `from` on: `format` is jsonl, ocsf or cef; the header MC-Next-Index says where to go on").Produces<string>(contentType: LogsApi.PlainText);

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, HttpContext http, string? format, long? from, int? limit, CancellationToken cancellationToken)
    {
        // The anchor's entries are epochs, and nobody did them.
        if (await LogsApi.Seen(db).SingleOrDefaultAsync(row => row.Id == id && row.Kind != AnchorLog.Kind, cancellationToken) is not { } log)
        {
            return Problems.NotFound();
        }

        if (ExportFormat.All.SingleOrDefault(one => one.Name == (format ?? "jsonl")) is not { } wanted)
        {
            var known = string.Join(", ", ExportFormat.All.Select(one => one.Name));
            return Problems.Of(ProblemCodes.UnknownParameter, $"format is one of {known}.", [new FieldError("format", "unknown-value", $"One of {known}.")]);
        }

        // What is not signed yet can be proven to nobody. Behind that there is nothing: whoever got farther saw another log than this one.
        var signed = await LogCheckpoint.SignedAsync(db, id, cancellationToken);
        var minimum = await LogMinimum.OfAsync(db, id, cancellationToken);
        var first = from ?? minimum;
        if (first < 0 || first > signed)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, string.Create(CultureInfo.InvariantCulture, $"The log has {signed} signed entries: from is 0 to {signed}."), [new FieldError("from", "invalid-value", "Within the signed log.")]);
        }

        if (first < minimum)
        {
            return (await LogsApi.PrunedAsync(db, id, first, cancellationToken))!;
        }

        var most = limit ?? QueryParameters.MaxLimit;
        var end = Math.Min(signed, first + most);
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers[NextHeader] = end.ToString(CultureInfo.InvariantCulture);
        http.Response.Headers.Link = string.Create(CultureInfo.InvariantCulture, $"</api/v1/audit/logs/{id}/export?format={wanted.Name}&from={end}&limit={most}>; rel=\"next\"");
        return TypedResults.Stream(stream => WriteAsync(stream, db, log, wanted, first, end, http.RequestAborted), wanted.ContentType);
    }

    private static async Task WriteAsync(Stream output, ControlPlaneDbContext db, Log log, ExportFormat format, long first, long end, CancellationToken cancellationToken)
    {
        var (lines, line) = (new ArrayBufferWriter<byte>(SendAtOnce), new ArrayBufferWriter<byte>());
        for (var from = first; from < end; from += ReadAtOnce)
        {
            var leaves = await ExportedEntry.ReadAsync(db, log, db.Scope.IsAll ? null : db.Scope.CustomerId, from, Math.Min(end, from + ReadAtOnce), cancellationToken);
            if (await LogMinimum.OfAsync(db, log.Id, cancellationToken) > from)
            {
                // Nothing of it is damaged: whoever asks again is told.
                throw new IOException("The entries were pruned while they were read.");
            }

            foreach (var leaf in leaves)
            {
                line.ResetWrittenCount();
                leaf.Write(line, format);
                lines.Write(line.WrittenSpan);
                lines.Write("\n"u8);
                if (lines.WrittenCount >= SendAtOnce)
                {
                    await output.WriteAsync(lines.WrittenMemory, cancellationToken);
                    lines.ResetWrittenCount();
                }
            }
        }

        await output.WriteAsync(lines.WrittenMemory, cancellationToken);
    }
}
