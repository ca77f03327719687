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
        var blocks = Blocks(aboutLogs: false);
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

        var (code, said, error) = await space.RunAsync("bash", "-e", "-c", Assert.Single(Blocks(aboutLogs: true)).Replace("https://log.example.com/acme", served.Address, StringComparison.Ordinal));

        Assert.True(code == 0, error + said);
        Assert.Contains("\"verdict\": \"good\"", said, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(space.PathOf("audit-log/checkpoint")), File.ReadAllText(space.PathOf("copy/checkpoint")));
    }

    [Fact]
    public void The_page_names_every_command() => Assert.All(McCommand.Create().Subcommands, command => Assert.Contains($"mc {command.Name}", Page, StringComparison.Ordinal));

    private static List<string> Blocks(bool aboutLogs) => [.. Block().Matches(Page).Select(match => match.Groups["text"].Value).Where(text => text.Contains("mc audit", StringComparison.Ordinal) == aboutLogs)];

    [GeneratedRegex("^```sh\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
