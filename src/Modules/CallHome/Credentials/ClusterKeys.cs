using System.Security.Cryptography;
using System.Text;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Credentials;

/// <summary>Reads cluster keys and builds what their proofs of possession sign.</summary>
internal static class ClusterKeys
{
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

    /// <summary>What an enrolling key signs: bound to the token, so that a proof cannot be replayed with another one.</summary>
    public static byte[] EnrollmentProof(string token, ReadOnlySpan<byte> spki) =>
        [.. "mc-enroll-v1\n"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(token)), .. spki];

    /// <summary>What a new key signs: bound to the cluster.</summary>
    public static byte[] RotationProof(Guid clusterId, ReadOnlySpan<byte> spki) =>
        [.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(clusterId.ToString("D")), .. spki];
}
