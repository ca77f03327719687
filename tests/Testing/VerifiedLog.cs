using System.Net;
using System.Text;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Testing;

/// <summary>An audit log that was read whole over the API, and is what it has signed.</summary>
/// <param name="Checkpoint">What it has signed.</param>
/// <param name="Entries">Its entries, in order.</param>
public sealed record VerifiedLog(Checkpoint Checkpoint, IReadOnlyList<string> Entries)
{
    /// <summary>Reads a log.</summary>
    /// <param name="api">Whoever reads.</param>
    /// <param name="log">Which one, and by which key.</param>
    /// <param name="before">What it had signed before; null: nobody looked.</param>
    /// <exception cref="InvalidOperationException">It does not verify.</exception>
    public static async Task<VerifiedLog> ReadAsync(HttpClient api, AuditLogItem log, Checkpoint? before = null)
    {
        ArgumentNullException.ThrowIfNull(api);
        ArgumentNullException.ThrowIfNull(log);
        var root = $"/api/v1/audit/logs/{log.Id}";
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        var checkpoint = policy.Judge(SignedNote.Parse(await api.GetByteArrayAsync(new Uri($"{root}/checkpoint", UriKind.Relative)))).Checkpoint;
        var bundles = new SortedDictionary<long, byte[]>();
        var finding = await LogWalk.RunAsync(checkpoint, before, async (id, cancellationToken) =>
        {
            using var answer = await api.GetAsync(new Uri($"{root}/{id}", UriKind.Relative), cancellationToken);
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }

            var content = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellationToken);
            if (id.Level == TileId.Entries)
            {
                lock (bundles)
                {
                    bundles[id.Index] = content;
                }
            }

            return content;
        }, null, CancellationToken.None);
        return finding.Result == WalkResult.Good ? new VerifiedLog(checkpoint, [.. bundles.Values.SelectMany(Entries)]) : throw new InvalidOperationException($"{log.Origin} does not verify: {finding.Problem}");

        static List<string> Entries(byte[] bundle)
        {
            ReadOnlySpan<byte> rest = bundle;
            var entries = new List<string>();
            while (EntryBundle.TryRead(ref rest, out var entry))
            {
                entries.Add(Encoding.UTF8.GetString(entry));
            }

            return entries;
        }
    }
}
