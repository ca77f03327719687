using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Identity.OAuth;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Platform.Time;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Identity;

/// <summary>The keys that sign user tokens; their public halves go to every role by message.</summary>
internal sealed class UserTokenKey(DataDirectory data, TimeProvider time) : IDisposable
{
    private readonly SignerRing ring = new(data.PathOf("keys/user-token.pem"), time);

    public ISigner Signer => ring.Current;

    /// <summary>Keys whose tokens count, the next one among them: roles know it before it signs. A token lives five minutes, so only the newest few matter.</summary>
    public UserKeysChanged ToEvent() => new(ring.All.TakeLast(3).ToDictionary(key => key.KeyId, key => key.PublicKeySpki), time.GetUtcNow().ToUnixTimeMilliseconds());

    public void Dispose() => ring.Dispose();
}

/// <summary>Tells the roles of a rotated key, long before it signs.</summary>
internal sealed class TellUserKeys(UserTokenKey key, ClientTokenKey clients) : Sweeper("identity.tell-user-keys", "identity", TimeSpan.FromSeconds(5))
{
    private string told = "";

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var message = key.ToEvent();
        var ofClients = clients.ToEvent();
        var ids = string.Join(' ', message.Keys.Keys.Concat(ofClients.Keys.Keys).Order(StringComparer.Ordinal));
        if (ids == told)
        {
            return;
        }

        var events = scope.GetRequiredService<IEvents>();
        events.Publish(message);
        events.Publish(ofClients);
        await scope.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync(cancellationToken);
        told = ids;
    }
}
