using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.Licenses;

/// <summary>A lease that was verified, and the key that signed it.</summary>
/// <param name="Lease">What it says.</param>
/// <param name="KeyId">Who signed it.</param>
public sealed record VerifiedLease(LicenseLease Lease, string KeyId)
{
    /// <summary>Verifies a lease as received: type, key of the use <c>lease</c>, form, and that it is this cluster's.</summary>
    /// <param name="envelope">The received bytes.</param>
    /// <param name="anchors">The anchor document that says who signs leases, as received.</param>
    /// <param name="cluster">This cluster.</param>
    /// <exception cref="CryptographicException">It is not to be trusted; the message says why.</exception>
    public static VerifiedLease Open(ReadOnlySpan<byte> envelope, byte[]? anchors, Guid cluster)
    {
        var trusted = Anchors.Verify(anchors ?? throw new CryptographicException("The anchors of this enrolment are not known here; licences cannot be checked."));
        if (!Dsse.TryVerify(envelope, LicenseLease.PayloadType, Anchors.KeysFor(trusted, "lease"), out var verified, out var error, LicenseLease.MaxBytes))
        {
            throw new CryptographicException($"The licence is not to be trusted: {error}");
        }

        var lease = LicenseLease.Read(verified.Payload, out var problem) ?? throw new CryptographicException($"The licence is signed and not understood: {problem}");
        return lease.Clusters.Any(one => one.Cluster == cluster.ToString("D"))
            ? new VerifiedLease(lease, verified.KeyId)
            : throw new CryptographicException($"The licence is of other clusters than {cluster}.");
    }

    /// <summary>Whether a file is a signed document of this kind, trusted or not.</summary>
    public static bool IsOne(ReadOnlySpan<byte> file)
    {
        try
        {
            var reader = new Utf8JsonReader(file);
            return JsonDocument.TryParseValue(ref reader, out var document) && document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("payloadType", out var type) && type.ValueEquals(LicenseLease.PayloadType);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <summary>What is kept of licences, all in one file, so that no part of it is newer than another.</summary>
/// <param name="Lease">The newest lease as received; null: there was none.</param>
/// <param name="Anchors">The anchor document that it was verified by: a key that has been replaced since does not end it.</param>
/// <param name="HighWaterMs">The latest instant that is known to have been reached.</param>
/// <param name="ContactMs">When Mission Control was heard of last; 0: never.</param>
/// <param name="ClockFrom">The newest word of a lease that put a wrong clock right and was followed; null: there was none.</param>
internal sealed record HeldLicense(byte[]? Lease, byte[]? Anchors, long HighWaterMs, long ContactMs, string? ClockFrom = null)
{
    /// <summary>Where it lies in an agent's directory.</summary>
    public static string PathIn(string data) => Path.Combine(data, "license", "held.json");

    /// <summary>Reads it; nothing where there is nothing, or nothing that can be read.</summary>
    public static HeldLicense Read(string data)
    {
        try
        {
            return File.Exists(PathIn(data)) ? JsonSerializer.Deserialize<HeldLicense>(File.ReadAllBytes(PathIn(data))) ?? Nothing : Nothing;
        }
        catch (Exception exception) when (exception is JsonException or IOException)
        {
            return Nothing;
        }
    }

    public void Write(string data)
    {
        DurableFile.CreateDirectory(Path.GetDirectoryName(PathIn(data))!);
        DurableFile.Write(PathIn(data), JsonSerializer.SerializeToUtf8Bytes(this));
    }

    private static HeldLicense Nothing => new(null, null, 0, 0);
}
