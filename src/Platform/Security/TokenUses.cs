using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Security;

/// <summary>
/// Who used which API token from where, as this process saw it, told to identity by the roles that were called: when a token leaked it
/// must be known who used it since. An address that is new, or newly refused, is told at once, the rest every minute.
/// </summary>
public sealed class TokenUses : BackgroundService
{
    /// <summary>Addresses of one token that are told apart; the rest is counted together, so that whoever spreads a stolen one over a network of machines hides nobody else.</summary>
    private const int MostAddresses = 200;
    private const int MostTokens = 10_000;
    private const int InOneMessage = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<Of, ConcurrentDictionary<string, Seen>> seen = new();
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider time;

    internal TokenUses(IServiceScopeFactory scopes, TimeProvider time) => (this.scopes, this.time) = (scopes, time);

    /// <summary>Notes a call whose token had the right secret.</summary>
    public void Note(string module, string tokenId, IPAddress? address, bool accepted)
    {
        // Tokens are as many as were given out; beyond all bounds what is new is left out, since memory without end would be worse.
        var key = new Of(module, tokenId);
        if (!seen.TryGetValue(key, out var addresses) && (seen.Count >= MostTokens || (addresses = seen.GetOrAdd(key, _ => new ConcurrentDictionary<string, Seen>(StringComparer.Ordinal))) is null))
        {
            return;
        }

        var from = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "unknown";
        from = from.Length > 60 ? from[..60] : from;
        if (!addresses.TryGetValue(from, out var one))
        {
            one = addresses.GetOrAdd(addresses.Count < MostAddresses ? from : NoteTokenUses.Others, _ => new Seen());
        }

        one.Add(time.GetUtcNow(), accepted);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await TellAsync(all: stoppingToken.IsCancellationRequested);
        }
    }

    private async Task TellAsync(bool all)
    {
        var now = time.GetUtcNow();
        foreach (var (key, addresses) in seen)
        {
            foreach (var (address, one) in addresses)
            {
                if (one.IsForgotten(now))
                {
                    addresses.TryRemove(address, out _);
                }
            }

            if (addresses.IsEmpty)
            {
                seen.TryRemove(key, out _);
            }
        }

        var due = seen.SelectMany(token => token.Value.Select(address => (token.Key, Seen: address.Value, Use: address.Value.Take(token.Key.TokenId, address.Key, now, all)))).Where(one => one.Use is not null).ToList();
        foreach (var some in due.GroupBy(one => one.Key.Module).SelectMany(group => group.Chunk(InOneMessage)))
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(some[0].Key.Module);
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new NoteTokenUses(Guid.CreateVersion7(now), [.. some.Select(one => one.Use!)]));
                using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
                await db.SaveChangesAsync(soon.Token);
            }
            catch (Exception)
            {
                // The database is away, of which others tell: it is told with the next ones.
                foreach (var one in some)
                {
                    one.Seen.PutBack(one.Use!);
                }
            }
        }
    }

    private readonly record struct Of(string Module, string TokenId);

    private sealed class Seen
    {
        private readonly Lock gate = new();
        private DateTimeOffset first;
        private DateTimeOffset last;
        private DateTimeOffset told;
        private bool toldOfRefusal;
        private long accepted;
        private long refused;

        public void Add(DateTimeOffset now, bool isAccepted)
        {
            lock (gate)
            {
                (first, last) = (accepted + refused == 0 ? now : first, now);
                (accepted, refused) = isAccepted ? (accepted + 1, refused) : (accepted, refused + 1);
            }
        }

        public bool IsForgotten(DateTimeOffset now)
        {
            lock (gate)
            {
                return accepted + refused == 0 && told != default && (now - told).Duration() > 2 * AgainAfter;
            }
        }

        /// <summary>What is to be told now; null: nothing yet.</summary>
        public TokenUse? Take(string tokenId, string address, DateTimeOffset now, bool all)
        {
            lock (gate)
            {
                if (accepted + refused == 0 || !(all || told == default || (refused > 0 && !toldOfRefusal) || (now - told).Duration() >= AgainAfter))
                {
                    return null;
                }

                var use = new TokenUse(tokenId, address, first, last, accepted, refused);
                (told, toldOfRefusal, accepted, refused) = (now, refused > 0, 0, 0);
                return use;
            }
        }

        public void PutBack(TokenUse use)
        {
            lock (gate)
            {
                (first, last) = (use.FirstAt, use.LastAt > last ? use.LastAt : last);
                (accepted, refused, told) = (accepted + use.Accepted, refused + use.Refused, default);
            }
        }
    }
}
