using System.Text.RegularExpressions;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>Every command of docs/leaks.md, as it is written there.</summary>
public sealed partial class LeaksPageTests : IAsyncLifetime
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "leaks.md"));

    private Workspace space = null!;

    public async ValueTask InitializeAsync()
    {
        space = await Workspace.WithGitAsync();
        space.Write("deploy/values.yaml", "token: from a vault");
        space.Write("logs/today.log", "nothing");
        await space.CommitAsync("first");
    }

    public ValueTask DisposeAsync()
    {
        space.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_command_of_the_page_works()
    {
        var blocks = Blocks("sh");
        var lines = Lines().Matches(string.Concat(Blocks("yaml"))).Select(match => match.Groups["command"].Value).ToList();
        Assert.Equal((4, 2), (blocks.Count, lines.Count));

        // The first builds what the others use, in the source tree; a build server would outlive it.
        space.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        await RunAsync($"cd {SourceTree.Root}\n{blocks[0]}\ncd {space.Root}\n{string.Concat(blocks.Skip(1))}\n{string.Join('\n', lines)}");
        space.Write("a.txt", space.Token());
        await space.GitAsync("add", "--all");

        Assert.All(await Task.WhenAll(lines[..1].Append("mc scan").Append("mc scan --output json").Select(line => space.RunAsync("sh", "-c", line))), result => Assert.Equal(1, result.Code));
    }

    [Fact]
    public async Task The_hook_refuses_a_commit_with_a_token_and_takes_one_without()
    {
        var token = space.Token();
        await RunAsync(Blocks("sh").Single(block => block.Contains("pre-commit", StringComparison.Ordinal)));
        space.Write("a.txt", token);
        await space.GitAsync("add", "--all");
        var before = await space.GitAsync("rev-parse", "HEAD");

        var (code, said, error) = await space.RunAsync("git", "commit", "--message", "with a token");

        Assert.NotEqual(0, code);
        Assert.Contains($"a.txt:1:1: API token {token[..16]}", said + error, StringComparison.Ordinal);
        Assert.Equal(before, await space.GitAsync("rev-parse", "HEAD"));

        // What the file says now is not what would be committed; and another index than the usual one is taken for what it is.
        space.Write("a.txt", "clean");
        Assert.NotEqual(0, (await space.RunAsync("git", "commit", "--message", "what is staged")).Code);
        await space.GitAsync("commit", "--all", "--message", "what the file says");
        space.Write("a.txt", $"{token} # mc-scan:allow");
        await space.GitAsync("commit", "--message", "allowed", "a.txt");
        Assert.NotEqual(before, await space.GitAsync("rev-parse", "HEAD"));
    }

    private async Task RunAsync(string script)
    {
        var (code, said, error) = await space.RunAsync("bash", "-e", "-c", script);
        Assert.True(code == 0, said + error);
    }

    private static List<string> Blocks(string language) => [.. Block().Matches(Page).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["text"].Value)];

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\b(?:entry|run): (?<command>.+)")]
    private static partial Regex Lines();
}
