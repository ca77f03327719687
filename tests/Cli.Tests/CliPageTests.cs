using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>Every command of docs/cli.md, as it is written there, by somebody who permits and confirms what is asked.</summary>
[Collection(SignedIn.Name)]
public sealed partial class CliPageTests(SignedInHost here)
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "cli.md"));

    [Fact]
    public async Task Every_command_of_the_page_works()
    {
        var blocks = Blocks("");
        Assert.Equal(5, blocks.Count);

        // The first one is in leaks.md, too, and run for that page.
        Assert.Contains(string.Join('\n', blocks[0].Split('\n')[..2]), await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "leaks.md")), StringComparison.Ordinal);
        using var space = new Workspace();
        File.Copy(here.Host.CaFile, space.PathOf("ca.pem"));
        SignedInHost.TrustsTheHostAlone(space);
        var script = $"set -o pipefail\nmc --help\n{string.Concat(blocks.Skip(1))}".Replace("https://control.example.com", here.Server, StringComparison.Ordinal);

        var (code, said, error) = await space.TalkAsync(space.Start("bash", "-e", "-c", script), async (_, line) =>
        {
            await here.DecideAsync(line);
            await here.ConfirmAsync(line);
        });

        Assert.True(code == 0, error + said);
        Assert.Contains("}1\n", said, StringComparison.Ordinal);
        Assert.Contains("Signed out.\n", error, StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf(SignedInHost.Kept)));
        Assert.Single((await (await here.BrowserAsync()).ListInvitationsAsync("", CancellationToken.None)).Items, item => item.Email == "grace@example.com");
    }

    [Fact]
    public async Task Every_command_of_the_page_on_logs_works_and_nobody_is_signed_in()
    {
        using var space = new Workspace();
        using var log = TestLog.Of(300);
        log.Write(space.PathOf("audit-log"), DateTimeOffset.UtcNow);
        space.Write("audit.policy", log.Policy("w1"));
        await using var served = await HostileServer.ServingAsync(space.PathOf("audit-log"));

        var (code, said, error) = await space.RunAsync("bash", "-e", "-c", Assert.Single(Blocks("mc audit verify")).Replace("https://log.example.com/acme", served.Address, StringComparison.Ordinal));

        Assert.True(code == 0, error + said);
        Assert.Contains("\"verdict\": \"good\"", said, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(space.PathOf("audit-log/checkpoint")), File.ReadAllText(space.PathOf("copy/checkpoint")));
    }

    [Fact]
    public void The_page_names_every_command() => Assert.All(McCommand.Create().Subcommands, command => Assert.Contains($"mc {command.Name}", Page, StringComparison.Ordinal));

    [Fact]
    public async Task Every_command_of_the_page_on_exporting_works_and_a_line_comes_once_wherever_it_was_cut_off()
    {
        using var space = here.Workspace();
        var customer = (string)JsonNode.Parse((await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", """{"name": "Exported", "region": "eu"}""")).Said)!["id"]!;
        JsonNode? log = null;
        await Eventually.TrueAsync(async () =>
        {
            log = JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500")).Said)!["items"]!.AsArray().FirstOrDefault(item => (string?)item!["customerId"] == customer && (long)item["signedSize"]! > 0);
            return log is not null;
        }, "the customer's log is signed");
        var address = $"{here.Server}/api/v1/audit/logs/{(string)log!["id"]!}";
        var block = Assert.Single(Blocks("mc audit export http")).Replace("https://control.example.com/api/v1/audit/logs/ID", address, StringComparison.Ordinal);

        // A program asks by a token that may do nothing else, from a file that nobody else reads, and sees its own customer alone.
        File.Copy(here.Host.CaFile, space.PathOf("ca.pem"));
        var made = await here.ApiAsync(space, confirms: true, "POST", "/api/v1/identity/tokens", "--data", $$"""{"name": "siem", "scopes": ["audit:read"], "networks": ["127.0.0.0/8"], "customerId": "{{customer}}"}""");
        Assert.True(made.Code == 0, made.Error);
        var token = (string)JsonNode.Parse(made.Said)!["token"]!;
        space.Write("siem.token", token + "\n");
        string[] asked = ["audit", "export", address, "--token-file", "siem.token", "--ca-file", "ca.pem", "--output", "audit.jsonl", "--state", "audit.state"];
        File.SetUnixFileMode(space.PathOf("siem.token"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var open = await space.McAsync(asked);
        Assert.True(open.Code == 64 && open.Error.Contains("chmod 600", StringComparison.Ordinal) && !open.Error.Contains(token, StringComparison.Ordinal), open.Error);
        File.SetUnixFileMode(space.PathOf("siem.token"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var (code, _, error) = await space.RunAsync("bash", "-e", "-c", block);
        Assert.True(code == 0, error);
        Assert.NotEmpty(File.ReadLines(space.PathOf("audit.jsonl")));
        var foreign = JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500")).Said)!["items"]!.AsArray().First(item => (string?)item!["kind"] == "operator")!["id"];
        Assert.Equal(3, (await space.McAsync("audit", "export", $"{here.Server}/api/v1/audit/logs/{foreign}", "--token-file", "siem.token", "--ca-file", "ca.pem", "--output", "foreign", "--state", "foreign.state")).Code);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(space.PathOf("audit.ocsf")));
        }

        // What was written and not counted any more is cut off; what was read stands in the log, and comes with the next.
        var (file, state) = (space.PathOf("audit.ocsf"), space.PathOf("audit.export"));
        await File.AppendAllTextAsync(file, "{\"half a line");
        await Eventually.TrueAsync(async () =>
        {
            var again = await space.RunAsync("bash", "-e", "-c", block);
            Assert.True(again.Code == 0, again.Error);
            return Sequences(file).Count > 1;
        }, "that it was read stands in the log");
        var before = Sequences(file);
        Assert.Equal(Enumerable.Range(0, before.Count).Select(i => (long)i), before);

        // Rotated away, it begins anew and the entries go on; shorter than it was, or of another log, nothing is written.
        string[] export = ["audit", "export", address, "--format", "ocsf", "--output", "audit.ocsf", "--state", "audit.export"];
        File.Move(file, space.PathOf("audit.ocsf.1"));
        Assert.Equal(0, (await space.McAsync("api", "GET", $"/api/v1/audit/entries?customer={customer}")).Code);
        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal(0, (await space.McAsync(export)).Code);
            return Sequences(file).Count > 0;
        }, "the look at the entries is in the new file");
        Assert.Equal(before.Count, Sequences(file)[0]);
        var (kept, written) = (await File.ReadAllTextAsync(state), await File.ReadAllTextAsync(file));
        foreach (var (expected, change) in new (int, Func<string, string>)[]
        {
            (64, text => text.Replace("\"length\": ", "\"length\": 99999999", StringComparison.Ordinal)), (64, text => Length().Replace(text, "\"length\": 7")),
            (2, text => LeafHash().Replace(text, "\"leafHash\": \"AAAA\"")), (2, text => text.Replace("\"origin\": \"", "\"origin\": \"not-", StringComparison.Ordinal)), (0, text => text),
        })
        {
            await File.WriteAllTextAsync(state, change(kept));
            var answer = await space.McAsync(export);
            Assert.True(answer.Code == expected, $"{expected}: {answer.Error}");
        }

        foreach (var (format, output, states) in new[] { ("cef", "audit.ocsf", "audit.export"), ("ocsf", "other", "audit.export"), ("ocsf", "audit.ocsf", "new.state"), ("ocsf", "audit.export", "audit.export") })
        {
            Assert.Equal(64, (await space.McAsync("audit", "export", address, "--format", format, "--output", output, "--state", states)).Code);
        }

        using (new FileStream($"{state}.lock", FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var second = await space.McAsync(export);
            Assert.True(second.Code == 64 && second.Error.Contains("running already", StringComparison.Ordinal), second.Error);
        }

        Assert.StartsWith(written, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        foreach (var format in new[] { "cef", "jsonl" })
        {
            // Once more, so that it finds its own last line.
            string[] other = ["audit", "export", address, "--format", format, "--output", format, "--state", $"{format}.state"];
            Assert.Equal((0, 0), ((await space.McAsync(other)).Code, (await space.McAsync(other)).Code));
            Assert.True(File.ReadLines(space.PathOf(format)).Count() > before.Count, format);
        }

        // Of a log that is not there, or of which there is less than was seen, nothing is said that looks like all is well.
        Assert.Equal(3, (await space.McAsync("audit", "export", address, "--from", "100000", "--output", "none", "--state", "none.state")).Code);
        Assert.False(File.Exists(space.PathOf("none.state")));
        Assert.Equal(3, (await space.McAsync("audit", "export", $"{here.Server}/api/v1/audit/logs/{Guid.CreateVersion7()}", "--output", "no", "--state", "no.state")).Code);
    }

    private static List<long> Sequences(string file) => [.. File.ReadLines(file).Select(line => (long)JsonNode.Parse(line)!["metadata"]!["sequence"]!)];

    internal static List<string> Blocks(string about) => [.. Block().Matches(Page).Select(match => match.Groups["text"].Value).Where(text => about.Length > 0 ? text.Contains(about, StringComparison.Ordinal) : !text.Contains("mc audit", StringComparison.Ordinal) && !text.Contains("mc price-books", StringComparison.Ordinal))];

    [GeneratedRegex("\"length\": [0-9]+")]
    private static partial Regex Length();

    [GeneratedRegex("\"leafHash\": \"[^\"]+\"")]
    private static partial Regex LeafHash();

    [GeneratedRegex("^```sh\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
