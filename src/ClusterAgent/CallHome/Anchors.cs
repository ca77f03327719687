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
        var document = Read(envelope);
        return SignedBy(document, envelope, document);
    }

    /// <summary>Checks a newer document: a root that the held one names must have signed it, and it must be the newer of the two.</summary>
    /// <exception cref="CryptographicException">It is not; the held one stays in force.</exception>
    public static AnchorDocument Renew(ReadOnlySpan<byte> held, ReadOnlySpan<byte> newer)
    {
        var (pinned, document) = (Read(held), Read(newer));
        return document.Version > pinned.Version
            ? SignedBy(pinned, newer, document)
            : throw new CryptographicException($"Anchor document {document.Version} is not newer than {pinned.Version}, which is held.");
    }

    /// <summary>The newer of the held document and one that was carried here, which may be older by now.</summary>
    /// <exception cref="CryptographicException">The carried one is newer, and no root of the held one signed it.</exception>
    public static AnchorDocument Newer(ReadOnlySpan<byte> held, ReadOnlySpan<byte> carried) => Read(carried).Version > Read(held).Version ? Renew(held, carried) : Verify(held);

    /// <summary>The number of a document that was verified before; 0 when there is none.</summary>
    public static long VersionOf(byte[]? envelope) => envelope is null ? 0 : Read(envelope).Version;

    /// <summary>The keys that a document names for a use, by id. Looked up, not gathered: it may name a key twice, or keys that cannot be read here.</summary>
    public static Func<string, VerificationKey?> KeysFor(AnchorDocument document, string use) =>
        kid => document.Keys.FirstOrDefault(key => key.Kid == kid && key.Uses.Contains(use)) is { } key ? VerificationKey.FromSpki(key.Spki) : null;

    private static AnchorDocument Read(ReadOnlySpan<byte> envelope)
    {
        try
        {
            using var outer = JsonDocument.Parse(envelope.ToArray());
            return AnchorDocument.Parse(Convert.FromBase64String(outer.RootElement.GetProperty("payload").GetString()!));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or KeyNotFoundException or ArgumentNullException or InvalidOperationException)
        {
            throw new CryptographicException("The anchor document cannot be read.", exception);
        }
    }

    private static AnchorDocument SignedBy(AnchorDocument trusted, ReadOnlySpan<byte> envelope, AnchorDocument document)
    {
        return Dsse.TryVerify(envelope, AnchorDocument.PayloadType, KeysFor(trusted, "root"), out _, out var error)
            ? document
            : throw new CryptographicException($"The anchor document is not signed by its root: {error}");
    }
}
