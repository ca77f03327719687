using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MissionControl.Audit.Export;

/// <summary>
/// An entry as CEF. Backslash and pipe are escaped in the header, backslash, <c>=</c> and ends of lines in what follows. CEF has no
/// escape for other characters that some readers end a line at, or that steer a terminal: these are written as JSON would,
/// <c>\u2028</c>, as text.
/// </summary>
internal static class CefLine
{
    private const char LineSeparator = '\u2028';
    private const char ParagraphSeparator = '\u2029';

    /// <summary>Severities of OCSF as CEF has them: 0 to 10.</summary>
    private static readonly int[] Severities = [0, 3, 4, 6, 8];

    public static void Write(IBufferWriter<byte> output, ExportedEntry entry)
    {
        var (type, target, actor) = (entry.Type, entry.Target, entry.Actor);
        var line = new StringBuilder("CEF:0|Mission Control|Mission Control|1|");
        Header(line, type);
        line.Append('|');
        Header(line, type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..].Replace('-', ' '));
        line.Append(CultureInfo.InvariantCulture, $"|{Severities[OcsfType.SeverityOf(type, entry.Outcome)]}|");

        var isFirst = true;
        Add("externalId", entry.EventId);
        Labelled("cn1", "logIndex", entry.Index.ToString(CultureInfo.InvariantCulture));
        Labelled("cs1", "leafHash", entry.Hash.ToString());
        Labelled("cs2", "tenant", ExportedEntry.Text(entry.Entry, "customerId"));
        Labelled("cs3", "logOrigin", entry.Log.Origin);
        Labelled("cs4", "cluster", ExportedEntry.Text(entry.Entry, "clusterId"));
        Labelled("cs5", "target", $"{ExportedEntry.Text(target, "type")} {ExportedEntry.Text(target, "id")}");
        Labelled("cs6", "ticket", ExportedEntry.Text(entry.Told, "ticket"));
        Add("rt", Number(ExportedEntry.Milliseconds(entry.Told, "recordedAt")));
        Add("start", Number(ExportedEntry.Milliseconds(entry.Told, "occurredAt")));
        Add("cat", type[..Math.Max(0, type.IndexOf('.', StringComparison.Ordinal))]);
        Add("act", OcsfType.Of(type).Caption);
        Add("outcome", entry.Outcome);
        Add("suser", ExportedEntry.Text(actor, "id"));
        Add("spriv", ExportedEntry.Text(actor, "kind"));
        Add("app", ExportedEntry.Text(actor, "auth"));
        Add("duid", ExportedEntry.Text(target, "id"));
        Add("duser", entry.Named.GetValueOrDefault("email") ?? entry.Named.GetValueOrDefault("name"));
        Add("requestContext", ExportedEntry.Text(entry.Told, "requestId"));
        Add("msg", ExportedEntry.Text(entry.Told, "reason"));
        if (entry.Named.TryGetValue("address", out var address))
        {
            switch (IPAddress.TryParse(address, out var ip) ? ip.AddressFamily : AddressFamily.Unknown)
            {
                case AddressFamily.InterNetwork: Add("src", address); break;
                case AddressFamily.InterNetworkV6: Labelled("c6a2", "Source IPv6 Address", address); break;
                default: Add("shost", address); break;
            }
        }

        Encoding.UTF8.GetBytes(line.ToString(), output);

        void Labelled(string key, string label, string? value)
        {
            if (value is not null)
            {
                Add($"{key}Label", label);
                Add(key, value);
            }
        }

        void Add(string key, string? value)
        {
            if (value is null)
            {
                return;
            }

            line.Append(isFirst ? "" : " ").Append(key).Append('=');
            foreach (var character in value)
            {
                _ = character switch
                {
                    '\\' => line.Append(@"\\"),
                    '=' => line.Append(@"\="),
                    '\n' => line.Append(@"\n"),
                    '\r' => line.Append(@"\r"),
                    _ when IsUnseen(character) => line.Append(@"\\u").Append(Hex(character)),
                    _ => line.Append(character),
                };
            }

            isFirst = false;
        }
    }

    /// <summary>The line of what is no entry any more.</summary>
    public static void WriteDamaged(IBufferWriter<byte> output, ExportedLeaf leaf)
    {
        var line = new StringBuilder().Append(CultureInfo.InvariantCulture, $"CEF:0|Mission Control|Mission Control|1|{ExportedLeaf.DamagedType}|entry damaged|{Severities[^1]}|cn1Label=logIndex cn1={leaf.Index}");
        if (leaf.HashText is { } hash)
        {
            line.Append(" cs1Label=leafHash cs1=").Append(hash.Replace("=", @"\=", StringComparison.Ordinal));
        }

        line.Append(" cs3Label=logOrigin cs3=").Append(leaf.Log.Origin.Replace("=", @"\=", StringComparison.Ordinal));
        Encoding.UTF8.GetBytes(line.ToString(), output);
    }

    private static void Header(StringBuilder line, string value)
    {
        foreach (var character in value)
        {
            _ = character switch
            {
                '\\' => line.Append(@"\\"),
                '|' => line.Append(@"\|"),
                _ when IsUnseen(character) => line.Append(@"\\u").Append(Hex(character)),
                _ => line.Append(character),
            };
        }
    }

    private static bool IsUnseen(char character) => char.IsControl(character) || character is LineSeparator or ParagraphSeparator;

    private static string Hex(char character) => ((int)character).ToString("x4", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
