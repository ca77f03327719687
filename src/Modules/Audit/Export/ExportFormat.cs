using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MissionControl.Audit.Export;

/// <summary>A format of lines: one for each entry, and none that an entry could begin or end.</summary>
/// <param name="Name">As it is asked for.</param>
/// <param name="ContentType">Of the answer.</param>
/// <param name="Write">Writes a line without its end.</param>
/// <param name="WriteDamaged">Writes the line of what is no entry any more.</param>
internal sealed record ExportFormat(string Name, string ContentType, Action<IBufferWriter<byte>, ExportedEntry> Write, Action<IBufferWriter<byte>, ExportedLeaf> WriteDamaged)
{
    private const string JsonLines = "application/x-ndjson";

    /// <summary>Text stays readable; control characters and separators of lines are escaped all the same.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static IReadOnlyList<ExportFormat> All { get; } =
    [
        new("jsonl", JsonLines, WriteJson, WriteDamagedJson), new("ocsf", JsonLines, OcsfLine.Write, OcsfLine.WriteDamaged), new("cef", "text/plain; charset=utf-8", CefLine.Write, CefLine.WriteDamaged),
    ];

    // The entry as its very bytes, so that whoever keeps the line can hash them.
    private static void WriteJson(IBufferWriter<byte> output, ExportedEntry entry)
    {
        using var json = new Utf8JsonWriter(output, Json);
        json.WriteStartObject();
        json.WritePropertyName("entry");
        json.WriteRawValue(entry.Content);
        if (entry.Erased.Count > 0)
        {
            json.WriteStartArray("erased");
            foreach (var field in entry.Erased)
            {
                json.WriteStringValue(field);
            }

            json.WriteEndArray();
        }

        json.WriteNumber("index", entry.Index);
        json.WriteString("leafHash", entry.Hash.ToString());
        json.WriteString("logId", entry.Log.Id);
        json.WriteString("origin", entry.Log.Origin);
        json.WriteStartObject("personal");
        foreach (var (field, value) in entry.Personal)
        {
            json.WriteString(field, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteDamagedJson(IBufferWriter<byte> output, ExportedLeaf leaf)
    {
        using var json = new Utf8JsonWriter(output, Json);
        json.WriteStartObject();
        json.WriteBoolean("damaged", true);
        json.WriteNumber("index", leaf.Index);
        json.WriteString("leafHash", leaf.HashText);
        json.WriteString("logId", leaf.Log.Id);
        json.WriteString("origin", leaf.Log.Origin);
        json.WriteEndObject();
    }
}
