using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.Log;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Witnesses;

/// <summary>
/// The agent as a witness of the audit logs: asked by a section of the desired state, it verifies that what it is shown goes on from what
/// it has seen, writes that down, and only then cosigns. What does not go on ends the witnessing of that log until the agent's operator
/// resets it, and is told with both checkpoints.
/// </summary>
internal sealed class Witnessing(IAgentIdentity identity, WitnessBook book, ISpool spool, IClusterSource source, TimeProvider time, CounterLog? log)
{
    /// <summary>The section of the desired state by which it is asked.</summary>
    public const string Section = "witness";

    private const string Type = "witness";
    private const int MostKeys = 8;
    private static readonly string[] Logs = ["anchor", "customer"];
    private long answered;
    private bool told;

    /// <summary>Why nothing is cosigned, or not all; null when nothing is wrong.</summary>
    public string? Problem { get; private set; }

    /// <summary>Says once in a run what is held: that this agent is a witness, and from where it has to be shown more.</summary>
    public void Tell(DateTimeOffset serverNow)
    {
        if (told || Read() is not { } seen)
        {
            return;
        }

        var answers = new WitnessAnswers();
        answers.Answers.AddRange(Logs.Select(log => HeldOf(log, seen.Logs.GetValueOrDefault(log))));
        told = Store(() =>
        {
            // The last answer may not have left yet.
            spool.Drop(Type, keep: 1, "superseded");
            spool.Add(Type, serverNow.ToUnixTimeMilliseconds(), answers.ToByteArray());
        });
    }

    /// <summary>Answers what is asked, once in a run; a lost answer is given again after a restart, since nothing else was cosigned meanwhile.</summary>
    public void Apply(Protocol.CallHome.Section? section, DateTimeOffset serverNow)
    {
        // An older version is what a server that was brought back from a backup has left: it asks for nothing that is true any more.
        if (section is null || section.Version == answered || Read() is not { } seen || section.Version < seen.Version)
        {
            return;
        }

        WitnessWanted wanted;
        try
        {
            wanted = WitnessWanted.Parser.ParseFrom(section.Body);
        }
        catch (InvalidProtocolBufferException exception)
        {
            Problem = $"What Mission Control asks of the witness cannot be read: {exception.Message}";
            return;
        }

        var before = seen;
        var judged = wanted.Asks.Where(ask => Logs.Contains(ask.Log)).DistinctBy(ask => ask.Log).Select(ask => (ask.Log, Answer: Judge(ask, ref seen))).ToList();
        seen = seen with { Version = section.Version };
        var kept = seen;

        // Before anybody is told: what was said once can never be taken back.
        if (!Store(() => book.Write(kept)))
        {
            return;
        }

        foreach (var (name, answer) in judged.Where(one => one.Answer.Outcome == "stopped" && before.Logs.GetValueOrDefault(one.Log)?.Refusal is null))
        {
            log?.Note("log-refused", $"The audit log '{name}' is not what was seen ({answer.Reason}), and is cosigned no more.", null, serverNow);
            source.Tell("witness-stopped", "severe", $"The audit log '{name}' of Mission Control is not what this agent had seen ({answer.Reason}). Nothing more is cosigned; see mc-agent witness.");
        }

        var answers = new WitnessAnswers();
        answers.Answers.AddRange(judged.Select(one => one.Answer.Outcome == "cosigned" ? Cosign(one.Answer, seen.Logs[one.Log]) : one.Answer));
        answers.ClusterLog = log?.Show(wanted.ClusterLog);
        if (Store(() => spool.Add(Type, serverNow.ToUnixTimeMilliseconds(), answers.ToByteArray())))
        {
            answered = section.Version;
            Problem = ProblemOf(seen);
        }
    }

    private Seen? Read()
    {
        try
        {
            var seen = book.Read();
            Problem = ProblemOf(seen);
            return seen;
        }
        catch (InvalidDataException exception)
        {
            Problem = exception.Message;
            return null;
        }
    }

