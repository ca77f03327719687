using System.Text;
using System.Text.Json.Nodes;

namespace MissionControl.Cli.Tests;

/// <summary>Logs that begin behind their first entry: one that says so is as good as it was, and one that does not withholds something.</summary>
public sealed class AuditPruneTests : IDisposable
{
    private const int First = 512;
    private readonly Workspace space = new();
    private readonly TestLog log = TestLog.Of(300);

    public AuditPruneTests() => space.Write("audit.policy", log.Policy());

    public void Dispose()
    {
        log.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_log_that_says_what_was_pruned_verifies_from_there_on_and_against_what_was_seen_before()
    {
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await VerifyAsync("--state", "early")).Code);
        File.Copy(space.PathOf("early"), space.PathOf("kept"));
        Grow("2026-01-01T00:00:00.000Z", Said(First, 30, "2026-02-15T00:00:00.000Z"));
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await space.McAsync("audit", "mirror", "log", "whole", "--policy", "audit.policy")).Code);
        Prune();

        var (code, said, error) = await VerifyAsync();
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Good: all that the log holds is what it has signed.", said, StringComparison.Ordinal);
        Assert.Contains("entries 0 to 511, by a term of 30 days, as the log itself says in entry 700; the fleet's log was not asked: the root proves their hashes, their text is gone", said, StringComparison.Ordinal);
        var answer = JsonNode.Parse((await VerifyAsync("--state", "early", "--output", "json")).Said)!;
        Assert.Equal((0, 300, First, 700, 189), ((int)answer["exitCode"]!, (int)answer["previousSize"]!, (int)answer["firstEntry"]!, (int)answer["prunedBy"]!, (int)answer["entriesRead"]!));
        Assert.Equal(0, (await VerifyAsync("--state", "early")).Code);

        // A copy of all stays one of all, a new one begins where the log does, and one that was behind has a hole.
        Assert.Equal(701, (int)JsonNode.Parse((await space.McAsync("audit", "mirror", "log", "whole", "--policy", "audit.policy", "--output", "json")).Said)!["entriesRead"]!);
        Assert.Equal(0, (await space.McAsync("audit", "mirror", "log", "later", "--policy", "audit.policy")).Code);

        // Whatever a copy has of what is gone: where the log begins now, the log says.
        File.Move(space.PathOf("whole/tile/entries/000"), space.PathOf("whole-000"));
        Assert.Equal(0, (await space.McAsync("audit", "mirror", "log", "whole", "--policy", "audit.policy")).Code);
        File.Move(space.PathOf("whole-000"), space.PathOf("whole/tile/entries/000"));
        File.Delete(space.PathOf("whole/tile/entries/001"));
        foreach (var copy in new[] { "later", "whole" })
        {
            Assert.Equal(First, (int)JsonNode.Parse((await space.McAsync("audit", "verify", copy, "--policy", "audit.policy", "--output", "json")).Said)!["firstEntry"]!);
        }

        // What was seen before is no beginning of it.
        log.Entries[7] = [1];
        log.Write(space.PathOf("log"));
        Prune();
        Assert.Equal(0, (await VerifyAsync()).Code);
        var (other, why, _) = await VerifyAsync("--state", "kept");
        Assert.Equal(2, other);
        Assert.StartsWith("Inconsistent: The first 300 entries are not those that the log had signed.", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_does_not_say_it_or_prunes_too_soon_withholds_entries()
    {
        var soon = Said(First, 30, "2026-01-30T00:00:00.000Z");
        foreach (var (entry, sentence) in new[]
        {
            (Said(First, 29, "2026-02-15T00:00:00.000Z"), "Incomplete: tile/entries/000 is not there."),
            (Said(First, 30, "2026-02-15T00:00:00.000Z").Replace("\"audit\"", "\"licensing/7\"", StringComparison.Ordinal), "Incomplete: tile/entries/000 is not there."),
            ($"{soon}\n{Said(First, 30, "2026-02-15T00:00:00.000Z")}", "Incomplete: Entries 0 to 511 were pruned before they were 30 days old, as entry 700 has it: entry 512 is of 2026-01-01T00:00:00Z."),
            ("{}", "Incomplete: tile/entries/000 is not there."),
            (Said(256, 30, "2026-02-15T00:00:00.000Z"), "Incomplete: tile/entries/000 is not there."),
            (Said(First, 30, "2026-02-15T00:00:00.000Z").Replace("audit.log-pruned", "audit.log-pruner", StringComparison.Ordinal), "Incomplete: tile/entries/000 is not there."),
            (soon, "Incomplete: Entries 0 to 511 were pruned before they were 30 days old, as entry 700 has it: entry 512 is of 2026-01-01T00:00:00Z."),
        })
        {
            log.Entries.RemoveRange(300, log.Entries.Count - 300);
            Grow("2026-01-01T00:00:00.000Z", entry);
            log.Write(space.PathOf("log"));
            Prune();
            var (code, said, _) = await VerifyAsync();
            Assert.Equal(3, code);
            Assert.StartsWith(sentence, said, StringComparison.Ordinal);
        }
    }

    private static string Said(int minimum, int days, string at) =>
        $$"""{"changes":[{"op":"add","path":"/minimum","value":{{minimum}}},{"op":"add","path":"/root","value":"x"},{"op":"add","path":"/days","value":{{days}}}],"producer":"audit","recordedAt":"{{at}}","type":"audit.log-pruned"}""";

    private void Grow(string firstAt, string lines)
    {
        log.Grow(700);
        log.Entries[First] = Encoding.UTF8.GetBytes($$"""{"recordedAt":"{{firstAt}}","type":"licensing.customer-renamed"}""");
        log.Entries.AddRange(lines.Split('\n').Select(Encoding.UTF8.GetBytes));
    }

    private void Prune()
    {
        File.Delete(space.PathOf("log/tile/entries/000"));
        File.Delete(space.PathOf("log/tile/entries/001"));
    }

    private Task<(int Code, string Said, string Error)> VerifyAsync(params string[] more) => space.McAsync(["audit", "verify", "log", "--policy", "audit.policy", .. more]);
}
