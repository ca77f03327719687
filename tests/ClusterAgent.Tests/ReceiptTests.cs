using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.ClusterAgent.Commands;
using MissionControl.ClusterAgent.Receipts;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>What an agent acts by, and what it does not act by. Whoever attacks it here holds whatever the attack needs, often the log's own key.</summary>
public sealed class ReceiptTests : IDisposable
{
    private const string Origin = "mission-control/0123";
    private const int Held = 300;
    private const string Approver = "person:22222222222222222222222222222222";
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Cluster = Guid.Parse("0198d1a0-0000-7000-8000-000000000001");
    private static readonly WantedAction Wanted = new(Cluster, "remoteaccess.session-opened", "session", "0198");
    private readonly string directory = Directory.CreateTempSubdirectory("mc-receipt-").FullName;
    private readonly byte[] seed = Ed25519Key.NewSeed();
    private readonly NoteSigner key;

    public ReceiptTests() => key = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, seed);

    public static TheoryData<string, string> Attacks => new()
    {
        { "another-log", "other-log" },
        { "forged", "signature" },
        { "replaced-key", "signature" },
        { "changed-note", "signature" },
        { "no-proof", "unproven" },
        { "proof-of-another", "unproven" },
        { "fork", "fork" },
        { "rewritten", "inconsistent" },
        { "older", "older" },
        { "unseen", "unseen" },
        { "stopped", "stopped" },
        { "altered-entry", "inclusion" },
        { "wrong-index", "inclusion" },
        { "long-path", "inclusion" },
        { "no-entry", "malformed" },
        { "long-entry", "malformed" },
        { "trailing", "malformed" },
        { "too-long", "malformed" },
    };

    public static TheoryData<string, string, string> Entries => new()
    {
        { "/clusterId", "\"0198d1a0-0000-7000-8000-000000000002\"", "cluster" },
        { "/clusterId", "null", "cluster" },
        { "/log", "\"fleet\"", "cluster" },
        { "/type", "\"remoteaccess.session-closed\"", "type" },
        { "/target/id", "\"0199\"", "target" },
        { "/target/type", "\"tunnel\"", "target" },
        { "/outcome", "\"denied\"", "outcome" },
        { "/receipt", "\"none\"", "outcome" },
        { "/actor/mfa", "false", "mfa" },
        { "/actor/kind", "\"serviceAccount\"", "mfa" },
        { "/changes/0/value", "\"person:11111111111111111111111111111111\"", "approval" },
        { "/changes/0/value", "\"\"", "approval" },
        { "/changes/0/value", "\"person:2\"", "approval" },
        { "/changes/0/value", "\"person:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "approval" },
        { "/actor/id", "\"service:11111111111111111111111111111111\"", "approval" },
        { "/changes/1/value", "\"2026-11-29T11:59:00.001Z\"", "expired" },
        { "/recordedAt", "\"2026-11-27T12:58:59.999Z\"", "expired" },
        { "/changes/0/value", "7", "approval" },
        { "/changes/0/op", "\"remove\"", "approval" },
        { "/changes/0/path", "\"/expiresAt\"", "approval" },
        { "/changes/1/path", "\"/approvedBy\"", "approval" },
        { "/changes/1/value", "\"2026-11-28T12:00:00.000Z\"", "expired" },
        { "/changes/1/value", "\"2026-11-28T15:00:00+02:00\"", "expired" },
        { "/changes/1/path", "\"/other\"", "expired" },
        { "/changes", "null", "malformed" },
        { "/actor/mfa", "\"true\"", "malformed" },
        { "/v", "2", "malformed" },
    };

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void It_acts_by_what_stands_in_its_customers_log_and_then_the_log_cannot_go_on_without_it()
    {
        var (receipt, goesOn) = Receipt(Entry());
        var proven = ReceiptCheck.Judge(Seen(), receipt.ToBytes(), goesOn.ToBytes(), Wanted, Now);
        Assert.Equal((Approver, Held + 1, Wanted.TargetId), (proven.Approver, proven.Checkpoint.Size, proven.Entry.Target.Id));

        // What it has acted by it has seen: by the same receipt once more it needs no other proof, and whoever shows a log without it is found out.
        Assert.Equal(Held + 1, proven.Next.Logs["customer"].Checkpoint.Size);
        Assert.Same(proven.Next, ReceiptCheck.Judge(proven.Next, receipt.ToBytes(), [], Wanted, Now).Next);
        var without = Leaves(Held + 2);
        var request = new AddCheckpoint(Held + 1, Consistency(without, Held + 1), Sign(without));
        Assert.Equal(WitnessFinding.Inconsistent, WitnessRules.Judge(proven.Next.Logs["customer"].Checkpoint, request, [key.Key.PublicKey], out _));

        // Words of witnesses come along, however many, and a member that is not known yet changes nothing.
        var (cosigned, proof) = Receipt(Changed("/later", "{}"));
        using var witness = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var note = Enumerable.Range(0, 90).Aggregate(cosigned.Note, (so, i) => so.With(WitnessRules.Cosign(witness.PublicKey.Span, witness.Sign, so.Text, i)));
        proven = ReceiptCheck.Judge(Seen(), (cosigned with { Note = note }).ToBytes(), proof.ToBytes(), Wanted, Now);
        Assert.Single(SignedNote.Parse(Encoding.UTF8.GetBytes(proven.Next.Logs["customer"].Note)).Signatures);
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public void What_does_not_prove_that_the_entry_stands_in_the_log_is_refused(string attack, string reason)
    {
        using var other = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        using var renamed = NoteSigner.FromSeed("mission-control/4567", NoteKeyType.Ed25519, seed);
        var (seen, entry) = (Seen(), Entry());
        var (receipt, goesOn) = attack switch
        {
            "another-log" => Receipt(entry, signer: renamed),
            "forged" => Receipt(entry, signer: other),
            "fork" => Receipt(entry, before: Held - 1),
            "rewritten" => Receipt(entry, rewritten: 10),
            "older" => Receipt(entry, before: Held - 2),
            "long-entry" => Receipt(new byte[TreeHash.MaxEntry + 1]),
            "no-entry" => Receipt([]),
            _ => Receipt(entry),
        };
        seen = attack switch
        {
            "replaced-key" => seen with { Keys = [other.Key.PublicKey.ToArray()] },
            "unseen" => Witnesses.Seen.Nothing with { Keys = seen.Keys },
            "stopped" => seen.With("customer", seen.Logs["customer"] with { Refusal = new Witnesses.Refusal("fork", "", Now) }),
            _ => seen,
        };
        receipt = attack switch
        {
            "changed-note" => receipt with { Note = new SignedNote(receipt.Note.Text + "more\n", receipt.Note.Signatures) },
            "altered-entry" => receipt with { Extra = Changed("/target/id", "\"0197\"") },
            "wrong-index" => receipt with { Index = Held - 1 },
            "long-path" => receipt with { Path = [.. receipt.Path, TreeHash.Empty] },
            _ => receipt,
        };
        goesOn = attack == "changed-note" ? goesOn with { Note = receipt.Note } : goesOn;
        byte[] bytes = attack switch
        {
            "trailing" => [.. receipt.ToBytes(), (byte)'\n'],
            "too-long" => [.. receipt.ToBytes(), .. new byte[ReceiptCheck.MostBytes]],
            _ => receipt.ToBytes(),
        };
        var proof = attack switch
        {
            "no-proof" or "fork" or "older" => [],
            "proof-of-another" => Receipt(Changed("/target/id", "\"0197\"")).GoesOn.ToBytes(),
            _ => goesOn.ToBytes(),
        };
        Assert.Equal(reason, Assert.Throws<ReceiptRefusedException>(() => ReceiptCheck.Judge(seen, bytes, proof, Wanted, Now)).Reason);
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public void What_stands_in_the_log_and_says_something_else_is_refused(string path, string value, string reason)
    {
        var (receipt, goesOn) = Receipt(Changed(path, value));
        Assert.Equal(reason, Assert.Throws<ReceiptRefusedException>(() => ReceiptCheck.Judge(Seen(), receipt.ToBytes(), goesOn.ToBytes(), Wanted, Now)).Reason);
    }

    [Theory]
    [InlineData("\"mfa\":true", "\"mfa\":false,\"mfa\":true")]
    [InlineData("\"changes\":[", "\"changes\":[null,")]
    [InlineData("\"value\":\"person:2", "\"value\":\"\\ud800person:2")]
    [InlineData("\"id\":\"person:1", "\"id\":\"\\ud800person:1")]
    public void An_entry_that_says_something_twice_or_nothing_that_can_be_read_is_refused(string text, string other)
    {
        var changed = Encoding.UTF8.GetString(Entry()).Replace(text, other, StringComparison.Ordinal);
        Assert.NotEqual(Encoding.UTF8.GetString(Entry()), changed);
        var (receipt, goesOn) = Receipt(Encoding.UTF8.GetBytes(changed));
        Assert.Equal("malformed", Assert.Throws<ReceiptRefusedException>(() => ReceiptCheck.Judge(Seen(), receipt.ToBytes(), goesOn.ToBytes(), Wanted, Now)).Reason);
    }

    [Fact]
    public async Task The_command_says_whether_the_agent_would_act()
    {
        var (receipt, goesOn) = Receipt(Changed("", "", DateTimeOffset.UtcNow));
        File.WriteAllBytes(Path.Combine(directory, "a.tlog-proof"), receipt.ToBytes());
        File.WriteAllBytes(Path.Combine(directory, "goes-on"), goesOn.ToBytes());
        Assert.Equal(2, (await RunAsync("--goes-on", Path.Combine(directory, "goes-on"))).Exit);

        using (var identity = new FileIdentity(directory))
        {
            identity.Enrollment = new Enrollment(new Uri("https://localhost"), Cluster, 1, "sha256:", false, 60, 0);
        }

        new WitnessBook(directory).Write(Seen());
        var (exit, said) = await RunAsync("--goes-on", Path.Combine(directory, "goes-on"));
        Assert.Equal((0, true, Approver), (exit, said!["mayAct"]!.GetValue<bool>(), said["approver"]!.GetValue<string>()));
        (exit, said) = await RunAsync();
        Assert.Equal((4, false, "unproven"), (exit, said!["mayAct"]!.GetValue<bool>(), said["reason"]!.GetValue<string>()));

        // It only looks.
        Assert.Equal(Held, new WitnessBook(directory).Read().Logs["customer"].Checkpoint.Size);
    }

    private async Task<(int Exit, JsonNode? Said)> RunAsync(params string[] more)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await AgentCommand.Create().Parse(["receipt", Path.Combine(directory, "a.tlog-proof"), "--type", Wanted.Type, "--target", "session/0198", "--data", directory, "--output", "json", .. more])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return (exit, exit == 2 ? null : JsonNode.Parse(output.ToString()));
    }

    private static byte[] Entry() => Changed("", "");

    private static byte[] Changed(string path, string value, DateTimeOffset? recorded = null)
    {
        var recordedAt = recorded ?? Now.AddMinutes(-1);
        var entry = JsonNode.Parse($$"""
            {"actor":{"auth":"session","id":"person:11111111111111111111111111111111","kind":"staff","mfa":true},"changes":[{"op":"add","path":"/approvedBy","value":"person:22222222222222222222222222222222"},{"op":"add","path":"/expiresAt","value":"{{recordedAt.AddHours(1).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}"}],"clusterId":"{{Cluster}}","commitments":{},
             "eventId":"0198d1a0-0000-7000-8000-000000000009","log":"customer","outcome":"success","producer":"remoteaccess/1","producerSeq":1,"recordedAt":"{{recordedAt.UtcDateTime:O}}","receipt":"required","target":{"id":"0198","type":"session"},"type":"remoteaccess.session-opened","v":1}
            """)!;
        if (path.Length > 0)
        {
            var parts = path[1..].Split('/');
            var at = parts[..^1].Aggregate(entry, (node, part) => node is JsonArray array ? array[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)]! : node[part]!);
            at[parts[^1]] = JsonNode.Parse(value);
        }

        return JsonSerializer.SerializeToUtf8Bytes(entry);
    }

    private static TreeHash[] Leaves(int size, int rewritten = -1) => [.. Enumerable.Range(0, size).Select(i => TreeHash.OfLeaf(Encoding.ASCII.GetBytes(i == rewritten ? "rewritten" : $"entry {i}")))];

    private static TreeHash[] Consistency(TreeHash[] leaves, int from) => ProofPlan.Consistency(from, leaves.Length).Resolve(id => WitnessTests.Tile(leaves, id));

    private SignedNote Sign(TreeHash[] leaves, NoteSigner? signer = null)
    {
        var text = new Checkpoint((signer ?? key).Key.Name, leaves.Length, WitnessTests.Root(leaves, leaves.Length)).ToString();
        return new SignedNote(text, [(signer ?? key).Sign(Encoding.UTF8.GetBytes(text))]);
    }

    private Seen Seen() => new(1, [key.Key.PublicKey.ToArray()], new Dictionary<string, SeenLog> { ["customer"] = new(Sign(Leaves(Held)).ToString(), Now) });

    // A log of so many entries and this one, signed, and the proof that it goes on from what the agent has seen.
    private (LogProof Receipt, AddCheckpoint GoesOn) Receipt(byte[] entry, int before = Held, int rewritten = -1, NoteSigner? signer = null)
    {
        TreeHash[] leaves = [.. Leaves(before, rewritten), TreeHash.OfLeaf(entry)];
        var note = Sign(leaves, signer);
        return (new LogProof(before, ProofPlan.Inclusion(before, leaves.Length).Resolve(id => WitnessTests.Tile(leaves, id)), note) { Extra = entry }, new AddCheckpoint(Held, leaves.Length > Held ? Consistency(leaves, Held) : [], note));
    }
}
