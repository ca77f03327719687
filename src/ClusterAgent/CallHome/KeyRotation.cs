using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>
/// Replaces the cluster's key when Mission Control asks for it, beside the check-ins. The asking names the keys that are to go; so whatever
/// was done, lost or forgotten in between, an agent whose key is not among them has nothing left to do, and needs to remember nothing.
/// </summary>
internal sealed class KeyRotation(IAgentIdentity identity, CallHomeClient client, TimeProvider time, Random random)
{
    private static readonly TimeSpan LeastRest = TimeSpan.FromMinutes(1);
    private readonly Backoff backoff = new(random);
    private IReadOnlyCollection<string> retire = [];
    private long failedAt;
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
        if (retire.Count == 0 || !retire.Contains(KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo())))
        {
            Problem = null;
            return false;
        }

        if (rest > TimeSpan.Zero && time.GetElapsedTime(failedAt) < rest)
        {
            return false;
        }

        try
        {
            // Announced first, taken then: whatever ends this in between, one of the two that are here is known there.
            using var next = identity.NextKey();
            await client.RotateAsync(next, cancellationToken);
            identity.TakeNextKey();
            client.DropAccess();
            (rest, Problem) = (TimeSpan.Zero, null);
            return true;
        }
        catch (Exception exception) when (exception is CallHomeException or HttpRequestException or IOException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var wait = backoff.Failure((exception as CallHomeException)?.RetryAfter);
            (failedAt, rest) = (time.GetTimestamp(), wait < LeastRest ? LeastRest : wait);
            Problem = $"the cluster's key could not be replaced, as Mission Control asks: {exception.Message}";
            return false;
        }
    }
}
