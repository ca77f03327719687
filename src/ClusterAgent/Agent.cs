using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.ClusterAgent.Log;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>
/// A cluster's agent: reads health, keeps it until acknowledged, calls home. The same class runs on a customer's machine and, with
/// another clock, source and spool, in the simulator.
/// </summary>
public sealed class Agent(
    IAgentIdentity identity, ISpool spool, IClusterSource source, CallHomeClient client, TimeProvider time, Random random,
    UsageRecorder? usage = null, Quarantine? quarantine = null, DiskReserve? reserve = null, AnswerBox? answers = null, bool offline = false, WitnessBook? seen = null, CounterLog? log = null, LicenseKeeper? license = null)
{
    private const int MaxItems = 100;
    private const int MaxBytes = 384 * 1024;

    /// <summary>How often the counters are read between two check-ins.</summary>
    private static readonly TimeSpan ReadingInterval = TimeSpan.FromSeconds(60);

    /// <summary>How often the server is asked for its version while refused windows wait for an upgrade.</summary>
    private static readonly TimeSpan VersionInterval = TimeSpan.FromHours(1);

    /// <summary>Within this time every replica of Mission Control knows a key that one of them was told.</summary>
    private static readonly TimeSpan NewKeyKnown = TimeSpan.FromSeconds(10);

    /// <summary>The sections of the desired state that it knows what to do with.</summary>
    internal static readonly string[] Understood = ["receipts", "inventory", "credentials", "lease"];

    private readonly Collector collector = new(source, spool, usage, reserve, time);
    private readonly KeyRotation rotation = new(identity, client, time, random, log);
    private readonly Witnessing? witness = seen is null ? null : new Witnessing(identity, seen, spool, source, time, log);
    private readonly LicenseDuty? duty = license is null ? null : new LicenseDuty(license, client, source, reserve, offline);
    private readonly RestingItems held = new(time);
    private readonly Backoff backoff = new(random);
    private readonly RecentFailures failures = new();
    private int batch = MaxItems;
    private int interval;
    private TimeSpan rest;
    private long? askedVersionAt;
    private string etag = "";
    private int assertionsRefused;
    private long? anchorsVersion;
    private long inventoryAsked;
    private bool lostTold;

    /// <summary>Items waiting for an acknowledgement.</summary>
    public int Waiting => spool.Count;

    /// <summary>The epoch it speaks in.</summary>
    public long Epoch => identity.Enrollment?.Epoch ?? 0;

    /// <summary>What could not be written to disk, and why; null when everything could.</summary>
    public string? StorageProblem => collector.StorageProblem ?? log?.Problem;

    /// <summary>Why the newer anchor document that the server offers is not believed; null when there is no such thing.</summary>
    public string? AnchorsProblem { get; private set; }

    /// <summary>Why the last answer that was carried here was not taken; null when it was.</summary>
    public string? AnswerProblem { get; private set; }

    /// <summary>Why the last receipt was not believed; null when it was.</summary>
    public string? ReceiptProblem { get; private set; }

    /// <summary>Why the cluster's key could not be replaced, though that is asked for; null when nothing is wrong.</summary>
    public string? KeyProblem => rotation.Problem;

    /// <summary>Why audit logs are not cosigned as they should be; null when nothing is wrong.</summary>
    public string? WitnessProblem => witness?.Problem;

    /// <summary>Why the licence that came last, or the one that is held, is not believed; null when it is.</summary>
    public string? LicenseProblem => duty?.Problem;

    /// <summary>Reads everything and checks in once; an agent that is offline only reads.</summary>
    public async Task<CheckInResult> CheckInAsync(CancellationToken cancellationToken)
    {
        var enrollment = identity.Enrollment ?? throw new InvalidOperationException("This agent is not enrolled.");
        log?.Run(enrollment, client.ServerNow);
        if (log is { IsLost: true } && !lostTold)
        {
            lostTold = true;
            source.Tell("cluster-log-lost", "severe", $"Keys are replaced without a note: {log.Problem}");
        }

        interval = interval == 0 ? enrollment.CheckInSeconds : interval;
        duty?.Observe();
        var callHome = new CallHomeHealth { SpoolItems = spool.Count };
        if (failures.Percent is { } percent)
        {
            callHome.FailedPercent15M = percent;
        }

        await collector.CollectAsync(client.ServerNow, interval, client.ClockOffset, callHome, cancellationToken);
        if (offline)
        {
            return new CheckInResult(false, TimeSpan.FromSeconds(interval), null);
        }

        witness?.Tell(client.ServerNow);
        var request = new CheckInRequest
        {
            ClusterId = enrollment.ClusterId.ToString("D"),
            Epoch = enrollment.Epoch,
            LowestKept = spool.LowestKept,
            Items = { spool.Peek(batch, MaxBytes, held.Now()) },
            SentAtMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            DesiredEtag = etag,
            AgentVersion = LinuxMachine.Version,
            AnchorsVersion = AnchorsVersion(enrollment),
            Sections = { Understood, witness is null ? [] : [Witnessing.Section] },
            Spool = new SpoolState { Items = spool.Count, Bytes = spool.Bytes, OldestAtMs = spool.OldestAtMs, Dropped = { spool.Dropped }, Quarantined = (quarantine?.Count ?? 0) + (usage?.Summary.Refused.Count ?? 0) },
        };
        try
        {
            var response = await client.CheckInAsync(request, cancellationToken);
            Taken(response);
            await OfferAgainAfterUpgradeAsync(cancellationToken);
            var next = Next(response);
            return new CheckInResult(true, await rotation.RotateIfAskedAsync(cancellationToken) && next < NewKeyKnown ? NewKeyKnown : next, null);
        }
        catch (CallHomeException refusal)
        {
            failures.Count(succeeded: false);
            return await RefusedAsync(request, refusal, cancellationToken);
        }
        catch (Exception exception) when (CallFailure.MayPass(exception, cancellationToken))
        {
            failures.Count(succeeded: false);
            return new CheckInResult(false, backoff.Failure(null), CallFailure.Words(exception));
        }
    }

    /// <summary>Does what is due: a check-in, or a reading of the counters in between, so that hours are cut finely however seldom the server wants to hear of us.</summary>
    public async Task<AgentStep> StepAsync(CancellationToken cancellationToken)
    {
        CheckInResult? result = null;
        AnswerProblem = answers is null ? null : answers.Take(TakeCarried, AnswerProblem);
        if (rest <= TimeSpan.Zero)
        {
            result = await CheckInAsync(cancellationToken);
            rest = result.Next;
        }
        else
        {
            duty?.Observe();
            await collector.ReadUsageAsync(client.ServerNow, cancellationToken);
        }

        var wait = rest < ReadingInterval ? rest : ReadingInterval;
        rest -= wait;
        return new AgentStep(result, wait);
    }

    /// <summary>Checks in until it is stopped or decommissioned.</summary>
    public async Task RunAsync(Action<CheckInResult>? report, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var step = await StepAsync(cancellationToken);
            if (step.CheckIn is { } result)
            {
                report?.Invoke(result);
                if (result.Stopped)
                {
                    return;
                }
            }

            await Task.Delay(step.Wait, time, cancellationToken);
        }
    }

    private void Taken(CheckInResponse response)
    {
        failures.Count(succeeded: true);
        assertionsRefused = 0;
        log?.Taken(client.ServerNow);
        duty?.Heard(client.ServerNow);
        Store(() => usage?.Release());
        batch = Math.Min(MaxItems, batch * 2);
        interval = response.NextS > 0 ? response.NextS : interval;
        Settle(response);
        spool.DroppedTold();
        ApplyAnchors(response.Anchors);
        if (response.Desired is { } desired)
        {
            Apply(desired);
            etag = desired.Etag;
        }
    }

    // What was carried here twice, or is older than what is known, does no harm: numbers only rise within an epoch, and receipts are
    // verdicts. A crash in between takes it once more.
    private void TakeCarried(byte[] file)
    {
        if (duty?.Takes(file) == true)
        {
            return;
        }

        var answer = CarriedAnswer.Open(file, identity.Enrollment!);
        if (!answer.Anchors.IsEmpty && Anchors.VersionOf(answer.Anchors.ToByteArray()) > AnchorsVersion(identity.Enrollment!))
        {
            ApplyAnchors(answer.Anchors);
        }

        // When it was written, and not when it came: signed, so it is true.
        duty?.Heard(DateTimeOffset.FromUnixTimeMilliseconds(answer.Response.ServerTimeMs));
        Settle(answer.Response);
        if (answer.Response.Desired is { } desired)
        {
            Apply(desired);
        }
    }

    private void Settle(CheckInResponse response)
    {
        foreach (var refusal in response.Refusals)
        {
            if (!refusal.Final)
            {
                held.Rest(refusal.Seq);
            }
            else if (spool.Find(refusal.Seq) is { } item)
            {
                Refuse(item, refusal.Code, refusal.Detail);
            }
        }

        spool.Acknowledge(response.Ack, response.AcceptedAboveAck);
        if (response.Want.Count > 0)
        {
            collector.WantInventory();
        }
    }

    // While there is a backlog the server may say how fast it wants it.
    private TimeSpan Next(CheckInResponse response)
    {
        var next = backoff.Success(response.NextS, response.JitterPercent);
        if (response.Drain is not { MinGapS: > 0 } drain || spool.Count <= held.Count)
        {
            return next;
        }

        batch = Math.Clamp(drain.MaxItems, 1, 500);
        var gap = TimeSpan.FromSeconds(drain.MinGapS * (1 + (random.NextDouble() * 0.25)));
        return gap < next ? gap : next;
    }

    private void Refuse(Item item, string code, string detail) =>
        Store(item.Type == "usage" ? () => usage?.Refused(item.Body.Span, code) : () => quarantine?.Keep(item, Epoch, code, detail));

    private void Apply(DesiredState desired)
    {
        rotation.Ask(desired.Sections.FirstOrDefault(section => section.Name == "credentials"));
        witness?.Apply(desired.Sections.FirstOrDefault(section => section.Name == Witnessing.Section), client.ServerNow);

        // The version is when it was asked for. After a restart the inventory is told in any case: what was asked before need not be remembered.
        if (desired.Sections.FirstOrDefault(section => section.Name == "inventory") is { } inventory && inventory.Version > inventoryAsked)
        {
            inventoryAsked = log?.InventoryAsked(inventory.Version, client.ServerNow) != false ? inventory.Version : inventoryAsked;
            collector.WantInventory();
        }

        duty?.Apply(desired.Sections.FirstOrDefault(section => section.Name == "lease"));

        if (usage is not null && desired.Sections.FirstOrDefault(section => section.Name == "receipts") is { } receipts)
        {
            try
            {
                ReceiptProblem = null;
                Store(() => usage.Apply(receipts.Body.Span));
            }
            catch (CryptographicException exception)
            {
                ReceiptProblem = exception.Message;
            }
        }
    }

    // Before the desired state: what that holds may be signed by a key that only the newer document names.
    private void ApplyAnchors(ByteString anchors)
    {
        if (anchors.IsEmpty || identity.Enrollment is not { Anchors: { } held } enrollment)
        {
            return;
        }

        try
        {
            var document = Anchors.Renew(held, anchors.Span);
            log?.Note("anchors-changed", $"Anchor document {document.Version} is believed from now on.", $"anchors:{document.Version}", client.ServerNow);
            Store(() => identity.Enrollment = enrollment with { Anchors = anchors.ToByteArray() });
            anchorsVersion = document.Version;
            AnchorsProblem = null;
        }
        catch (CryptographicException exception)
        {
            AnchorsProblem = exception.Message;
        }
    }

    private long AnchorsVersion(Enrollment enrollment) => anchorsVersion ??= Anchors.VersionOf(enrollment.Anchors);

    private async Task OfferAgainAfterUpgradeAsync(CancellationToken cancellationToken)
    {
        if (usage is null || usage.Summary.Refused.Count == 0 || (askedVersionAt is { } asked && time.GetElapsedTime(asked) < VersionInterval))
        {
            return;
        }

        try
        {
            askedVersionAt = time.GetTimestamp();
            var ping = await client.PingAsync(cancellationToken);
            Store(() => usage.OfferAgain($"{LinuxMachine.Version}/{ping.Version}", client.ServerNow));
        }
        catch (Exception exception) when (exception is HttpRequestException or CallHomeException)
        {
            // It answered a moment ago; the next hour will do.
        }
    }

    private async Task<CheckInResult> RefusedAsync(CheckInRequest request, CallHomeException refusal, CancellationToken cancellationToken)
    {
        log?.Refused(refusal.Code, client.ServerNow);
        switch (refusal.Code)
        {
            case "clone-suspected" or "stale-epoch" or "unknown-epoch":
                try
                {
                    Store(() => usage?.Hold(client.ServerNow));
                    var granted = await client.EpochAsync(refusal.Code == "clone-suspected" ? refusal.Code : "state-lost", source.Facts().InstallFingerprint, cancellationToken);
                    var issuedAt = DateTimeOffset.FromUnixTimeMilliseconds(granted.IssuedAtMs);
                    log?.EpochTaken(identity.Enrollment!.ClusterId, granted.Epoch, client.ServerNow);
                    Store(() =>
                    {
                        usage?.EndEpoch(issuedAt, client.ServerNow);
                        identity.Enrollment = identity.Enrollment! with { Epoch = granted.Epoch, EpochIssuedAt = issuedAt };
                        usage?.Release();
                    });
                    spool.BeginEpoch();
                    held.Clear();
                    return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(5)), refusal.Message);
                }
                catch (CallHomeException again)
                {
                    return new CheckInResult(false, backoff.Refused(), again.Message);
                }
                catch (Exception exception) when (CallFailure.MayPass(exception, cancellationToken))
                {
                    return new CheckInResult(false, backoff.Failure(null), CallFailure.Words(exception));
                }

            case "access-token-invalid":
                return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(1)), refusal.Message);
            case "assertion-invalid" when ++assertionsRefused < 3:
                return new CheckInResult(false, backoff.Failure(TimeSpan.FromSeconds(1)), refusal.Message);
            case "payload-too-large" or "malformed-body" or "invalid":
                return Split(request, refusal);
            case "cluster-decommissioned":
                return new CheckInResult(false, TimeSpan.Zero, refusal.Message, Stopped: true);
            default:
                // A proxy's refusal is no word of Mission Control.
                var isFinal = refusal.Status is 401 or 403 && refusal.Code != CallHomeException.NotAProblem;
                return new CheckInResult(false, isFinal ? backoff.Refused() : backoff.Failure(refusal.RetryAfter), refusal.Message);
        }
    }

    // Halves the batch until the item is alone that the door cannot stomach, and puts that one aside: the others must not wait for it.
    private CheckInResult Split(CheckInRequest request, CallHomeException refusal)
    {
        if (request.Items is [var alone])
        {
            Refuse(alone, refusal.Code, refusal.Message);
            spool.Remove(alone.Seq);
        }

        batch = Math.Max(1, request.Items.Count / 2);
        return new CheckInResult(false, request.Items.Count == 0 ? backoff.Failure(null) : backoff.Failure(TimeSpan.FromSeconds(1)), refusal.Message);
    }

    private void Store(Action write) => DiskReserve.Write(reserve, write);
}
