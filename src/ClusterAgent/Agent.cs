using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>What a check-in came to.</summary>
/// <param name="Succeeded">The server took it.</param>
/// <param name="Next">When to check in again.</param>
/// <param name="Problem">Why not, otherwise.</param>
/// <param name="Stopped">The cluster was decommissioned: stop for good.</param>
public sealed record CheckInResult(bool Succeeded, TimeSpan Next, string? Problem, bool Stopped = false);

/// <summary>
/// A cluster's agent: reads health, keeps it until acknowledged, calls home. The same class runs on a customer's machine and, with
/// another clock, source and spool, in the simulator.
/// </summary>
public sealed class Agent(IAgentIdentity identity, ISpool spool, IHealthSource source, CallHomeClient client, TimeProvider time, Random random, UsageRecorder? usage = null)
{
    private const int MaxItems = 100;
    private const int MaxBytes = 384 * 1024;

    /// <summary>How often the counters are read between two check-ins.</summary>
    private static readonly TimeSpan ReadingInterval = TimeSpan.FromSeconds(60);

    /// <summary>How long an item rests that the server does not want yet.</summary>
    private static readonly TimeSpan HoldFor = TimeSpan.FromMinutes(15);
    private readonly Dictionary<long, DateTimeOffset> held = [];
    private int batch = MaxItems;
    private readonly Backoff backoff = new(random);
    private string etag = "";
    private int window;
    private int failed;
    private long? anchorsVersion;

    /// <summary>Items waiting for an acknowledgement.</summary>
    public int Waiting => spool.Count;

    /// <summary>The epoch it speaks in.</summary>
    public long Epoch => identity.Enrollment?.Epoch ?? 0;

