using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.ClusterAgent.Log;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>
/// Replaces the cluster's key when Mission Control asks for it, beside the check-ins. The asking names the keys that are to go; so whatever
/// was done, lost or forgotten in between, an agent whose key is not among them has nothing left to do, and needs to remember nothing.
/// </summary>
internal sealed class KeyRotation(IAgentIdentity identity, CallHomeClient client, TimeProvider time, Random random, CounterLog? log)
{
    private static readonly TimeSpan LeastRest = TimeSpan.FromMinutes(1);

    /// <summary>A server that asks for the new key's successor at once waits: else it could fill the cluster's log.</summary>
    private static readonly TimeSpan SuccessRest = TimeSpan.FromHours(1);

    private readonly Backoff backoff = new(random);
    private IReadOnlyCollection<string> retire = [];
    private long triedAt;
    private TimeSpan rest;

    /// <summary>Why the last try failed; null when it did not.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes what the desired state says; null: nothing.</summary>
    public void Ask(Section? section)
    {
        try
        {
            retire = section is null ? [] : CredentialsWanted.Parser.ParseFrom(section.Body).Retire;
        }
        catch (InvalidProtocolBufferException)
        {
            // Of a server that says it in another way.
            retire = [];
        }
    }

    /// <summary>Rotates when that is wanted and it is time. A failure is no check-in's: it is tried again, at growing intervals, however often the agent checks in.</summary>
    /// <returns>Whether the key was replaced.</returns>
    public async Task<bool> RotateIfAskedAsync(CancellationToken cancellationToken)
    {
        var held = KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo());
        if (retire.Count == 0 || !retire.Contains(held))
        {
            Problem = null;
            return false;
        }

        if (rest > TimeSpan.Zero && time.GetElapsedTime(triedAt) < rest)
        {
            return false;
        }

        try
        {
            // Announced first, taken then: whatever ends this in between, one of the two that are here is known there.
            using var next = identity.NextKey();
            log?.Note(Reconciliation.RotationAsked, "A new key is asked for.", $"key:{held}", client.ServerNow);
            await RotateAsync(identity, client, log, next, cancellationToken);
            client.DropAccess();
            (triedAt, rest, Problem) = (time.GetTimestamp(), SuccessRest, null);
            return true;
        }
        catch (Exception exception) when (exception is CallHomeException or HttpRequestException or IOException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var wait = backoff.Failure((exception as CallHomeException)?.RetryAfter);
            (triedAt, rest) = (time.GetTimestamp(), wait < LeastRest ? LeastRest : wait);
            Problem = $"the cluster's key could not be replaced, as Mission Control asks: {exception.Message}";
            return false;
        }
    }

    /// <summary>
    /// Announces a key and takes it. What is not noted first is not announced: whatever Mission Control says of keys of this cluster must
    /// stand in the cluster's own log. But a log that is full or damaged for good keeps no leaked key in use; that it is, the agent says.
    /// </summary>
    /// <returns>The id of the key.</returns>
    /// <exception cref="IOException">It cannot be noted.</exception>
    public static async Task<string> RotateAsync(IAgentIdentity identity, CallHomeClient client, CounterLog? log, ECDsa next, CancellationToken cancellationToken)
    {
        var reference = $"key:{KeyIds.Of(next.ExportSubjectPublicKeyInfo())}";
        if (log is not null && !log.Note(Reconciliation.KeyAnnounced, "A new key is about to be announced.", reference, client.ServerNow) && !log.IsLost)
        {
            throw new IOException(log.Problem);
        }

        var known = await client.RotateAsync(next, cancellationToken);
        log?.Note(Reconciliation.KeyRotated, "Mission Control has taken the new key.", reference, client.ServerNow);
        identity.TakeNextKey();
        return known.KeyId;
    }
}
