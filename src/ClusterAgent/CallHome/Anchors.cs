using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>Checks the anchor document: it must be signed by the root key that it names.</summary>
internal static class Anchors
{
    /// <exception cref="CryptographicException">It is not a document of a root.</exception>
    public static AnchorDocument Verify(ReadOnlySpan<byte> envelope)
    {
        // The digest a person carried covers the whole envelope, so its own root may speak for it.
        AnchorDocument? document = null;
        try
        {
            using var outer = JsonDocument.Parse(envelope.ToArray());
            document = AnchorDocument.Parse(Convert.FromBase64String(outer.RootElement.GetProperty("payload").GetString()!));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or KeyNotFoundException or ArgumentNullException)
        {
            throw new CryptographicException("The anchor document cannot be read.", exception);
        }

        var roots = document.Keys.Where(key => key.Uses.Contains("root")).ToDictionary(key => key.Kid, key => VerificationKey.FromSpki(key.Spki), StringComparer.Ordinal);
        return Dsse.TryVerify(envelope, AnchorDocument.PayloadType, roots.GetValueOrDefault, out _, out var error)
            ? document
            : throw new CryptographicException($"The anchor document is not signed by its root: {error}");
    }
}
