using System.CommandLine;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Tests;

/// <summary>Logs in one file, as they were downloaded and as somebody else made them.</summary>
public sealed class AuditBundleTests : IDisposable
{
    private readonly Workspace space = new();
    private readonly TestLog log = TestLog.Of(600);

    public AuditBundleTests() => space.Write("audit.policy", log.Policy());

    public void Dispose()
    {
        log.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_bundle_is_verified_offline_and_of_a_part_that_part()
    {
        Pack();
        var (code, said, error) = await space.McAsync("audit", "verify", "bundle.zip", "--policy", "audit.policy", "--no-anchor");
        Assert.True(code == 0 && said.StartsWith("Good: all that the log holds is what it has signed.\n", StringComparison.Ordinal), said + error);

        log.Grow(66_000);
        foreach (var first in new[] { 256, 65_280, 65_536, 65_792 })
        {
            Pack(first);
            var (good, answer) = await VerifyAsync();
            Assert.True(good == 0, answer.ToJsonString());
            Assert.Equal((first, 66_000 - first, 66_000), ((int)answer["firstEntry"]!, (int)answer["entriesRead"]!, (int)answer["size"]!));
        }

        Assert.Contains("Good: this part of the log, from entry 65,792 on, is what it has signed.", (await space.McAsync("audit", "verify", "bundle.zip", "--policy", "audit.policy", "--no-anchor")).Said, StringComparison.Ordinal);

        // The hashes of what is not there are as much of the proof as the entries are.
        Pack(65_792, content => content["tile/1/001.p/1"][10] ^= 1);
        Assert.Equal(2, (await VerifyAsync()).Code);

        // A copy of all of it can be taken from a bundle, too.
        Pack();
        var mirrored = await space.McAsync("audit", "mirror", "bundle.zip", "copy", "--policy", "audit.policy");
        Assert.True(mirrored.Code == 0, mirrored.Error);
    }

    [Fact]
    public async Task A_bundle_with_an_entry_that_is_another_one_or_gone_or_of_another_log_is_found()
    {
        foreach (var (what, expected, change) in new (string, int, Action<SortedDictionary<string, byte[]>>)[]
        {
            ("a letter of an entry", 2, content => content["tile/entries/001"][10] ^= 1),
            ("an entry less", 2, content => content["tile/entries/000"] = content["tile/entries/000"][(2 + content["tile/entries/000"][1])..]),
            ("an entry more", 2, content => content["tile/entries/000"] = [.. content["tile/entries/000"], 0, 1, 65]),
            ("256 entries less", 3, content => content.Remove("tile/entries/001")),
            ("hashes less", 3, content => content.Remove("tile/0/001")),
            ("no checkpoint", 3, content => content.Remove("checkpoint")),
            ("a checkpoint that is none", 3, content => content["checkpoint"] = "nothing"u8.ToArray()),
            ("another root", 2, content => content["checkpoint"] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(content["checkpoint"]).Replace("\n600\n", "\n599\n", StringComparison.Ordinal))),
        })
        {
            Pack(change: change);
            var (code, answer) = await VerifyAsync();
            Assert.True(code == expected, $"{what}: {answer}");
        }

        // Whole, and another one's: the policy in the bundle is not asked.
        using var other = TestLog.Of(600, "log.example/beta");
        other.Write(space.PathOf("log"));
        File.WriteAllText(space.PathOf("log/policy"), other.Policy());
        ZipFile.CreateFromDirectory(space.PathOf("log"), space.PathOf("other.zip"));
        Assert.Equal(2, (await space.McAsync("audit", "verify", "other.zip", "--policy", "audit.policy", "--no-anchor")).Code);
    }

