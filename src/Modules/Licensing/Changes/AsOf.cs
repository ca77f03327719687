using System.Globalization;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Changes;

/// <summary>The parameter <c>asOf</c>: an instant, or a number of the stream.</summary>
internal static class AsOf
{
    /// <summary>Reads it.</summary>
    /// <param name="text">An RFC 3339 instant with its offset, or a whole number; null: now.</param>
    /// <param name="db">The context.</param>
    /// <param name="now">The clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Where in the stream, with the instant up to which hours were due then; null: now. Or what is wrong.</returns>
    public static async Task<(ChangeStream.Position? Then, FieldError? Error)> ReadAsync(string? text, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (text is null)
        {
            return (null, null);
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
        {
            var newest = await ChangeStream.ReadAsync(db, cancellationToken);
            return seq <= newest.Seq ? (new ChangeStream.Position(seq, await ChangeStream.InstantAsync(db, seq, cancellationToken)), null) : (null, new FieldError("asOf", "out-of-range", $"The newest number is {newest.Seq}."));
        }

        // Without an offset an instant would be the server's own.
        if (!text.EndsWith('Z') || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed))
        {
            return (null, new FieldError("asOf", "not-an-instant", "asOf is an instant such as 2026-03-01T12:00:00Z, or a number such as a watermark."));
        }

        // Instants are stored in whole milliseconds.
        var instant = DateTimeOffset.FromUnixTimeMilliseconds(parsed.ToUnixTimeMilliseconds());
        return instant <= now ? (new ChangeStream.Position(await ChangeStream.AtAsync(db, instant, cancellationToken), instant), null) : (null, new FieldError("asOf", "out-of-range", "asOf lies in the future."));
    }
}