    // What the witness cannot write down keeps nobody from calling home.
    private bool Store(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Problem = $"what was seen of the audit logs cannot be written down, so nothing is cosigned: {exception.Message}";
            return false;
        }
    }

    private static string? ProblemOf(Seen seen) => seen.Logs.FirstOrDefault(log => log.Value.Refusal is not null) is { Value.Refusal: { } refusal } stopped
        ? $"the audit log '{stopped.Key}' of Mission Control is not what this agent had seen ({refusal.Reason}, {refusal.At.UtcDateTime:yyyy-MM-dd HH:mm}Z): nothing more of it is cosigned. mc-agent witness shows both checkpoints."
        : null;

    private WitnessAnswer Judge(WitnessAsk ask, ref Seen seen)
    {
        var held = seen.Logs.GetValueOrDefault(ask.Log);
        if (held?.Refusal is not null)
        {
            return HeldOf(ask.Log, held);
        }

        try
        {
            var request = AddCheckpoint.Parse(ask.Request.Span);
            if (request.Note.ToBytes().Length > ItemLimits.NoteBytes)
            {
                return HeldOf(ask.Log, held, "malformed");
            }

            var offered = ask.Keys.Where(key => key.Length == Ed25519Key.KeySize).Take(MostKeys).Select(key => key.Memory).ToList();
            var believed = seen.Keys.Count == 0 ? offered : seen.Keys.Select(key => (ReadOnlyMemory<byte>)key).ToList();
            var finding = WitnessRules.Judge(held?.Checkpoint, request, believed, out var signers);
            if (finding == WitnessFinding.Consistent)
            {
                // One that is believed has signed beside the new ones, which is how a key is replaced; those that sign no more are believed no more.
                _ = WitnessRules.Judge(null, request with { Old = 0, Proof = [] }, offered, out var vouched);
                var keys = signers.Concat(vouched).Select(key => key.ToArray()).DistinctBy(Convert.ToHexString).ToList();
                seen = seen.With(ask.Log, Same(held, request) ? held! : new SeenLog(request.Note.ToString(), time.GetUtcNow())) with { Keys = Same(seen.Keys, keys) ? seen.Keys : keys };
                return HeldOf(ask.Log, seen.Logs[ask.Log], "cosigned");
            }

            if (finding == WitnessFinding.Conflict || held is null)
            {
                // Of a log that nothing is known of nothing can be proven.
                return HeldOf(ask.Log, held, finding == WitnessFinding.Conflict ? "conflict" : "malformed");
            }

            seen = seen.With(ask.Log, held with { Refusal = new Refusal(Words(finding), request.Note.ToString(), time.GetUtcNow()) });
            return HeldOf(ask.Log, seen.Logs[ask.Log]);
        }
        catch (FormatException)
        {
            return HeldOf(ask.Log, held, "malformed");
        }
    }

    private WitnessAnswer Cosign(WitnessAnswer answer, SeenLog log)
    {
        using var key = Ed25519Key.TryFromSpki(identity.WitnessSpki.Span, out var read) ? read : throw new InvalidOperationException("The witness's key cannot be read.");
        var text = SignedNote.Parse(Encoding.UTF8.GetBytes(log.Note)).Text;
        answer.Cosignature = WitnessRules.Cosign(key.PublicKey.Span, identity.SignAsWitness, text, time.GetUtcNow().ToUnixTimeSeconds()).ToString();
        return answer;
    }

    private static WitnessAnswer HeldOf(string name, SeenLog? log, string outcome = "held")
    {
        var answer = new WitnessAnswer { Log = name, Outcome = outcome };
        if (log is not null)
        {
            var held = log.Checkpoint;
            (answer.Origin, answer.Size) = (held.Origin, held.Size);
        }

        if (log?.Refusal is { } refusal)
        {
            (answer.Outcome, answer.Reason, answer.Held, answer.Shown) = ("stopped", refusal.Reason, ByteString.CopyFromUtf8(log.Note), ByteString.CopyFromUtf8(refusal.Note));
        }

        return answer;
    }

    private static bool Same(SeenLog? held, AddCheckpoint request) => held?.Checkpoint.Size == Checkpoint.Parse(request.Note.Text).Size;

    private static bool Same(IReadOnlyList<byte[]> some, IReadOnlyList<byte[]> others) => some.Select(Convert.ToHexString).SequenceEqual(others.Select(Convert.ToHexString));

    private static string Words(WitnessFinding finding) => finding switch
    {
        WitnessFinding.Signature => "signature",
        WitnessFinding.Rollback => "rollback",
        WitnessFinding.Fork => "fork",
        WitnessFinding.Inconsistent => "inconsistent",
        _ => "other-log",
    };
}