    [Fact]
    public async Task A_file_that_was_made_to_hurt_is_no_bundle_and_nothing_of_it_is_written()
    {
        foreach (var name in new[] { "../evil", "/etc/evil", "tile/../../evil", "tile\\..\\evil", "tile/0/0", "Checkpoint", "anchor/anchor/checkpoint", "fleet/policy", "tile/", "" })
        {
            Pack(change: content => content[name] = "x"u8.ToArray());
            await IsNoneAsync(name);
        }

        Pack();
        await using (var zip = await ZipFile.OpenAsync(space.PathOf("bundle.zip"), ZipArchiveMode.Update))
        {
            await using var second = await zip.CreateEntry("checkpoint").OpenAsync();
            await second.WriteAsync(log.Signed.ToBytes());
        }

        await IsNoneAsync("a name that comes twice");

        // What is inflated is read as far as it may be long, and no byte further.
        Pack(change: content => content["checkpoint"] = new byte[64 << 20]);
        await IsNoneAsync("a checkpoint of 64 MiB");
        Pack(change: content => content["tile/0/000"] = new byte[64 << 20]);
        Assert.True(new FileInfo(space.PathOf("bundle.zip")).Length < 1 << 20);
        Assert.Equal(2, (await VerifyAsync()).Code);
        Pack(change: content => Enumerable.Range(1000, 20_000).ToList().ForEach(i => content[$"tile/0/x{i / 1000:000}/{i % 1000:000}"] = []));
        await IsNoneAsync("more files than a bundle has");

        Pack();
        var bytes = await File.ReadAllBytesAsync(space.PathOf("bundle.zip"));
        foreach (var (what, content) in new (string, byte[])[] { ("half of it", bytes[..(bytes.Length / 2)]), ("nothing", []), ("something else", Encoding.UTF8.GetBytes("this is no archive, and long enough for one")), ("its end alone", bytes[^22..]) })
        {
            await File.WriteAllBytesAsync(space.PathOf("bundle.zip"), content);
            await IsNoneAsync(what);
        }

        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(space.PathOf("audit.policy"))!, "evil", SearchOption.AllDirectories));

        // Whatever byte of it is changed, the program says one of its verdicts; what holds is no other log.
        var random = new Random(20261128);
        for (var round = 0; round < 200; round++)
        {
            var broken = bytes.ToArray();
            broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(space.PathOf("bundle.zip"), broken);
            var (code, answer) = await VerifyAsync();
            Assert.True(code is 2 or 3 || (code == 0 && (string)answer["root"]! == log.Head.Root.ToString() && (int)answer["entriesRead"]! == 600), $"{round}: {code} {answer}");
        }
    }

    [Fact]
    public async Task A_bundle_is_held_against_what_was_seen_before_and_an_older_one_says_nothing_of_later_entries()
    {
        var honest = log.Entries;
        log.Entries = honest[..300];
        Pack();
        File.Copy(space.PathOf("bundle.zip"), space.PathOf("old.zip"));
        Assert.Equal(0, (await VerifyAsync("--state", "audit.state")).Code);

        log.Entries = honest;
        Pack(256);
        Assert.Equal(0, (await VerifyAsync("--state", "audit.state")).Code);
        Assert.Equal(log.Signed.ToString(), await File.ReadAllTextAsync(space.PathOf("audit.state")));

        // It goes on later than what was seen ended: between them anything may have been changed.
        File.Copy(space.PathOf("bundle.zip"), space.PathOf("whole.zip"));
        log.Grow(1000);
        Pack(768);
        Assert.Contains("what was seen before ends at 600: whether that is still so shows a part from 512 on.", (string)(await IsNoneAsync("a part behind", "--state", "audit.state"))["problem"]!, StringComparison.Ordinal);

        var (old, answer) = await VerifyAsync("old.zip", ["--state", "audit.state"]);
        Assert.True(old == 3 && ((string)answer["problem"]!).Contains("This is of 300 entries, and 600 were seen already", StringComparison.Ordinal), answer.ToJsonString());
        Assert.Equal(0, (await VerifyAsync("old.zip", [])).Code);

        log.Entries[10] = "another entry"u8.ToArray();
        Pack();
        Assert.Equal(2, (await VerifyAsync("--state", "audit.state")).Code);
        Pack(512);
        Assert.Equal(2, (await VerifyAsync("--state", "audit.state")).Code);
    }

    private Task<(int Code, JsonNode Answer)> VerifyAsync(params string[] more) => VerifyAsync("bundle.zip", more);

    private async Task<(int Code, JsonNode Answer)> VerifyAsync(string file, string[] more)
    {
        // In this process: the program takes longer to start than to say no.
        using var said = new StringWriter();
        using var error = new StringWriter();
        string[] line = ["audit", "verify", space.PathOf(file), "--policy", space.PathOf("audit.policy"), "--no-anchor", "--output", "json", "--evidence", space.PathOf("found.json"), .. more.Select(one => one.StartsWith('-') ? one : space.PathOf(one))];
        var code = await McCommand.Create().Parse(line).InvokeAsync(new InvocationConfiguration { Output = said, Error = error }, TestContext.Current.CancellationToken);
        Assert.True(said.ToString().Length > 0, error.ToString());
        return (code, JsonNode.Parse(said.ToString())!);
    }

    private async Task<JsonNode> IsNoneAsync(string what, params string[] more)
    {
        var (code, answer) = await VerifyAsync(more);
        Assert.True(code == 3, $"{what}: {code} {answer}");
        return answer;
    }

    // As the server makes it, and then as somebody else changes it.
    private void Pack(int first = 0, Action<SortedDictionary<string, byte[]>>? change = null)
    {
        log.Write(space.PathOf("log"));
        var content = new SortedDictionary<string, byte[]>(StringComparer.Ordinal) { ["README.txt"] = "how"u8.ToArray(), ["checkpoint"] = File.ReadAllBytes(space.PathOf("log/checkpoint")) };
        foreach (var id in LogWalk.TilesOf(first, log.Entries.Count))
        {
            content[id.ToString()] = File.ReadAllBytes(space.PathOf($"log/{id}"));
        }

        change?.Invoke(content);
        File.Delete(space.PathOf("bundle.zip"));
        using var zip = ZipFile.Open(space.PathOf("bundle.zip"), ZipArchiveMode.Create);
        foreach (var (name, bytes) in content)
        {
            using var file = zip.CreateEntry(name.Length == 0 ? " " : name).Open();
            file.Write(bytes);
        }
    }
}
