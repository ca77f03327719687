using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.Trust;

namespace MissionControl.ClusterAgent;

/// <summary>What an enrolled agent remembers of itself.</summary>
/// <param name="Server">Call-home address.</param>
/// <param name="ClusterId">Its cluster.</param>
/// <param name="Epoch">The epoch it speaks in.</param>
/// <param name="AnchorsSha256">Digest of the anchor document it pinned.</param>
/// <param name="TrustedFirstContact">It took the anchors without checking them.</param>
/// <param name="CheckInSeconds">The interval last handed out.</param>
/// <param name="JitterPercent">Spread of the interval.</param>
/// <param name="Anchors">The anchor document as received; null when an older agent enrolled and did not keep it.</param>
/// <param name="EpochIssuedAt">When the epoch was issued; null for the first.</param>
public sealed record Enrollment(
    Uri Server, Guid ClusterId, long Epoch, string AnchorsSha256, bool TrustedFirstContact, int CheckInSeconds, int JitterPercent, byte[]? Anchors = null, DateTimeOffset? EpochIssuedAt = null);

/// <summary>The agent's identity: its key, and its enrolment once there is one.</summary>
public interface IAgentIdentity
{
    /// <summary>The P-256 key; made at first use and kept.</summary>
    ECDsa Key { get; }

    /// <summary>Public half of the Ed25519 witness key, as DER SubjectPublicKeyInfo; made at first use and kept.</summary>
    ReadOnlyMemory<byte> WitnessSpki { get; }

    /// <summary>Signs by the witness key.</summary>
    byte[] SignAsWitness(ReadOnlySpan<byte> data);

    /// <summary>Null before enrolment.</summary>
    Enrollment? Enrollment { get; set; }

    /// <summary>The key that is to follow, a copy of the caller's own. It stays the same until it has followed: whoever asks again after a lost answer asks for the same.</summary>
    ECDsa NextKey();

    /// <summary>Mission Control knows the next key: it is this identity's from now on, also after a power cut.</summary>
    void TakeNextKey();
}

/// <summary>Identity in files: key 0600, enrolment replaced atomically.</summary>
public sealed class FileIdentity : IAgentIdentity, IDisposable
{
    private const string FileName = "enrollment.json";
    private readonly string keyFile;
    private readonly string enrollmentFile;
    private readonly Ed25519Key witness;
    private Enrollment? enrollment;

    /// <summary>Loads or begins the identity in a directory.</summary>
    public FileIdentity(string directory)
    {
        DurableFile.CreateDirectory(directory);
        enrollmentFile = Path.Combine(directory, FileName);
        keyFile = Path.Combine(directory, "cluster.key.pem");
        Key = LoadOrMake(keyFile);

        var witnessFile = Path.Combine(directory, "witness.key");
        if (!File.Exists(witnessFile))
        {
            DurableFile.Write(witnessFile, Ed25519Key.NewSeed());
        }

        witness = Ed25519Key.FromSeed(File.ReadAllBytes(witnessFile));
        WitnessSpki = witness.ToSpki();
        enrollment = ReadEnrollment(directory);
    }

    /// <summary>The enrolment of a directory, looked at without making anything there; null when there is none.</summary>
    public static Enrollment? ReadEnrollment(string directory)
    {
        var file = Path.Combine(directory, FileName);
        return File.Exists(file) ? JsonSerializer.Deserialize<Enrollment>(File.ReadAllBytes(file)) : null;
    }

    /// <inheritdoc />
    public ECDsa Key { get; private set; }

    /// <inheritdoc />
    public ECDsa NextKey() => LoadOrMake(NextKeyFile);

    /// <inheritdoc />
    public void TakeNextKey()
    {
        // On disk before it is used: its first use ends the key before it, and a power cut must not bring that one back.
        DurableFile.Move(NextKeyFile, keyFile);
        var before = Key;
        Key = LoadOrMake(keyFile);
        before.Dispose();
    }

    /// <inheritdoc />
    public ReadOnlyMemory<byte> WitnessSpki { get; }

    /// <inheritdoc />
    public byte[] SignAsWitness(ReadOnlySpan<byte> data) => witness.Sign(data);

    private string NextKeyFile => Path.ChangeExtension(keyFile, ".next.pem");

    private static ECDsa LoadOrMake(string file)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(file))
        {
            key.ImportFromPem(File.ReadAllText(file));
        }
        else
        {
            DurableFile.Write(file, System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        }

        return key;
    }

    /// <inheritdoc />
    public Enrollment? Enrollment
    {
        get => enrollment;
        set
        {
            if (value is null)
            {
                File.Delete(enrollmentFile);
            }
            else
            {
                DurableFile.Write(enrollmentFile, JsonSerializer.SerializeToUtf8Bytes(value));
            }

            enrollment = value;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Key.Dispose();
        witness.Dispose();
    }
}

/// <summary>Identity that lives as long as the process, for the simulator.</summary>
public sealed class MemoryIdentity : IAgentIdentity, IDisposable
{
    // Used once, at enrolment: a seed is smaller than a key of the platform for each of a hundred thousand clusters.
    private readonly byte[] witnessSeed = Ed25519Key.NewSeed();

    private ECDsa? next;

    /// <inheritdoc />
    public ECDsa Key { get; private set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <inheritdoc />
    public ReadOnlyMemory<byte> WitnessSpki
    {
        get
        {
            using var witness = Ed25519Key.FromSeed(witnessSeed);
            return witness.ToSpki();
        }
    }

    /// <inheritdoc />
    public byte[] SignAsWitness(ReadOnlySpan<byte> data)
    {
        using var witness = Ed25519Key.FromSeed(witnessSeed);
        return witness.Sign(data);
    }

    /// <inheritdoc />
    public Enrollment? Enrollment { get; set; }

    /// <inheritdoc />
    public ECDsa NextKey() => ECDsa.Create((next ??= ECDsa.Create(ECCurve.NamedCurves.nistP256)).ExportParameters(includePrivateParameters: true));

    /// <inheritdoc />
    public void TakeNextKey()
    {
        var before = Key;
        Key = next ?? throw new InvalidOperationException("No key is to follow.");
        next = null;
        before.Dispose();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Key.Dispose();
        next?.Dispose();
    }
}
