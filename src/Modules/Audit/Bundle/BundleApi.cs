using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Bundle;

/// <summary><c>GET /api/v1/audit/logs/{id}/bundle</c>: a log, or a part of it, in one file that proves itself to whoever has the log's key.</summary>
internal static class BundleApi
{
    private const string Zip = "application/zip";

    public static void Map(RouteGroupBuilder one) => one.MapGet("/bundle", GetAsync).RequireScope("audit:read").WithName("GetAuditLogBundle")
        .WithSummary("A log, or from entry `from` to the first checkpoint of `to` entries, in one file that proves itself (ZIP of C2SP tlog-tiles)").Produces(StatusCodes.Status200OK, contentType: Zip);

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, LogKey key, BlindingKey blinding, SlotTrees trees, IOptions<AuditOptions> options, HttpContext http, long? from, long? to, CancellationToken cancellationToken)
    {
        if (await LogsApi.Seen(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } log)
        {
            return Problems.NotFound();
        }

        // What binds the log first, and its checkpoint then: so that has come at least as far as what is bound.
        var bound = log.Kind == AnchorLog.Kind ? null : await BoundLog.ReadAsync(db, id, blinding, trees, options.Value.BundleEntries, cancellationToken);
        var notes = db.Set<LogCheckpoint>().AsNoTracking().Where(row => row.LogId == id);
        if (await notes.MaxAsync(row => (long?)row.Size, cancellationToken) is not { } newest)
        {
            // It is signed within a second.
            return Problems.NotFound();
        }

        if (from is < 0 || from >= newest || to is < 1 || to > newest || from >= to)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, string.Create(CultureInfo.InvariantCulture, $"The log has {newest} signed entries: from is the first one that is wanted, 0 to {newest - 1}, and to the one before which the part may end, more than from and at most {newest}."), [new FieldError(from is < 0 || from >= newest ? "from" : "to", "invalid-value", "Within the signed log, from before to.")]);
        }

        var minimum = await LogMinimum.OfAsync(db, id, cancellationToken);
        if (await LogsApi.PrunedAsync(db, id, from ?? (to <= minimum ? 0 : minimum), cancellationToken) is { } pruned)
        {
            return pruned;
        }

        // Only what was signed once can be proven without the rest.
        var (first, wanted) = ((from ?? minimum) / TileId.FullWidth * TileId.FullWidth, to ?? newest);
        var size = await notes.Where(row => row.Size >= wanted).MinAsync(row => row.Size, cancellationToken);
        if (await TooLargeAsync(db, notes, id, first, size, options.Value.BundleEntries, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        // With the words of those who have seen that very one, and beside it what enough have seen, where that is earlier.
        var note = await NoteAsync(db, id, size, cancellationToken);
        var seen = await Witnessed.SizeAsync(db, id, await Witnessed.QuorumAsync(db, id, options.Value, cancellationToken), cancellationToken);
        var keys = key.KeysOf(log.Origin, note);
        var bundle = new LogBundle(db, log, keys, note, first, size, bound is { } one && one.Size <= size ? bound : null)
        {
            Policy = await Witnessed.PolicyAsync(db, log, keys, options.Value, cancellationToken),
            Minimum = minimum,
            Witnessed = seen > 0 && seen < size ? await NoteAsync(db, id, seen, cancellationToken) : null,
        };
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Stream(stream => bundle.WriteAsync(stream, http.RequestAborted), Zip, string.Create(CultureInfo.InvariantCulture, $"audit-log-{id:N}-{first}-{size}.zip"));
    }

    private static async Task<SignedNote> NoteAsync(ControlPlaneDbContext db, Guid id, long size, CancellationToken cancellationToken) =>
        SignedNote.Parse(Encoding.UTF8.GetBytes((await Witnessed.OfSizeAsync(db, id, size, cancellationToken))!));

    private static async Task<IResult?> TooLargeAsync(ControlPlaneDbContext db, IQueryable<LogCheckpoint> notes, Guid id, long first, long size, int mostEntries, CancellationToken cancellationToken)
    {
        var most = size - first;
        if (most > mostEntries)
        {
            most = mostEntries;
        }
        else if (await db.Set<LogLeaf>().Where(row => row.LogId == id && row.Position >= first && row.Position < size).SumAsync(row => (long)row.Content.Length, cancellationToken) is var bytes && bytes > LogBundle.MostBytes)
        {
            // By what its entries have on average; where that was too much again, the next answer says less.
            most = Math.Max(1, (long)(most * (double)LogBundle.MostBytes / bytes));
        }
        else
        {
            return null;
        }

        var end = first + most;
        var ends = await notes.Where(row => row.Size > first && row.Size <= end).MaxAsync(row => (long?)row.Size, cancellationToken);
        return Problems.Of(ProblemCodes.UnknownParameter, string.Create(CultureInfo.InvariantCulture, $"From entry {first} to {size} it would be too large: a bundle has {mostEntries} entries and {LogBundle.MostBytes >> 20} MiB of them at most. ")
            + (ends is { } good ? string.Create(CultureInfo.InvariantCulture, $"Ask for parts: the first one is ?from={first}&to={good}, and the next one begins at {good}.") : "No checkpoint ends within that; mc audit mirror reads logs of any size."), [new FieldError("to", "too-many", "Ask for a smaller part.")]);
    }
}
