using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>
/// Shows every epoch of the anchor to the witnesses that the configuration names, each once, and to one that does not answer less often.
/// What they say is verified, and counts as what clusters say. Nothing waits for them.
/// </summary>
internal sealed partial class AskOutside : Sweeper, IDisposable
{
    private const int MostDoublings = 13;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private readonly Dictionary<Guid, (long Epoch, int Failures, DateTimeOffset Next)> asked = [];
    private readonly Lazy<HttpClient> http;
    private readonly WatchHeads watch;
    private readonly AppendOnlyTest test;
    private readonly AuditOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<AskOutside> logger;

    public AskOutside(WatchHeads watch, AppendOnlyTest test, IOptions<AuditOptions> options, TimeProvider time, ILogger<AskOutside> logger)
        : base("audit.ask-outside", "audit", TimeSpan.FromSeconds(1))
    {
        (this.watch, this.test, this.options, this.time, this.logger) = (watch, test, options.Value, time, logger);
        http = new Lazy<HttpClient>(() => new OutboundGuard(options.Value.AllowedNetworks, options.Value.CaFile, "Audit:AllowedNetworks").Client(isOwn: true));
    }

    public void Dispose()
    {
        if (http.IsValueCreated)
        {
            http.Value.Dispose();
        }
    }

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        if (!watch.HasLooked || test.Refusal is not null)
        {
            return;
        }

        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var (epoch, now) = (await AnchorLog.SignedAsync(db, cancellationToken), time.GetUtcNow());
        var due = options.Witnesses.Where(witness => !asked.TryGetValue(witness.Id, out var last) || (last.Epoch != epoch && last.Next <= now)).ToList();
        if (epoch == 0 || due.Count == 0 || (await HeldLogs.ReadAsync(db, cancellationToken)).Exists(row => row.Log == HeldLogs.All || row.Log == AnchorLog.Id)
            || !(await AskWitnesses.HeadsAsync(db, [AnchorLog.Id], cancellationToken)).TryGetValue(AnchorLog.Id, out var head))
        {
            return;
        }

