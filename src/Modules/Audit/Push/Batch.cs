using System.Buffers;
using System.Text.Json;
using MissionControl.Audit.Export;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Push;

/// <summary>Entries of a log, one behind the other, on their way to a system.</summary>
/// <param name="Lines">A line for each, as the format has it, without its end.</param>
/// <param name="End">The index behind the last.</param>
/// <param name="LastHash">Hash of the last.</param>
internal sealed record Batch(IReadOnlyList<byte[]> Lines, long End, byte[]? LastHash)
{
    /// <summary>Type of the event that carries one.</summary>
    public const string EventType = "missioncontrol.audit.entries";

    private const int MostEntries = 250;
    private const int MostBytes = 256 * 1024;

    /// <summary>
    /// No line is longer, so that every batch can be delivered. An entry has at most 64 KiB and is a quarter of this in any format; what
    /// is kept beside it has no such bound.
    /// </summary>
    private const int LongestLine = 512 * 1024;

    /// <summary>Reads what comes next of an export; null: the log does not go on from what was sent. Of what was sent and pruned since nothing can be seen.</summary>
    public static async Task<Batch?> ReadAsync(ControlPlaneDbContext db, Log log, PushedExport export, long minimum, long signed, CancellationToken cancellationToken)
    {
        var format = ExportFormat.All.Single(one => one.Name == export.Format);
        var next = export.NextIndex;
        IReadOnlyList<ExportedLeaf> leaves = await ExportedEntry.ReadAsync(db, log, export.CustomerId, export.LastHash is null || next == minimum ? next : next - 1, Math.Min(signed, next + MostEntries), cancellationToken);
        if (export.LastHash is { } last && next > minimum)
        {
            if (leaves[0].Hash is not { } hash || !hash.AsSpan().SequenceEqual(last))
            {
                return null;
            }

            leaves = [.. leaves.Skip(1)];
        }

        var (lines, bytes, line) = (new List<byte[]>(), 0, new ArrayBufferWriter<byte>());
        foreach (var leaf in leaves)
        {
            line.ResetWrittenCount();
            leaf.Write(line, format);
            if (line.WrittenCount > LongestLine)
            {
                line.ResetWrittenCount();
                (leaf with { Kept = null }).Write(line, format);
            }

            bytes += line.WrittenCount;
            if (lines.Count > 0 && bytes > MostBytes)
            {
                break;
            }

            lines.Add(line.WrittenSpan.ToArray());
        }

        return new Batch(lines, next + lines.Count, leaves[lines.Count - 1].Hash is { Length: TreeHash.Size } end ? end : null);
    }

    /// <summary>As it is sent: JSON lines as what they are, others as text.</summary>
    public byte[] ToCloudEvent(Guid id, PushedExport export, DateTimeOffset now)
    {
        var output = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(output, ExportFormat.Json);
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", id);
        json.WriteString("source", $"/audit/logs/{export.LogId}");
        json.WriteString("type", EventType);
        json.WriteString("time", now.UtcDateTime);
        json.WriteString("datacontenttype", "application/json");
        json.WriteStartObject("data");
        json.WriteString("exportId", export.Id);
        json.WriteString("logId", export.LogId);
        json.WriteString("origin", export.Origin);
        json.WriteString("format", export.Format);
        json.WriteNumber("first", export.NextIndex);
        json.WriteNumber("next", End);
        json.WriteStartArray("lines");
        foreach (var line in Lines)
        {
            if (export.Format == "cef")
            {
                json.WriteStringValue(line);
            }
            else
            {
                json.WriteRawValue(line);
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