    /// <summary>Enrols. The anchors must have the digest that a person carried here, unless first contact is trusted, which both sides record.</summary>
    /// <exception cref="CryptographicException">The anchors are not the expected ones: nothing is kept.</exception>
    public async Task EnrollAsync(Uri server, string token, string? anchorsSha256, bool trustFirstContact, CancellationToken cancellationToken)
    {
        if (anchorsSha256 is null && !trustFirstContact)
        {
            throw new ArgumentException("Give the anchors' digest, or say that first contact is trusted.", nameof(anchorsSha256));
        }

        var response = await client.EnrollAsync(token, source.Facts(), anchorsSha256 is null, cancellationToken);
        var digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(response.Anchors.Span))}";
        if (anchorsSha256 is not null && !string.Equals(anchorsSha256, digest, StringComparison.OrdinalIgnoreCase))
        {
            throw new CryptographicException($"The anchors have {digest}, expected {anchorsSha256}. Something stands between this machine and Mission Control, or the token is of another installation.");
        }

        Anchors.Verify(response.Anchors.Span);
        identity.Enrollment = new Enrollment(server, Guid.Parse(response.ClusterId), response.Epoch, digest, anchorsSha256 is null, response.Intervals.CheckinS, response.Intervals.JitterPercent, response.Anchors.ToByteArray());
    }

    /// <summary>Reads the usage counters and closes the hours that have ended.</summary>
    public void ReadUsage() => usage?.Observe(time.GetUtcNow() + client.ClockOffset);

    /// <summary>Reads health and checks in once.</summary>
    public async Task<CheckInResult> CheckInAsync(CancellationToken cancellationToken)
    {
        var enrollment = identity.Enrollment ?? throw new InvalidOperationException("This agent is not enrolled.");
        var now = time.GetUtcNow();
        ReadUsage();
        var health = source.Read(enrollment.CheckInSeconds);
        health.CallHome = new CallHomeHealth { SpoolItems = spool.Count };
        if (window > 0)
        {
            health.CallHome.FailedPercent15M = 100.0 * failed / window;
        }

        spool.Add("health", (now + client.ClockOffset).ToUnixTimeMilliseconds(), health.ToByteArray());
        try
        {
            var request = new CheckInRequest
            {
                ClusterId = enrollment.ClusterId.ToString("D"),
                Epoch = enrollment.Epoch,
                LowestKept = spool.LowestKept,
                Items = { spool.Peek(batch, MaxBytes, Held(now)) },
                SentAtMs = now.ToUnixTimeMilliseconds(),
                DesiredEtag = etag,
                AgentVersion = LinuxMachine.Version,
                AnchorsVersion = AnchorsVersion(enrollment),
                Spool = new SpoolState { Items = spool.Count },
            };
            var response = await client.CheckInAsync(request, cancellationToken);
            Count(succeeded: true);
            batch = Math.Min(MaxItems, batch * 2);
            Refused(request, response.Refusals, now);
            spool.Acknowledge(response.Ack, response.AcceptedAboveAck);
            ApplyAnchors(response.Anchors);
            Apply(response.Desired);
            return new CheckInResult(true, backoff.Success(response.NextS, response.JitterPercent), null);
        }
        catch (CallHomeException refusal)
        {
            Count(succeeded: false);
            return await RefusedAsync(refusal, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            Count(succeeded: false);
            return new CheckInResult(false, backoff.Failure(null), exception.Message);
        }
    }

    /// <summary>Checks in until it is stopped or decommissioned.</summary>
    public async Task RunAsync(Action<CheckInResult>? report, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var result = await CheckInAsync(cancellationToken);
            report?.Invoke(result);
            if (result.Stopped)
            {
                return;
            }

            // Counters are read in between, so that hours are cut finely however seldom the server wants to hear of us.
            for (var rest = result.Next; rest > TimeSpan.Zero; rest -= ReadingInterval)
            {
                await Task.Delay(rest < ReadingInterval ? rest : ReadingInterval, time, cancellationToken);
                if (rest > ReadingInterval)
                {
                    ReadUsage();
                }
            }
        }
    }

    private HashSet<long> Held(DateTimeOffset now)
    {
        foreach (var seq in held.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToList())
        {
            held.Remove(seq);
        }

        return [.. held.Keys];
    }

    private void Refused(CheckInRequest request, IEnumerable<ItemRefusal> refusals, DateTimeOffset now)
    {
        foreach (var refusal in refusals)
        {
            if (!refusal.Final)
            {
                held[refusal.Seq] = now + HoldFor;
            }
            else if (request.Items.FirstOrDefault(item => item.Seq == refusal.Seq) is { Type: "usage" } item)
            {
                usage?.Refused(item.Body.Span, refusal.Code);
            }
        }
    }

    private void Apply(DesiredState? desired)
    {
        if (desired is null)
        {
            return;
        }

        etag = desired.Etag;
        if (usage is not null && desired.Sections.FirstOrDefault(section => section.Name == "receipts") is { } receipts)
        {
            try
            {
                usage.Apply(receipts.Body.Span);
            }
            catch (CryptographicException exception)
            {
                ReceiptProblem = exception.Message;
            }
        }
    }

    // Before anything else of an answer: what follows may be signed by a key that only the newer document names.
    private void ApplyAnchors(ByteString anchors)
    {
        if (anchors.IsEmpty || identity.Enrollment is not { Anchors: { } held } enrollment)
        {
            return;
        }

        try
        {
            var document = Anchors.Renew(held, anchors.Span);
            identity.Enrollment = enrollment with { Anchors = anchors.ToByteArray() };
            anchorsVersion = document.Version;
            AnchorsProblem = null;
        }
        catch (CryptographicException exception)
        {
            AnchorsProblem = exception.Message;
        }
    }

    private long AnchorsVersion(Enrollment enrollment) => anchorsVersion ??= Anchors.VersionOf(enrollment.Anchors);

    /// <summary>Why the newer anchor document that the server offers is not believed; null when there is no such thing.</summary>
    public string? AnchorsProblem { get; private set; }

    /// <summary>Why the last receipt was not believed; null when it was.</summary>
    public string? ReceiptProblem { get; private set; }

    private async Task<CheckInResult> RefusedAsync(CallHomeException refusal, CancellationToken cancellationToken)
    {
        switch (refusal.Code)
        {
            case "clone-suspected" or "stale-epoch" or "unknown-epoch":
                try
                {
                    var granted = await client.EpochAsync(refusal.Code == "clone-suspected" ? "clone-suspected" : "state-lost", source.Facts().InstallFingerprint, cancellationToken);
                    identity.Enrollment = identity.Enrollment! with { Epoch = granted.Epoch, EpochIssuedAt = DateTimeOffset.FromUnixTimeMilliseconds(granted.IssuedAtMs) };
                    spool.BeginEpoch();
                    held.Clear();
                    return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(5)), refusal.Message);
                }
                catch (CallHomeException again)
                {
                    return new CheckInResult(false, backoff.Refused(), again.Message);
                }

            case "access-token-invalid":
                return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(1)), refusal.Message);
            case "payload-too-large":
                batch = Math.Max(1, batch / 2);
                return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(1)), refusal.Message);
            case "cluster-decommissioned":
                return new CheckInResult(false, TimeSpan.Zero, refusal.Message, Stopped: true);
            default:
                return new CheckInResult(false, refusal.Status is 401 or 403 ? backoff.Refused() : backoff.Failure(refusal.RetryAfter), refusal.Message);
        }
    }

    private void Count(bool succeeded)
    {
        window = Math.Min(window + 1, 15);
        failed = Math.Clamp(failed + (succeeded ? -1 : 1), 0, window);
    }
}
