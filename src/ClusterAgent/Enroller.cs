using System.Security.Cryptography;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Log;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent;

/// <summary>Trades a one-time token for an enrolment, over a connection or by two files.</summary>
public sealed class Enroller(IAgentIdentity identity, IClusterSource source, CallHomeClient client, CounterLog? log = null)
{
    /// <summary>Enrols. The anchors must have the digest that a person carried here, unless first contact is trusted, which both sides record.</summary>
    /// <exception cref="CryptographicException">The anchors are not the expected ones: nothing is kept.</exception>
    public async Task EnrollAsync(Uri server, string token, string? anchorsSha256, bool trustFirstContact, CancellationToken cancellationToken)
    {
        if (anchorsSha256 is null && !trustFirstContact)
        {
            throw new ArgumentException("Give the anchors' digest, or say that first contact is trusted.", nameof(anchorsSha256));
        }

        await source.RefreshAsync(cancellationToken);
        Enrolled(server, await client.EnrollAsync(token, source.Facts(), anchorsSha256 is null, cancellationToken), anchorsSha256);
    }

    /// <summary>What enrols, for somebody to carry who can reach Mission Control.</summary>
    public async Task<EnrollRequest> RequestEnrollmentAsync(string token, CancellationToken cancellationToken)
    {
        await source.RefreshAsync(cancellationToken);
        return client.EnrollmentRequest(token, source.Facts(), trustedFirstContact: false);
    }

    /// <summary>Takes what enrolment answered. Without the digest it must have come over a connection that is trusted for this once.</summary>
    /// <exception cref="CryptographicException">The anchors are not the expected ones: nothing is kept.</exception>
    public void Enrolled(Uri server, EnrollResponse response, string? anchorsSha256)
    {
        ArgumentNullException.ThrowIfNull(response);
        var digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(response.Anchors.Span))}";
        if (anchorsSha256 is not null && !string.Equals(anchorsSha256, digest, StringComparison.OrdinalIgnoreCase))
        {
            throw new CryptographicException($"The anchors have {digest}, expected {anchorsSha256}. Something stands between this machine and Mission Control, or the token is of another installation.");
        }

        Anchors.Verify(response.Anchors.Span);
        if (log?.Enrolled(Guid.Parse(response.ClusterId), response.Epoch, KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo()), digest, client.ServerNow) == false)
        {
            throw new IOException(log.Problem);
        }

        identity.Enrollment = new Enrollment(server, Guid.Parse(response.ClusterId), response.Epoch, digest, anchorsSha256 is null, response.Intervals.CheckinS, response.Intervals.JitterPercent, response.Anchors.ToByteArray(),
            response.EpochIssuedMs > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(response.EpochIssuedMs) : null);
    }
}
