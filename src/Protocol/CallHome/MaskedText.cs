using System.Text.RegularExpressions;

namespace MissionControl.Protocol.CallHome;

/// <summary>How masked values look: the agent writes these forms, and whoever shows what was sent tells them by it.</summary>
public static partial class MaskedText
{
    /// <summary>Bytes of a digest.</summary>
    private const int Length = 6;

    /// <summary>A digest in place of a name.</summary>
    /// <param name="kind">What it names: node, disk, issuer, gateway, or a dimension of usage.</param>
    /// <param name="hash">At least 6 bytes of a keyed hash.</param>
    public static string Digest(string kind, ReadOnlySpan<byte> hash) => $"{kind}-{Convert.ToHexStringLower(hash[..Length])}";

    /// <summary>How a value was masked: digest, cleaned, or null when it does not look masked.</summary>
    /// <param name="value">The value.</param>
    /// <param name="field">The field it stands in.</param>
    public static string? FormOf(string value, string? field = null)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (Cleaned().IsMatch(value))
        {
            return "cleaned";
        }

        // An id that the product gave may end in digits as well: only what the agent names so counts.
        return DigestForm().Match(value) is { Success: true } match && match.Groups[1].Value is var kind && (kind is "node" or "disk" or "issuer" or "gateway" || (kind == field && field != "env")) ? "digest" : null;
    }

    [GeneratedRegex("^(.+)-[0-9a-f]{12}$", RegexOptions.Singleline)]
    private static partial Regex DigestForm();

    [GeneratedRegex(@"\[(?:token|mail|url|user|address|host)\]")]
    private static partial Regex Cleaned();
}
