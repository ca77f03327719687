using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using MissionControl.Platform.Telemetry;

namespace MissionControl.Host.Support;

/// <summary>
/// What is cut out of every text of a support bundle: first what the detector of our logs knows, then the secrets of this very
/// installation wherever they stand, and then what helps nobody and could be somebody's: private keys, users and passwords in addresses,
/// mail addresses, and long runs of letters and digits, since whatever wraps lines may have cut a token in two. Errs on the side of cutting.
/// </summary>
internal sealed partial class SupportMask
{
    /// <summary>Stands for whatever was cut.</summary>
    public const char Cut = '…';

    // Shorter ones stand in any text by chance.
    private const int ShortestSecret = 4;

    private readonly IReadOnlyList<string> secrets;

    /// <param name="secrets">Values that must not be read anywhere, as they stand in the configuration.</param>
    public SupportMask(IEnumerable<string> secrets) =>
        // The longest first: one may be a part of another. As they are, as JSON and addresses write them, and as the detector leaves them.
        this.secrets = [.. secrets.Select(secret => secret.Trim()).Where(secret => secret.Length >= ShortestSecret)
            .SelectMany(secret => new[] { secret, JavaScriptEncoder.Default.Encode(secret), JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret), Uri.EscapeDataString(secret) })
            .SelectMany(secret => new[] { secret, RedactingFormatter.Redact(secret) })
            .Distinct(StringComparer.Ordinal).OrderByDescending(secret => secret.Length)];

    /// <summary>Cuts a text, which is whole: what begins in it also ends in it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tokens">How many tokens the detector cut.</param>
    /// <param name="others">How many other texts were cut.</param>
    public string Apply(string text, out int tokens, out int others)
    {
        // Without them a text of two or four bytes a character, read as one of one, says what it says.
        var plain = text.Replace("\0", "", StringComparison.Ordinal);
        var detected = RedactingFormatter.Redact(plain);
        var cut = PrivateKey().Replace(detected, "…");
        foreach (var secret in secrets)
        {
            cut = cut.Replace(secret, "…", StringComparison.Ordinal);
        }

        if (cut.Contains('@', StringComparison.Ordinal))
        {
            // Most lines have none, and looking for what stands before it costs more than all else.
            cut = Mail().Replace(UserInfo().Replace(cut, "…"), "…");
        }

        cut = Opaque().Replace(cut, static run => IsOpaque(run.ValueSpan) ? "…" : run.Value);

        // Each leaves one such sign, and none goes, for no secret holds it.
        (tokens, others) = (Math.Max(0, Count(detected) - Count(plain)), Math.Max(0, Count(cut) - Count(detected)));
        return cut;
    }

    private static int Count(string text) => text.AsSpan().Count(Cut);

    // Names in code have no digit, ids no capital.
    private static bool IsOpaque(ReadOnlySpan<char> run) => run.ContainsAnyInRange('0', '9') && run.ContainsAnyInRange('a', 'z') && run.ContainsAnyInRange('A', 'Z');

    [GeneratedRegex("-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END|$)", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();

    // Up to the last @ of what could be one (RFC 3986, 3.2.1). Bounded, so that no line takes more than linear time.
    [GeneratedRegex("(?<=://)[^/\\s\"'<>]{1,256}(?=@)")]
    private static partial Regex UserInfo();

    [GeneratedRegex("[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63})+")]
    private static partial Regex Mail();

    // Base 62, as tokens are.
    [GeneratedRegex("[0-9A-Za-z]{30,}")]
    private static partial Regex Opaque();
}
