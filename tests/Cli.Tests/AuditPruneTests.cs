using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Cli.Audit;

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

    [Fact]
    public async Task A_copy_that_was_behind_at_each_pruning_verifies_from_where_the_log_begins_now()
    {
        log.Grow(1_281);
        foreach (var first in new[] { First, 1_280 })
        {
            log.Entries[first] = Encoding.UTF8.GetBytes("""{"recordedAt":"2026-01-01T00:00:00.000Z","type":"licensing.customer-renamed"}""");
        }

        log.Entries.AddRange(new[] { Said(First, 30, "2026-02-15T00:00:00.000Z"), Said(1_280, 30, "2026-02-16T00:00:00.000Z") }.Select(Encoding.UTF8.GetBytes));
        var (code, said, error) = await WithHolesAsync("001", "004");
        Assert.True(code == 0, said + error);
        Assert.Contains("entries 0 to 1,279, by a term of 30 days, as the log itself says in entry 1,282", said, StringComparison.Ordinal);

        // Where the last one ends without the log having been pruned there, something is withheld.
        (code, said, _) = await WithHolesAsync("001", "003");
        Assert.Equal(3, code);
        Assert.StartsWith("Incomplete: tile/entries/001 is not there.", said, StringComparison.Ordinal);
    }

    private Task<(int Code, string Said, string Error)> WithHolesAsync(params string[] holes)
    {
        log.Write(space.PathOf("log"));
        Array.ForEach(holes, hole => File.Delete(space.PathOf($"log/tile/entries/{hole}")));
        return VerifyAsync();
    }

    [Fact]
    public void What_was_pruned_is_held_against_the_term_that_was_in_force_then()
    {
        static DateTimeOffset Day(int day) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(day);
        static string Set(int day, string? days, string producer = "audit", string path = "/days", string type = "audit.retention-set") =>
            $$"""{"changes":[{"op":"replace","path":"{{path}}"{{(days is null ? "" : $",\"value\":{days}")}}}],"producer":"{{producer}}","recordedAt":"{{Day(day):O}}","type":"{{type}}"}""";
        static PrunedPart Part(int at, int firstAt) => new(256, Day(firstAt), 700, Day(at), 30);
        var terms = new TermRegister();
        Assert.Equal("the log of the fleet had published no term when entries before 256 were pruned, as entry 700 says.", terms.ProblemOf(Part(400, 0)));

        // Somebody else's word, another change, a term that is none, and what is no entry at all, count for nothing.
        foreach (var none in new[]
        {
            Set(1, "31", "licensing/1"), Set(1, "31", path: "/dayz"), Set(1, "29"), Set(1, "36501"), Set(1, "\"31\""), Set(1, "31.5"), Set(1, "31", type: "audit.import-skipped").Replace("skipped\"", "skipped\",\"x\":\"audit.retention-set\"", StringComparison.Ordinal),
            """{"changes":[],"producer":"audit","recordedAt":"2026-01-02T00:00:00Z","type":"audit.retention-set"}""", """{"type":"audit.retention-set"}""", "audit.retention-set", "[\"audit.retention-set\"]",
        })
        {
            terms.Read(Encoding.UTF8.GetBytes(none));
        }

        Assert.StartsWith("the log of the fleet had published no term ", terms.ProblemOf(Part(400, 0)), StringComparison.Ordinal);

        // A term, a longer one, none at all, and a shorter one: what counts is the one that was published last before it was said.
        foreach (var said in new[] { Set(10, "30"), Set(100, "60"), Set(200, null), Set(300, "30", "audit/replica-2") })
        {
            terms.Read(Encoding.UTF8.GetBytes(said));
        }

        foreach (var (at, firstAt, problem) in new (int, int, string?)[]
        {
            (9, -100, "had published no term"), (50, 20, null), (50, 21, "published a term of 30 days, and entries before 256 were pruned sooner"), (99, 69, null), (100, 70, "a term of 60 days"), (100, 40, null),
            (250, 0, "had published no term"), (300, 270, null), (300, 271, "a term of 30 days"),
        })
        {
            var said = terms.ProblemOf(Part(at, firstAt));
            Assert.True(problem is null ? said is null : said?.Contains(problem, StringComparison.Ordinal) == true, $"{at} {firstAt}: {said}");
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
