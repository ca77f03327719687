using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MissionControl.Testing;

/// <summary>A passkey without a device: answers as an authenticator and a browser do (WebAuthn Level 3), also as they must not.</summary>
public sealed class SoftPasskey : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>What it is called by.</summary>
    public byte[] Id { get; init; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>Where the browser is.</summary>
    public string Origin { get; set; } = "https://localhost:8443";

    /// <summary>Whose domain the key is for.</summary>
    public string Domain { get; set; } = "localhost";

    /// <summary>Whether its owner was asked for finger or PIN.</summary>
    public bool IsVerified { get; set; } = true;

    /// <summary>Whether the page is within a page of another site.</summary>
    public bool IsCrossOrigin { get; set; }

    /// <summary>Whether its maker copies it to other devices.</summary>
    public bool IsSynced { get; set; }

    /// <summary>How often it signed; nought: it does not count.</summary>
    public uint Count { get; set; }

    /// <summary>Whom it signs in, as it was told.</summary>
    public string? Owner { get; set; }

    /// <summary>Answers <c>navigator.credentials.create</c>.</summary>
    public string Create(JsonNode options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Owner = options["user"]!["id"]!.GetValue<string>();
        var point = key.ExportParameters(false).Q;
        var cose = new CborWriter(CborConformanceMode.Ctap2Canonical);
        cose.WriteStartMap(5);
        cose.WriteInt32(1);
        cose.WriteInt32(2);
        cose.WriteInt32(3);
        cose.WriteInt32(-7);
        cose.WriteInt32(-1);
        cose.WriteInt32(1);
        cose.WriteInt32(-2);
        cose.WriteByteString(point.X!);
        cose.WriteInt32(-3);
        cose.WriteByteString(point.Y!);
        cose.WriteEndMap();

        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)Id.Length);
        byte[] data = [.. Data(0x40), .. new byte[16], .. length, .. Id, .. cose.Encode()];
        var attestation = new CborWriter(CborConformanceMode.Ctap2Canonical);
        attestation.WriteStartMap(3);
        attestation.WriteTextString("fmt");
        attestation.WriteTextString("none");
        attestation.WriteTextString("attStmt");
        attestation.WriteStartMap(0);
        attestation.WriteEndMap();
        attestation.WriteTextString("authData");
        attestation.WriteByteString(data);
        attestation.WriteEndMap();
        return Credential(new JsonObject
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(ClientData("webauthn.create", options)),
            ["attestationObject"] = Base64Url.EncodeToString(attestation.Encode()),
            ["transports"] = new JsonArray("internal"),
        });
    }

    /// <summary>Answers <c>navigator.credentials.get</c>.</summary>
    public string Get(JsonNode options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var client = ClientData("webauthn.get", options);
        Count += Count == 0 ? 0u : 1u;
        var data = Data(0);
        return Credential(new JsonObject
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(client),
            ["authenticatorData"] = Base64Url.EncodeToString(data),
            ["signature"] = Base64Url.EncodeToString(key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            ["userHandle"] = Owner,
        });
    }

    /// <summary>The key itself, PKCS #8, for a browser's authenticator.</summary>
    public byte[] PrivateKey() => key.ExportPkcs8PrivateKey();

    /// <summary>Whom it signs in, in bytes.</summary>
    public byte[] OwnerId() => Base64Url.DecodeFromChars(Owner);

    /// <inheritdoc />
    public void Dispose() => key.Dispose();

    private byte[] Data(byte more)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, Count);
        var flags = (byte)(0x01 | (IsVerified ? 0x04 : 0) | (IsSynced ? 0x18 : 0) | more);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Domain)), flags, .. count];
    }

    private byte[] ClientData(string type, JsonNode options) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["type"] = type, ["challenge"] = options["challenge"]!.GetValue<string>(), ["origin"] = Origin, ["crossOrigin"] = IsCrossOrigin,
    });

    private string Credential(JsonObject response) => new JsonObject
    {
        ["id"] = Base64Url.EncodeToString(Id), ["rawId"] = Base64Url.EncodeToString(Id), ["type"] = "public-key", ["clientExtensionResults"] = new JsonObject(), ["response"] = response,
    }.ToJsonString();
}
