using System.Buffers;
using System.Text.Json;
using MissionControl.Audit.Logs;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Export;

/// <summary>What the database has at a place of a log.</summary>
/// <param name="Log">The log.</param>
/// <param name="Index">The place.</param>
/// <param name="Content">The entry's bytes; null: there are none.</param>
/// <param name="Hash">The hash that stands beside them; null: there is none.</param>
/// <param name="Kept">What is kept of persons; null: the reader may not see that.</param>
internal sealed record ExportedLeaf(Log Log, long Index, byte[]? Content, byte[]? Hash, IReadOnlyList<PersonalValue>? Kept)
{
    /// <summary>Type of the line that stands in the place of an entry that cannot be proven.</summary>
    public const string DamagedType = "audit.entry-damaged";

    /// <summary>The hash as lines have it.</summary>
    public string? HashText => Hash is null ? null : Convert.ToBase64String(Hash);

    /// <summary>
    /// Writes its line without its end. What is not there, not what was hashed, or no entry gets a line that says so and has nothing of
    /// it: nothing that cannot be proven goes out, and what stands behind it does.
    /// </summary>
    /// <param name="output">An empty one.</param>
    /// <param name="format">The format.</param>
    public void Write(ArrayBufferWriter<byte> output, ExportFormat format)
    {
        // The hash stands below what was signed; whoever verifies the log finds which of the two was changed.
        if (Content is not null && Hash is not null && TreeHash.OfLeaf(Content).Span.SequenceEqual(Hash))
        {
            try
            {
                format.Write(output, new ExportedEntry(Log, Index, Content, Kept));
                return;
            }
            catch (Exception exception) when (exception is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
            {
                output.ResetWrittenCount();
            }
        }

        format.WriteDamaged(output, this);
    }
}
