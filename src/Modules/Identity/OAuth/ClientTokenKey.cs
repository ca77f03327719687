using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Identity.OAuth;

/// <summary>The keys that sign access tokens of OAuth clients, and nothing else. Their public halves go to every role by message, and to everybody else as JWKS.</summary>
internal sealed class ClientTokenKey(DataDirectory data, Issuer issuer, TimeProvider time) : IDisposable
{
    private readonly SignerRing ring = new(data.PathOf("keys/client-token.pem"), time);

    public ISigner Signer => ring.Current;

    /// <summary>Those whose tokens count: the next one, which is published long before it signs, the one that signs, and the one before. A token lives ten minutes, so that no older one matters.</summary>
    public IEnumerable<EcdsaSigner> Published => ring.All.TakeLast(3);

    public ClientKeysChanged ToEvent() => new(issuer.Name, Published.ToDictionary(key => key.KeyId, key => key.PublicKeySpki), time.GetUtcNow().ToUnixTimeMilliseconds());

    public void Dispose() => ring.Dispose();
}
