using System.Security.Cryptography;
using System.Text;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Credentials;

/// <summary>Reads cluster keys and builds what their proofs of possession sign.</summary>
internal static class ClusterKeys
{
    private const int MaxFurtherKeys = 4;

    public static bool TryRead(ReadOnlySpan<byte> spki, out VerificationKey key)
    {
        try
        {
            key = VerificationKey.FromSpki(spki);
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            key = null!;
            return false;
        }
    }

    /// <summary>What is wrong with the further keys of an enrolment, in words; null when they are taken.</summary>
    public static string? MistakeIn(IReadOnlyList<KeyInfo> keys)
    {
        if (keys.Count > MaxFurtherKeys || keys.Select(key => key.Use).Distinct().Count() != keys.Count)
        {
            return $"There may be {MaxFurtherKeys} further keys at most, one for each use.";
        }

        foreach (var key in keys)
        {
            if (key.Use != "witness" || key.Alg != "Ed25519" || !Ed25519Key.TryFromSpki(key.Spki.Span, out var read))
            {
                return "A further key is of use witness: an Ed25519 key as DER SubjectPublicKeyInfo (RFC 8410).";
            }

            read.Dispose();
        }

        return null;
    }

    /// <summary>Whether each further key, which <see cref="MistakeIn"/> has read, signed the enrolment: nobody enrols a key that is not there.</summary>
    public static bool AreProven(IReadOnlyList<KeyInfo> keys, ReadOnlySpan<byte> signed)
    {
        foreach (var key in keys)
        {
            if (!Ed25519Key.TryFromSpki(key.Spki.Span, out var read))
            {
                return false;
            }

            using (read)
            {
                if (!read.Verify(signed, key.Proof.Span))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What an enrolling key signs: bound to the token, so that a proof cannot be replayed with another one.</summary>
    public static byte[] EnrollmentProof(string token, ReadOnlySpan<byte> spki) =>
        [.. "mc-enroll-v1\n"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(token)), .. spki];

    /// <summary>What a new key signs: bound to the cluster.</summary>
    public static byte[] RotationProof(Guid clusterId, ReadOnlySpan<byte> spki) =>
        [.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(clusterId.ToString("D")), .. spki];
}
