using System.Security.Cryptography;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Notifications.Endpoints;

/// <summary>The secrets that sign what webhooks are sent, sealed by <c>keys/endpoint-sealing.key</c> for the row that holds them.</summary>
internal sealed class EndpointSecrets(DataDirectory data, TimeProvider time)
{
    /// <summary>How long the secret before signs as well.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    // As Standard Webhooks recommends; its libraries know a secret by the prefix.
    private const int Size = 32;
    private const string Prefix = "whsec_";

    private readonly SecretSeal seal = new(data.PathOf("keys/endpoint-sealing.key"), "missioncontrol endpoint-secrets v1", time);

    /// <summary>Makes a secret.</summary>
    /// <param name="endpoint">Whose it is.</param>
    /// <param name="text">As it is shown once.</param>
    /// <returns>As it is kept.</returns>
    public byte[] New(Guid endpoint, out string text)
    {
        var secret = RandomNumberGenerator.GetBytes(Size);
        text = Prefix + Convert.ToBase64String(secret);
        return seal.Seal(secret, endpoint.ToString());
    }

    /// <summary>The secrets that sign now, the newest first.</summary>
    public IEnumerable<byte[]> InForce(OutboundEndpoint endpoint, DateTimeOffset now)
    {
        yield return seal.Open(endpoint.Secret, endpoint.Id.ToString());
        if (endpoint.OldSecret is { } old && endpoint.OldSecretEndsAt > now)
        {
            yield return seal.Open(old, endpoint.Id.ToString());
        }
    }
}
