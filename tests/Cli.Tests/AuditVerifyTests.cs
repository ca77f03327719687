using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Tests;

/// <summary>Logs in a directory, by somebody who keeps them honestly and by somebody who has their keys and does not.</summary>
public sealed class AuditVerifyTests : IDisposable
{
    private static readonly string[] Kept = ["--state", "audit.state", "--output", "json"];

    private readonly Workspace space = new();
    private readonly TestLog log = TestLog.Of(600);

    public AuditVerifyTests() => space.Write("audit.policy", log.Policy());

    public void Dispose()
    {
        log.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_good_log_verifies_again_and_again_and_what_is_new_is_counted()
    {
        log.Write(space.PathOf("log"), DateTimeOffset.UnixEpoch.AddSeconds(1_764_000_000));

        var (code, said, error) = await VerifyAsync("--state", "audit.state");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Good: all that the log holds is what it has signed.\n  log        log.example/acme\n  entries    600\n  root       ", said, StringComparison.Ordinal);
        Assert.EndsWith("\n  witnesses  w1 at 2025-11-24 16:00:00Z\n  read       600 entries, 7 tiles\naudit.state keeps it. This was the first time: whether anything was changed before, nobody can see from here.\n", said, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(space.PathOf("log/checkpoint")), File.ReadAllBytes(space.PathOf("audit.state")));

        Assert.Contains("\n  entries    600; the last time 600\n", (await VerifyAsync("--state", "audit.state")).Said, StringComparison.Ordinal);

        log.Grow(66_000);
        log.Write(space.PathOf("log"));
        var (grown, answer) = await VerifyToJsonAsync(Kept);
        Assert.Equal(0, grown);
        Assert.Equal(
            $$"""{"version":1,"verdict":"good","exitCode":0,"origin":"log.example/acme","size":66000,"root":"{{File.ReadAllLines(space.PathOf("log/checkpoint"))[2]}}","previousSize":600,"newEntries":65400,"witnesses":[],"quorum":true,"firstEntry":0,"entriesRead":66000,"tilesRead":519,"problem":null,"tile":null,"index":null,"evidence":null,"epoch":null,"epochTime":null,"slot":null,"boundSize":null,"anchorSize":null,"anchorOrigin":null,"anchorRoot":null,"witnessedSize":null,"prunedBy":null}""",
            answer.ToJsonString().Replace("\\u002B", "+", StringComparison.Ordinal));
        Assert.Contains("\n  entries    66,000\n", (await VerifyAsync()).Said, StringComparison.Ordinal);

        log.Entries = [];
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await VerifyAsync()).Code);
    }

    [Fact]
    public async Task A_log_that_is_written_anew_and_signed_again_is_found_by_what_was_seen_before()
    {
        var honest = log.Entries;
        log.Entries = honest[..300];
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await VerifyToJsonAsync(Kept)).Code);
        var (state, seen) = (File.ReadAllText(space.PathOf("audit.state")), log.Entries);
        var other = Encoding.UTF8.GetBytes("another entry");

        var found = 0;
        foreach (var (what, forged) in new (string, List<byte[]>)[]
        {
            ("entry 10 is another", [.. honest[..10], other, .. honest[11..]]),
            ("entry 10 is gone", [.. honest[..10], .. honest[11..]]),
            ("entries 5 and 6 have changed places", [.. honest[..5], honest[6], honest[5], .. honest[7..]]),
            ("from entry 299 on it is another log", [.. honest[..299], other, .. honest[300..]]),
        })
        {
            log.Entries = forged;
            log.Write(space.PathOf("log"));
            var (code, answer) = await VerifyToJsonAsync(Kept);

            // No byte of ours has to be believed: two notes that the log has signed, and a proof that the one does not go on from the other.
            Assert.True(code == 2, $"{what}: {answer}");
            var evidence = Evidence(answer, ++found == 1 ? "audit.state.evidence.json" : $"audit.state.evidence-{found}.json");
            Assert.Equal((state, File.ReadAllText(space.PathOf("log/checkpoint"))), ((string)evidence["previousCheckpoint"]!, (string)evidence["checkpoint"]!));
            var (before, now) = (Signed(evidence, "previousCheckpoint"), Signed(evidence, "checkpoint"));
            Assert.True(TreeHash.TryParse((string)evidence["fork"]!["root"]!, out var root));
            Assert.NotEqual(before.Root, root);
            TreeHash[] proof = [.. evidence["fork"]!["consistency"]!.AsArray().Select(text => TreeHash.TryParse((string)text!, out var hash) ? hash : default)];
            Assert.True(MerkleProof.VerifyConsistency(before.Size, root, now.Size, now.Root, proof));
            Assert.Equal(300, (int)evidence["fork"]!["size"]!);

            // Without what was seen before, nothing is wrong with it: docs/cli.md says so.
            Assert.Equal(0, (await VerifyAsync()).Code);
        }

        // As many entries, and less of them.
        foreach (var (forged, sentence) in new (List<byte[]>, string)[] { ([.. seen[..299], other], "The log has signed two roots for its first 300 entries: "), (seen[..250], "The log had 300 entries and has 250 now: entries that were there are gone.") })
        {
            log.Entries = forged;
            log.Write(space.PathOf("log"));
            var (code, answer) = await VerifyToJsonAsync(Kept);
            Assert.Equal(2, code);
            Assert.StartsWith(sentence, (string)answer["problem"]!, StringComparison.Ordinal);
            Assert.NotEqual(Signed(Evidence(answer), "previousCheckpoint"), Signed(Evidence(answer), "checkpoint"));
        }

        // What was not seen before can be changed by whoever has the key, and nobody sees it.
        Assert.Equal(state, File.ReadAllText(space.PathOf("audit.state")));
        log.Entries = [.. honest[..400], other, .. honest[401..]];
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await VerifyToJsonAsync(Kept)).Code);
    }

    [Fact]
    public async Task What_was_changed_and_not_signed_again_is_named_with_its_place()
    {
        log.Write(space.PathOf("log"));
        foreach (var (file, at, tile, index) in new (string, int, string, int?)[] { ("tile/entries/001", 40, "tile/entries/001", 256), ("tile/0/000", 333 * 32 % 8192, "tile/entries/000", 77), ("tile/1/000.p/2", 40, "tile/1/000.p/2", null) })
        {
            var good = File.ReadAllBytes(space.PathOf($"log/{file}"));
            var bad = good.ToArray();
            bad[at] ^= 1;
            File.WriteAllBytes(space.PathOf($"log/{file}"), bad);

            var (code, answer) = await VerifyToJsonAsync("--evidence", "found.json", "--output", "json");
            Assert.Equal((2, tile, index), (code, (string?)answer["tile"], (int?)answer["index"]));
            var evidence = Evidence(answer);
            Assert.Equal((tile, index), ((string?)evidence["tile"], (int?)evidence["index"]));
            Assert.Contains(Convert.ToBase64String(bad), new[] { (string)evidence["content"]!, (string)evidence["hashes"]! });
            File.WriteAllBytes(space.PathOf($"log/{file}"), good);
        }

        Assert.Equal(3, Directory.GetFiles(space.Root, "found*.json").Length);

        // Also what the log says of itself.
        space.Write("log/checkpoint", File.ReadAllText(space.PathOf("log/checkpoint")).Replace("\n600\n", "\n599\n", StringComparison.Ordinal));
        var (changed, said) = await VerifyToJsonAsync("--output", "json");
        Assert.Equal((2, "mc-audit-evidence.json"), (changed, (string?)said["evidence"]));
        Assert.Contains("\n599\n", (string)Evidence(said)["checkpoint"]!, StringComparison.Ordinal);
        Assert.StartsWith("Inconsistent: The signature of log.example/acme is not good. ", (await VerifyAsync()).Said, StringComparison.Ordinal);

        // Where the evidence cannot be written, the verdict stands.
        var (code2, text, error) = await VerifyAsync("--evidence", "nowhere/found.json");
        Assert.Equal(2, code2);
        Assert.StartsWith("The evidence cannot be written: ", error, StringComparison.Ordinal);
        Assert.Contains("Show this to whoever", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_proves_nothing()
    {
        log.Write(space.PathOf("log"));
        foreach (var file in new[] { "tile/entries/000", "tile/entries/002.p/88", "tile/0/001", "tile/1/000.p/2", "checkpoint" })
        {
            File.Move(space.PathOf($"log/{file}"), space.PathOf("aside"));
            var (code, answer) = await VerifyToJsonAsync(Kept);
            Assert.Equal((3, "incomplete", $"{file} is not there."), (code, (string?)answer["verdict"], (string?)answer["problem"]));
            File.Move(space.PathOf("aside"), space.PathOf($"log/{file}"));
        }

        Directory.CreateDirectory(space.PathOf("log/tile/0/x001"));
        Assert.Equal(0, (await VerifyAsync()).Code);
        space.Write("log/checkpoint", "<html>\n");
        Assert.StartsWith("Incomplete: checkpoint is none: ", (await VerifyAsync("--state", "audit.state")).Said, StringComparison.Ordinal);
        File.Delete(space.PathOf("log/checkpoint"));
        Directory.CreateDirectory(space.PathOf("log/checkpoint"));
        Assert.StartsWith("Incomplete: checkpoint cannot be read: ", (await VerifyAsync()).Said, StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf("audit.state")));
    }

    [Fact]
    public async Task Another_log_in_the_place_of_the_one_that_was_there_is_found()
    {
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await VerifyToJsonAsync(Kept)).Code);

        // The same name with another key; another name; and another name that the policy knows, too.
        using var sameName = TestLog.Of(600);
        using var newName = TestLog.Of(700, "log.example/fresh\u202e");
        foreach (var (other, policy, sentence) in new[] { (sameName, log.Policy(), "No signature is of a known key. The checkpoint says that it is of log.example/acme."), (newName, log.Policy(), "No signature is of a known key. The checkpoint says that it is of log.example/fresh"), (newName, log.Policy() + newName.Key, "this one says it is log.example/fresh") })
        {
            other.Write(space.PathOf("log"));
            space.Write("audit.policy", policy);
            var (code, answer) = await VerifyToJsonAsync(Kept);
            Assert.Equal(2, code);
            Assert.Contains(sentence, (string)answer["problem"]!, StringComparison.Ordinal);
            Assert.NotEqual((string)Evidence(answer)["previousCheckpoint"]!, (string)Evidence(answer)["checkpoint"]!);
            var said = (await VerifyAsync("--state", "audit.state")).Said;
            Assert.DoesNotContain('\u202e', said);
        }
    }

    [Fact]
    public async Task The_witnesses_that_the_policy_wants_must_have_seen_it_and_lately()
    {
        space.Write("audit.policy", log.Policy("both"));
        var now = DateTimeOffset.UtcNow;
        foreach (var (times, maxAge, code, sentence) in new (DateTimeOffset[], string, int, string)[]
        {
            ([], "1h", 3, "Incomplete: Too few witnesses have signed the checkpoint for the policy's quorum: none."),
            ([now], "1h", 3, "Incomplete: Too few witnesses have signed the checkpoint for the policy's quorum: w1."),
            ([now.AddHours(-3), now.AddMinutes(-50)], "1h", 0, "Good: "),
            ([now.AddHours(-3), now.AddMinutes(-70)], "1h", 4, "Stale: The last witness has seen the checkpoint at "),
            ([now.AddHours(-3), now.AddMinutes(-70)], "71m", 0, "Good: "),
            ([now.AddDays(-3), now.AddDays(-4)], "2d", 4, "Stale: "),
        })
        {
            log.Write(space.PathOf("log"), times);
            File.Delete(space.PathOf("audit.state"));
            var (ended, said, _) = await VerifyAsync("--max-age", maxAge, "--state", "audit.state");
            Assert.Equal(code, ended);
            Assert.StartsWith(sentence, said, StringComparison.Ordinal);
            Assert.Equal(code == 0, File.Exists(space.PathOf("audit.state")));
        }

        space.Write("audit.policy", log.Policy());
        log.Write(space.PathOf("log"));
        Assert.StartsWith("Stale: No witness says when it has seen the checkpoint.", (await VerifyAsync("--max-age", "1h")).Said, StringComparison.Ordinal);

        // A clock of a witness that says anything is no reason to fall over.
        log.Write(space.PathOf("log"), DateTimeOffset.MaxValue);
        Assert.Contains("w1 at 9999-12-31", (await VerifyAsync("--max-age", "1h")).Said, StringComparison.Ordinal);

        // What is wrong comes before who has not seen it.
        space.Write("audit.policy", log.Policy("both"));
        File.AppendAllText(space.PathOf("log/tile/entries/000"), "more");
        Assert.Equal(2, (await VerifyAsync()).Code);
        File.Delete(space.PathOf("log/tile/entries/000"));
        Assert.Equal(3, (await VerifyAsync("--max-age", "1s")).Code);
    }

    [Fact]
    public async Task Wrong_use_is_no_verdict()
    {
        log.Write(space.PathOf("log"));
        using var stranger = TestLog.Of(3);
        stranger.Write(space.PathOf("strange"));
        space.Write("no.policy", "quorum");
        space.Write("no.state", "text");
        foreach (var arguments in new string[][]
        {
            ["audit"], ["audit", "verify"], ["audit", "verify", "log"], ["audit", "verify", "log", "--policy"], ["audit", "sing"], ["audit", "mirror", "log", "--policy", "audit.policy"],
            Verify("--policy", "audit.policy"), Verify("--max-age", "1w"), Verify("--max-age", "0h"), Verify("--max-age", "h"), Verify("--max-age", "200000d"), Verify("--output", "xml"), Verify("--state", "no.state"), Verify("--state", "strange/checkpoint"), Verify("--state", ""),
            ["audit", "verify", "log", "--policy", "no.policy"], ["audit", "verify", "log", "--policy", "none"], ["audit", "verify", "", "--policy", "audit.policy"],
            ["audit", "verify", "http://log.example.com", "--policy", "audit.policy"], ["audit", "verify", "https://a@log.example.com", "--policy", "audit.policy"], ["audit", "verify", "https://log.example.com/?x", "--policy", "audit.policy"],
            ["audit", "verify", "ftp://log.example.com", "--policy", "audit.policy"], ["audit", "verify", "https://log.example.com", "--policy", "audit.policy", "--ca-file", "audit.policy"],
        })
        {
            var (code, said, error) = await space.McAsync(arguments);
            Assert.True(code == 64, $"{string.Join(' ', arguments)}: {code} {said}{error}");
            Assert.NotEmpty(error);
        }

        Assert.EndsWith("See mc --help, and mc audit verify --help.\n", (await space.McAsync("audit", "verify")).Error, StringComparison.Ordinal);
        Assert.Equal((0, ""), ((await space.McAsync("audit", "verify", "--help")) is var (code2, _, error2) ? (code2, error2) : default));
        var (good, _, hindered) = await VerifyAsync("--state", "nowhere/audit.state");
        Assert.Equal(64, good);
        Assert.NotEmpty(hindered);
    }

    private static string[] Verify(params string[] more) => ["audit", "verify", "log", "--policy", "audit.policy", .. more];

    private Task<(int Code, string Said, string Error)> VerifyAsync(params string[] more) => space.McAsync(Verify(more));

    private async Task<(int Code, JsonNode Answer)> VerifyToJsonAsync(params string[] more)
    {
        var (code, said, error) = await VerifyAsync(more);
        Assert.Equal("", error);
        var answer = JsonNode.Parse(said)!;
        Assert.Equal(code, (int)answer["exitCode"]!);
        return (code, answer);
    }

    private JsonNode Evidence(JsonNode answer, string? file = null)
    {
        Assert.True(file is null || file == (string?)answer["evidence"], answer.ToString());
        var evidence = JsonNode.Parse(File.ReadAllText(space.PathOf((string)answer["evidence"]!)))!;
        Assert.Equal((string?)answer["problem"], (string?)evidence["problem"]);
        return evidence;
    }

    private Checkpoint Signed(JsonNode evidence, string member)
    {
        using var policy = LogPolicy.Parse(log.Policy());
        return policy.Judge(SignedNote.Parse(Encoding.UTF8.GetBytes((string)evidence[member]!))).Checkpoint;
    }
}
