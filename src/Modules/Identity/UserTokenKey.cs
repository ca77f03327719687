using MissionControl.Platform.Data;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Identity;

/// <summary>The key that signs user tokens; its public half goes to every role by message.</summary>
internal sealed class UserTokenKey(DataDirectory data) : IDisposable
{
    public EcdsaSigner Signer { get; } = EcdsaSigner.LoadOrCreate(data.PathOf("keys/user-token.pem"));

    public void Dispose() => Signer.Dispose();
}
