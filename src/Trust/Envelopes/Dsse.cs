using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.Trust.Envelopes;

/// <summary>What a verified envelope holds.</summary>
/// <param name="Payload">The exact bytes that were signed.</param>
/// <param name="KeyId">The key that signed them.</param>
/// <param name="Signature">The signature: with payload, type and key all that is needed to verify again.</param>
public sealed record DsseVerified(byte[] Payload, string KeyId, byte[] Signature);

/// <summary>
/// Signed documents: DSSE envelopes (Dead Simple Signing Envelope, protocol v1). What is signed is
/// <c>"DSSEv1" SP len(type) SP type SP len(payload) SP payload</c>, so a document of one type never passes as another.
/// </summary>
public static class Dsse
{
    /// <summary>Largest envelope that is looked at, unless the caller allows another size, in bytes.</summary>
    public const int DefaultMaxBytes = 2 * 1024 * 1024;

    /// <summary>Signs a payload and writes the envelope.</summary>
    public static byte[] Sign(string payloadType, ReadOnlySpan<byte> payload, ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var signature = signer.Sign(PreAuthentication(payloadType, payload));
        return JsonSerializer.SerializeToUtf8Bytes(
            new Envelope(payloadType, Convert.ToBase64String(payload), [new Signature(signer.KeyId, Convert.ToBase64String(signature))]), StrictJson.Options);
    }

    /// <summary>Verifies an envelope as received. Never throws on bad input.</summary>
    /// <param name="envelope">The received bytes.</param>
    /// <param name="expectedPayloadType">The only type that counts.</param>
    /// <param name="keys">Looks a key up by its id; null when it is not trusted for this type.</param>
    /// <param name="verified">The payload, when true is returned.</param>
    /// <param name="error">Why not, otherwise.</param>
    /// <param name="maxBytes">Larger envelopes are refused unread.</param>
    public static bool TryVerify(
        ReadOnlySpan<byte> envelope, string expectedPayloadType, Func<string, VerificationKey?> keys, out DsseVerified verified, out string? error, int maxBytes = DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(keys);
        verified = null!;
        if (envelope.Length > maxBytes)
        {
            error = $"The envelope has {envelope.Length} bytes; at most {maxBytes} are taken.";
            return false;
        }

        Envelope? read;
        try
        {
            read = JsonSerializer.Deserialize<Envelope>(envelope, StrictJson.Options);
        }
        catch (JsonException exception)
        {
            error = $"The envelope is not DSSE JSON: {exception.Message}";
            return false;
        }

        if (read?.PayloadType != expectedPayloadType)
        {
            error = $"The payload type must be {expectedPayloadType}.";
            return false;
        }

        if (read.Signatures is not { Count: 1 } || read.Signatures[0] is not { } signature || !TryBase64(read.Payload, out var payload) || !TryBase64(signature.Sig, out var bytes))
        {
            error = "The envelope needs a base64 payload and exactly one base64 signature.";
            return false;
        }

        if (keys(signature.KeyId) is not { } key || key.KeyId != signature.KeyId)
        {
            error = $"Key '{signature.KeyId}' is not trusted here.";
            return false;
        }

        if (!key.Verify(PreAuthentication(expectedPayloadType, payload), bytes))
        {
            error = "The signature does not fit the payload.";
            return false;
        }

        verified = new DsseVerified(payload, signature.KeyId, bytes);
        error = null;
        return true;
    }

    private static byte[] PreAuthentication(string payloadType, ReadOnlySpan<byte> payload)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {Encoding.UTF8.GetByteCount(payloadType)} {payloadType} {payload.Length} "));
        return [.. head, .. payload];
    }

    // Only the canonical encoding counts: two texts for one payload would be two digests for one document.
    private static bool TryBase64(string? text, out byte[] bytes)
    {
        bytes = [];
        if (text is null)
        {
            return false;
        }

        var buffer = new byte[((text.Length / 4) + 1) * 3];
        if (!Convert.TryFromBase64String(text, buffer, out var length) || Convert.ToBase64String(buffer, 0, length) != text)
        {
            return false;
        }

        bytes = buffer[..length];
        return true;
    }

    private sealed record Envelope(string PayloadType, string Payload, IReadOnlyList<Signature> Signatures);

    private sealed record Signature([property: JsonPropertyName("keyid")] string KeyId, string Sig);
}
