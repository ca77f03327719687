using System.Text;
using System.Text.Json;

namespace MissionControl.Cli.Scan;

/// <summary>Says what was found: as lines while it is found and a sentence at the end, or as one JSON document.</summary>
internal sealed class ScanReport(TextWriter output, TextWriter error, bool asJson)
{
    private readonly List<Finding> findings = [];
    private readonly List<Finding> allowed = [];
    private long texts;
    private long binaries;

    public bool HasFindings => findings.Count > 0;

    public void Found(Finding finding, bool isAllowed)
    {
        (isAllowed ? allowed : findings).Add(finding);
        if (!asJson && !isAllowed)
        {
            var commit = finding.Place.Commit is { } id ? $", in commit {id[..12]}" : "";
            output.WriteLine($"{Printable.Line(finding.Place.File)}:{finding.Line}:{finding.Column}: {finding.Kind.Name} {finding.Id}{commit}");
        }
    }

    public void Scanned(bool isText) => _ = isText ? texts++ : binaries++;

    /// <summary>Something that somebody who reads the result should know.</summary>
    public void Note(string sentence) => error.WriteLine(sentence);

    public void End()
    {
        if (asJson)
        {
            output.WriteLine(Json());
            return;
        }

        var tokens = findings.DistinctBy(finding => finding.Id).Count();
        var sentence = new StringBuilder(findings.Count == 0
            ? $"No token in {Count(texts, "text")}."
            : $"{Count(tokens, "token")} in {Count(findings.Count, "place")} of {Count(texts, "text")}. Revoke what was found, then remove it.");
        if (binaries > 0)
        {
            sentence.Append($" Left out: {Count(binaries, "binary file")}.");
        }

        if (allowed.Count > 0)
        {
            sentence.Append($" Allowed by {TextScanner.AllowMarker}: {Count(allowed.Count, "place")}.");
        }

        error.WriteLine(sentence);
    }

    private string Json()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            Write(json, "findings", findings);
            Write(json, "allowed", allowed);
            json.WriteNumber("texts", texts);
            json.WriteNumber("binaries", binaries);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void Write(Utf8JsonWriter json, string name, List<Finding> list)
    {
        json.WriteStartArray(name);
        foreach (var finding in list)
        {
            json.WriteStartObject();
            json.WriteString("file", finding.Place.File);
            json.WriteNumber("line", finding.Line);
            json.WriteNumber("column", finding.Column);
            json.WriteString("kind", finding.Kind.Name);
            json.WriteString("id", finding.Id);
            json.WriteString("commit", finding.Place.Commit);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Count(long number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";
}
