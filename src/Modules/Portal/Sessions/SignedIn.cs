using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Trades the browser's session for a user token at identity, remembered for three seconds: a revoked token closes every page within
/// five. What is no session is remembered as long, so that an invented cookie asks identity once in that time. The token never
/// reaches the browser.
/// </summary>
internal sealed class SignedIn(MissionControlClient client, TimeProvider time)
{
    public const string Cookie = "__Host-mc-session";
    private const int Capacity = 10_000;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(3);

    /// <summary>How often identity is told that somebody is there; it knows to the minute.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(45);
    private readonly ConcurrentDictionary<string, (TradedSession Traded, long Tick, long? ActiveTick)> known = new();

    // Apart from the good ones: whoever invents cookies makes nobody's session be asked for again.
    private readonly ConcurrentDictionary<string, long> refused = new();

    /// <summary>Who the session speaks for; null when it has ended.</summary>
    /// <param name="session">The cookie.</param>
    /// <param name="isActive">Whether a person did something: a page that keeps itself fresh keeps nobody signed in.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<TradedSession?> FindAsync(string session, bool isActive, CancellationToken cancellationToken)
    {
        // Remembered under its digest: a memory dump shows no session.
        var key = KeyOf(session);
        var tick = time.GetTimestamp();
        var active = known.TryGetValue(key, out var entry) && entry.ActiveTick is { } last && time.GetElapsedTime(last) < Told ? entry.ActiveTick : null;
        if (entry.Traded is not null && time.GetElapsedTime(entry.Tick) < Freshness && (!isActive || active is not null))
        {
            return entry.Traded;
        }

        if (refused.TryGetValue(key, out var since) && time.GetElapsedTime(since) < Freshness)
        {
            return null;
        }

        if (refused.Count > Capacity)
        {
            refused.Clear();
        }

        if (known.Count > Capacity)
        {
            known.Clear();
        }

        try
        {
            var traded = await client.TradeSessionAsync(session, isActive, cancellationToken);
            known[key] = (traded, tick, isActive ? tick : active);
            return traded;
        }
        catch (ApiException refusal) when ((int)refusal.Status is 401 or 400 or 422)
        {
            known.TryRemove(key, out _);
            refused[key] = tick;
            return null;
        }
    }

    /// <summary>
    /// Trades a session anew whose token a role has refused: what its person may do has changed since, and the token of before ended
    /// with that. Null when the session has ended too.
    /// </summary>
    public Task<TradedSession?> RenewAsync(string session, TradedSession refusedOne, CancellationToken cancellationToken)
    {
        // Another page may have renewed it already.
        var key = KeyOf(session);
        if (known.TryGetValue(key, out var entry) && entry.Traded.AccessToken == refusedOne.AccessToken)
        {
            known.TryRemove(KeyValuePair.Create(key, entry));
        }

        return FindAsync(session, isActive: false, cancellationToken);
    }

    /// <summary>Forgets a session that was ended here.</summary>
    public void Forget(string session) => known.TryRemove(KeyOf(session), out _);

    /// <summary>What a session is called where its secret must not be.</summary>
    public static string KeyOf(string session) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(session)));
}
