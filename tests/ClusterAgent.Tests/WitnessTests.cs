using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>The agent as a witness. Whoever asks it here holds the key of the log, and signs whatever the test wants signed.</summary>
public sealed class WitnessTests : IDisposable
{
    private const string Origin = "mission-control/0123";
    private readonly string directory = Directory.CreateTempSubdirectory("mc-witness-").FullName;
    private readonly Door door = new(TimeProvider.System);
    private readonly HttpClient http;
    private readonly byte[] seed = Ed25519Key.NewSeed();
    private readonly NoteSigner key;
    private readonly FileIdentity identity;
    private readonly LocalCluster cluster;
    private ISpool spool = new MemorySpool();
    private Agent agent = null!;
    private long version;

    public WitnessTests()
    {
        key = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, seed);
        http = new HttpClient(door, disposeHandler: false) { BaseAddress = new Uri("https://localhost") };
        identity = new FileIdentity(directory) { Enrollment = new Enrollment(new Uri("https://localhost"), Guid.CreateVersion7(), 1, "sha256:", false, 60, 0) };
        cluster = new LocalCluster("Oslo", new LinuxMachine(TimeProvider.System), new CertificateFiles([]), null, Masking.In(directory, new PrivacySettings()), TimeProvider.System);
        Start();
    }

    public static TheoryData<string> Attacks => new("rollback", "fork", "inconsistent", "signature", "other-log");

    public void Dispose()
    {
        identity.Dispose();
        cluster.Dispose();
        http.Dispose();
        door.Dispose();
        key.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task It_says_what_it_holds_and_cosigns_what_goes_on_from_that()
    {
        await agent.CheckInAsync(CancellationToken.None);
        Assert.All(Sent(), answer => Assert.Equal(("held", 0, ""), (answer.Outcome, answer.Size, answer.Origin)));

        Assert.Equal(5, Verified(await AskAsync(Ask(0, 5))));
        Assert.Equal(300, Verified(await AskAsync(Ask(5, 300))));

        // The same again, to say that it is still so; and the log of the anchor beside it, by the same key.
        Assert.Equal(300, Verified(await AskAsync(Ask(300, 300))));
        Assert.Equal(5, Verified(await AskAsync(Ask(0, 5), "anchor")));
        Assert.Null(agent.WitnessProblem);
        Assert.Equal([300, 5], new WitnessBook(directory).Read().Logs.Values.Select(log => log.Checkpoint.Size));
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_log_that_is_not_what_it_was_is_refused_for_good_and_told_with_both_checkpoints(string attack)
    {
        Verified(await AskAsync(Ask(0, 300)));
        using var other = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Ed25519Key.NewSeed());

        // By the same key, since all logs of an installation have one.
        using var renamed = NoteSigner.FromSeed("mission-control/4567", NoteKeyType.Ed25519, seed);
        var request = attack switch
        {
            "rollback" => Ask(300, 250),
            "fork" => Ask(300, 300, rewritten: 299),
            "inconsistent" => Ask(300, 400, rewritten: 10),
            "signature" => Ask(300, 400, signer: other),
            _ => Ask(0, 400, signer: renamed),
        };
        var refused = await AskAsync(request);
        Assert.Equal(("stopped", attack, 300), (refused.Outcome, refused.Reason, refused.Size));
        Assert.Contains("witness-stopped", door.Items.Where(item => item.Type == "event").Select(item => Event.Parser.ParseFrom(item.Body).Kind));
        Assert.Contains(attack, agent.WitnessProblem, StringComparison.Ordinal);

        // Both are evidence by the key of the log alone; but for the one that it never signed.
        using var policy = LogPolicy.Parse($"log {key.Key}\nquorum none\n");
        Assert.Equal(300, policy.Judge(SignedNote.Parse(refused.Held.Span)).Checkpoint.Size);
        if (attack is "signature" or "other-log")
        {
            Assert.Throws<FormatException>(() => policy.Judge(SignedNote.Parse(refused.Shown.Span)));
        }
        else
        {
            Assert.NotEqual(policy.Judge(SignedNote.Parse(refused.Held.Span)).Checkpoint, policy.Judge(SignedNote.Parse(refused.Shown.Span)).Checkpoint);
        }

        // Nothing of that log is cosigned any more, also after a restart, whatever is shown; the other one goes on.
        Start();
        Assert.Equal("stopped", (await AskAsync(Ask(300, 301))).Outcome);
        Assert.Equal(7, Verified(await AskAsync(Ask(0, 7), "anchor")));

        // Until its operator says so: then it begins anew.
        var book = new WitnessBook(directory);
        book.Write(book.Read().Without("customer"));
        Start();
        Assert.Equal(301, Verified(await AskAsync(Ask(0, 301))));
        Assert.Null(agent.WitnessProblem);
    }

    [Fact]
    public async Task What_was_cosigned_is_on_disk_before_anybody_can_hear_of_it_and_a_lost_answer_is_given_again()
    {
        Verified(await AskAsync(Ask(0, 5)));
        var failing = new FailingSpool();
        spool = failing;
        Start();
        await agent.CheckInAsync(CancellationToken.None);
        failing.Fails = true;
        await AskAsync(Ask(5, 9), expected: null);

        // Killed behind the write and before the answer: the same question is answered after the restart.
        Assert.Equal(9, new WitnessBook(directory).Read().Logs["customer"].Checkpoint.Size);
        spool = new MemorySpool();
        Start();
        version--;
        Assert.Equal(9, Verified(await AskAsync(Ask(5, 9))));
    }

    [Fact]
    public async Task What_cannot_be_written_down_is_not_cosigned_and_keeps_nobody_from_calling_home()
    {
        Verified(await AskAsync(Ask(0, 5)));
        Directory.CreateDirectory(Path.Combine(directory, "witness.json.next.tmp"));
        await AskAsync(Ask(5, 9), expected: null);
        Assert.NotNull(agent.WitnessProblem);
        Assert.Equal(5, new WitnessBook(directory).Read().Logs["customer"].Checkpoint.Size);
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
    }

    [Fact]
    public async Task A_machine_that_was_restored_says_from_where_it_has_to_be_shown_more()
    {
        Verified(await AskAsync(Ask(0, 5)));
        var backup = File.ReadAllBytes(Path.Combine(directory, "witness.json"));
        Verified(await AskAsync(Ask(5, 300)));
        File.WriteAllBytes(Path.Combine(directory, "witness.json"), backup);
        Start();
        var behind = await AskAsync(Ask(300, 310));
        Assert.Equal(("conflict", 5), (behind.Outcome, behind.Size));
        Assert.Equal(310, Verified(await AskAsync(Ask(5, 310))));
    }

    [Fact]
    public async Task A_question_from_before_the_last_one_is_not_answered()
    {
        Verified(await AskAsync(Ask(0, 300)));
        version -= 2;

        // A server that was brought back from a backup asks what it had asked long ago: that is no rollback, since it asks for nothing.
        await AskAsync(Ask(5, 250), expected: null);
        version += 2;
        Assert.Equal(301, Verified(await AskAsync(Ask(300, 301))));
    }

    [Fact]
    public async Task A_new_key_is_believed_when_the_old_one_has_signed_beside_it_and_the_old_one_no_more_when_it_is_gone()
    {
        using var next = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        ReadOnlyMemory<byte>[] both = [key.Key.PublicKey, next.Key.PublicKey];
        Verified(await AskAsync(Ask(0, 5)));
        var overlap = Ask(5, 6);
        Verified(await AskAsync(overlap with { Note = overlap.Note.With(next.Sign(Encoding.UTF8.GetBytes(overlap.Note.Text))) }, keys: both));
        Verified(await AskAsync(Ask(6, 7, signer: next), keys: [next.Key.PublicKey]));
        Assert.Equal("signature", (await AskAsync(Ask(7, 8))).Reason);
    }

    [Fact]
    public async Task What_is_no_question_is_answered_and_ends_nothing()
    {
        Verified(await AskAsync(Ask(0, 5)));
        foreach (var body in new[] { "", "old 5\n", "old x\n\n", $"old 5\n\n{Origin}\n6\nAAAA\n\n\u2014 x AAAAAAAA\n" })
        {
            version++;
            await SendAsync(new WitnessAsk { Log = "customer", Request = ByteString.CopyFromUtf8(body) });
            Assert.Equal(("malformed", 5), (Sent().Single().Outcome, Sent().Single().Size));
        }

        Assert.Equal(6, Verified(await AskAsync(Ask(5, 6))));
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_cosigns_nothing()
    {
        Verified(await AskAsync(Ask(0, 5)));
        File.WriteAllText(Path.Combine(directory, "witness.json"), "{");
        Start();
        await AskAsync(Ask(0, 6), expected: null);
        Assert.Contains("--reset all", agent.WitnessProblem, StringComparison.Ordinal);
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
    }

    private void Start() => agent = new Agent(identity, spool, cluster, new CallHomeClient(http, identity, TimeProvider.System), TimeProvider.System, new Random(1), seen: new WitnessBook(directory));

    private static TreeHash Leaf(int index, int rewritten) => TreeHash.OfLeaf(Encoding.ASCII.GetBytes(index == rewritten ? "rewritten" : $"entry {index}"));

    private AddCheckpoint Ask(int old, int size, int rewritten = -1, NoteSigner? signer = null)
    {
        var leaves = Enumerable.Range(0, Math.Max(size, old)).Select(index => Leaf(index, rewritten)).ToArray();
        var text = new Checkpoint((signer ?? key).Key.Name, size, Root(leaves, size)).ToString();
        var proof = old > size ? [] : ProofPlan.Consistency(old, size).Resolve(id => Tile(leaves, id));
        return new AddCheckpoint(old, proof, new SignedNote(text, [(signer ?? key).Sign(Encoding.UTF8.GetBytes(text))]));
    }

    internal static TreeHash Root(TreeHash[] leaves, int size)
    {
        var range = new CompactRange();
        foreach (var leaf in leaves.Take(size))
        {
            range.Append(leaf);
        }

        return range.Root;
    }

    internal static ReadOnlyMemory<byte> Tile(TreeHash[] leaves, TileId id)
    {
        var span = (int)Math.Pow(TileId.FullWidth, id.Level);
        return Enumerable.Range(0, id.Width).SelectMany(i => Root([.. leaves.Skip((((int)id.Index * TileId.FullWidth) + i) * span)], span).Span.ToArray()).ToArray();
    }

    private async Task<WitnessAnswer> AskAsync(AddCheckpoint request, string log = "customer", IReadOnlyList<ReadOnlyMemory<byte>>? keys = null, int? expected = 1)
    {
        version++;
        await SendAsync(new WitnessAsk { Log = log, Request = ByteString.CopyFrom(request.ToBytes()), Keys = { (keys ?? [key.Key.PublicKey]).Select(one => ByteString.CopyFrom(one.Span)) } });
        var sent = Sent();
        Assert.Equal(expected ?? 0, sent.Count);
        return sent.SingleOrDefault()!;
    }

    // Asked with the answer to one check-in, it answers with the next.
    private async Task SendAsync(WitnessAsk ask)
    {
        door.Answer = new CheckInResponse { NextS = 60 };
        await agent.CheckInAsync(CancellationToken.None);
        door.Answer = new CheckInResponse { NextS = 60, Desired = new DesiredState { Etag = $"{version}", Sections = { new Section { Name = "witness", Version = version, Body = new WitnessWanted { Asks = { ask } }.ToByteString() } } } };
        await agent.CheckInAsync(CancellationToken.None);
        await agent.CheckInAsync(CancellationToken.None);
    }

    private List<WitnessAnswer> Sent() => [.. door.Items.Where(item => item.Type == "witness").SelectMany(item => WitnessAnswers.Parser.ParseFrom(item.Body).Answers)];

    private long Verified(WitnessAnswer answer)
    {
        Assert.Equal("cosigned", answer.Outcome);
        using var witness = Ed25519Key.TryFromSpki(identity.WitnessSpki.Span, out var read) ? read : throw new InvalidOperationException();
        using var known = WitnessRules.KeyOf(witness.PublicKey.Span);
        var log = new WitnessBook(directory).Read().Logs[answer.Log];
        Assert.Single(SignedNote.Parse(Encoding.UTF8.GetBytes($"{SignedNote.Parse(Encoding.UTF8.GetBytes(log.Note)).Text}\n{answer.Cosignature}\n")).Open([known]).Verified);
        Assert.Equal(log.Checkpoint.Size, answer.Size);
        return answer.Size;
    }

    /// <summary>A spool on a disk that fails when it is to keep an answer.</summary>
    private sealed class FailingSpool : ISpool
    {
        private readonly MemorySpool inner = new();

        public bool Fails { get; set; }

        public long LowestKept => inner.LowestKept;

        public int Count => inner.Count;

        public int Usage => inner.Usage;

        public long Bytes => inner.Bytes;

        public long OldestAtMs => inner.OldestAtMs;

        public IReadOnlyList<DroppedRange> Dropped => inner.Dropped;

        public long Add(string type, long atMs, ReadOnlySpan<byte> body) => Fails && type == "witness" ? throw new IOException("The disk is gone.") : inner.Add(type, atMs, body);

        public IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held) => inner.Peek(most, mostBytes, held);

        public Item? Find(long seq) => inner.Find(seq);

        public void Acknowledge(long ack, IReadOnlyCollection<long> above) => inner.Acknowledge(ack, above);

        public void Drop(string type, int keep, string reason) => inner.Drop(type, keep, reason);

        public void Remove(long seq) => inner.Remove(seq);

        public void DroppedTold() => inner.DroppedTold();

        public void BeginEpoch() => inner.BeginEpoch();
    }
}