        var known = await OutsideState.ReadAsync(db, cancellationToken);
        var answers = await AskAsync(db, [.. due.Select(witness => (witness, known.GetValueOrDefault(witness.Id)?.Size ?? 0))], head, cancellationToken);
        await RecordAsync(db, scope.GetRequiredService<IEvents>(), head, answers, known, cancellationToken);
    }

    // Each once from where it was last, and once more from where it says that it is; none waits for another.
    private async Task<List<(OutsideWitness Witness, OutsideAnswer Answer)>> AskAsync(ControlPlaneDbContext db, IReadOnlyList<(OutsideWitness Witness, long From)> due, AskWitnesses.Head head, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        using var turn = new SemaphoreSlim(1);
        var answers = await Task.WhenAll(due.Select(async one => (one.Witness, await ExchangeAsync(one.Witness, one.From))));
        cancellationToken.ThrowIfCancellationRequested();
        return [.. answers];

        async Task<OutsideAnswer> ExchangeAsync(OutsideWitness witness, long from)
        {
            // One that has more than there is says so when it is asked from nothing.
            var answer = await FromAsync(witness, from <= head.Checkpoint.Size ? from : 0);
            return answer.Outcome == OutsideOutcome.Conflict ? await FromAsync(witness, answer.Size!.Value) : answer;
        }

        async Task<OutsideAnswer> FromAsync(OutsideWitness witness, long old)
        {
            TreeHash[] proof;
            try
            {
                proof = await ProveAsync(old);
            }
            catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException && db.Dialect.UnavailableBehind(exception) is null)
            {
                // A tile on its way is damaged: whoever has seen more is shown the rest all the same.
                return new OutsideAnswer(OutsideOutcome.Failed, $"nothing leads from its {old} epochs to the newest: {exception.Message}");
            }

            return await WitnessClient.AskAsync(http.Value, witness, new AddCheckpoint(old, proof, head.Note), deadline.Token);
        }

        async Task<TreeHash[]> ProveAsync(long old)
        {
            await turn.WaitAsync(cancellationToken);
            try
            {
                return await TileReader.ResolveAsync(db, AnchorLog.Id, ProofPlan.Consistency(old, head.Checkpoint.Size), cancellationToken);
            }
            finally
            {
                turn.Release();
            }
        }
    }

    private async Task RecordAsync(ControlPlaneDbContext db, IEvents events, AskWitnesses.Head head, List<(OutsideWitness Witness, OutsideAnswer Answer)> answers, Dictionary<Guid, OutsideState> known, CancellationToken cancellationToken)
    {
        // Another replica may have shown more meanwhile.
        var next = new Dictionary<Guid, (long Epoch, int Failures, DateTimeOffset Next)>();
        var (signed, now, good, states) = (await AnchorLog.SignedAsync(db, cancellationToken), time.GetUtcNow(), new List<Cosignature>(), new List<(Guid, OutsideState)>());
        foreach (var (witness, answer) in answers)
        {
            var before = known.GetValueOrDefault(witness.Id);
            if (answer.Outcome == OutsideOutcome.Cosigned)
            {
                good.Add(new Cosignature { LogId = AnchorLog.Id, Size = head.Checkpoint.Size, ClusterId = witness.Id, Line = answer.Text });
                states.Add((witness.Id, new OutsideState(head.Checkpoint.Size, null)));
            }
            else if (answer.Outcome == OutsideOutcome.Refused && !(answer.Text == "ahead" && answer.Size <= signed))
            {
                states.Add((witness.Id, new OutsideState(answer.Size ?? before?.Size ?? 0, answer.Text)));
                if (before?.Refusal != answer.Text)
                {
                    Alarm(events, witness, answer, head);
                }
            }

            var failures = answer.Outcome == OutsideOutcome.Cosigned ? 0 : asked.GetValueOrDefault(witness.Id).Failures + 1;
            if (answer.Outcome is OutsideOutcome.Failed or OutsideOutcome.Conflict && failures == 1)
            {
                LogFailed(logger, witness.Address, answer.Text);
            }

            next[witness.Id] = (head.Checkpoint.Size, failures, now + PauseAfter(failures, options.Epoch));
            if (failures > 0)
            {
                asked[witness.Id] = next[witness.Id];
            }
        }

        if (states.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await OutsideState.WriteAsync(db, states, now, cancellationToken);
            await Cosignature.StoreAsync(db, good, options, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // What was not stored is asked for again.
        foreach (var (witness, last) in next)
        {
            asked[witness] = last;
        }
    }

    /// <summary>How long one that has failed so often is left alone: an epoch, then twice as long each time, at most an hour.</summary>
    internal static TimeSpan PauseAfter(int failures, TimeSpan epoch)
    {
        var pause = failures == 0 ? TimeSpan.Zero : epoch * Math.Pow(2, Math.Min(failures, MostDoublings) - 1);
        return pause < LongestPause ? pause : LongestPause;
    }

    // In the log that every customer reads, as the anchor is everybody's.
    private void Alarm(IEvents events, OutsideWitness witness, OutsideAnswer answer, AskWitnesses.Head head)
    {
        using var key = witness.Key();
        LogRefused(logger, key.Name, answer.Text);
        events.Audit(new AuditFact("audit.log-refused", AuditLog.Fleet, "log", AnchorLog.Kind)
        {
            Outcome = AuditOutcome.Failed,
            Actor = new AuditActor("system", "audit", "local"),
            Changes = [Change.Add("/reason", answer.Text), Change.Add("/witness", witness.Vkey), Change.Add("/heldSize", answer.Size), Change.Add("/shown", head.Note.ToString())],
        });
    }

    [LoggerMessage(6022, LogLevel.Critical, "Witness {Witness} refuses the anchor of the audit logs ({Reason}): it is not what the witness had seen. What it was shown stands in the log of the fleet, audit.log-refused")]
    private static partial void LogRefused(ILogger logger, string witness, string reason);

    [LoggerMessage(6023, LogLevel.Warning, "The witness at {Address} has not cosigned the anchor of the audit logs: {Problem}. It is asked again, less and less often")]
    private static partial void LogFailed(ILogger logger, Uri address, string problem);
}
