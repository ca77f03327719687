using System.Text;
using System.Text.Json;

namespace MissionControl.Cli.Tests;

/// <summary>Real repositories, made by the real git.</summary>
public sealed class ScanGitTests : IAsyncLifetime
{
    private Workspace space = null!;

    public async ValueTask InitializeAsync() => space = await Workspace.WithGitAsync();

    public ValueTask DisposeAsync()
    {
        space.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task In_a_repository_what_git_has_or_would_add_is_scanned_and_what_it_ignores_only_when_named()
    {
        var (tracked, fresh, ignored) = (space.Token(), space.Token(), space.Token());
        space.Write(".gitignore", "secrets/\n*.log\n");
        space.Write("sub/tracked ü.txt", tracked);
        await space.CommitAsync("first");
        space.Write("sub/fresh.txt", fresh);
        space.Write("secrets/deep/ignored.txt", ignored);
        space.Write("sub/a.log", ignored);

        Assert.Equal([$"sub/fresh.txt:1:1: API token {fresh[..16]}", $"sub/tracked ü.txt:1:1: API token {tracked[..16]}"], Lines(await space.McAsync("scan")));
        Assert.Equal(2, Lines(await space.McAsync("scan", "sub")).Length);
        Assert.Equal([$"secrets/deep/ignored.txt:1:1: API token {ignored[..16]}"], Lines(await space.McAsync("scan", "secrets")));
        Assert.Equal([$"sub/a.log:1:1: API token {ignored[..16]}"], Lines(await space.McAsync("scan", "sub/a.log")));
    }

    [Fact]
    public async Task A_file_that_git_has_and_the_disk_has_not_is_no_trouble()
    {
        space.Write("a.txt", "x");
        await space.CommitAsync("first");
        File.Delete(space.PathOf("a.txt"));

        Assert.Equal(0, (await space.McAsync("scan")).Code);
    }

    [Fact]
    public async Task A_repository_in_a_folder_is_asked_what_it_ignores_and_so_is_one_in_a_repository()
    {
        using var folder = new Workspace();
        foreach (var (root, name) in new[] { (folder.Root, "one"), (space.Root, "two") })
        {
            var inner = Path.Combine(root, name);
            await space.GitAsync("init", "--quiet", inner);
            await File.WriteAllTextAsync(Path.Combine(inner, ".gitignore"), "b.txt");
            await File.WriteAllTextAsync(Path.Combine(inner, "a.txt"), space.Token());
            await File.WriteAllTextAsync(Path.Combine(inner, "b.txt"), space.Token());
        }

        Assert.StartsWith("one/a.txt:1:1: ", Assert.Single(Lines(await folder.McAsync("scan"))), StringComparison.Ordinal);
        Assert.StartsWith("two/a.txt:1:1: ", Assert.Single(Lines(await space.McAsync("scan"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Staged_is_what_the_commit_would_take_and_not_what_the_file_says_now()
    {
        var (staged, later) = (space.Token(), space.Token());
        space.Write("old.txt", space.Token());
        await space.CommitAsync("what was there before is not the question");
        space.Write("a.txt", $"\n{staged}");
        space.Write("b.txt", "clean");
        space.Write("line\nfeed.txt", staged);
        await space.GitAsync("add", "--all");
        space.Write("a.txt", "clean again");
        space.Write("b.txt", later);

        var result = await space.McAsync("scan", "--staged");

        Assert.Equal(1, result.Code);
        Assert.Equal([$"a.txt:2:1: API token {staged[..16]}", $"line?feed.txt:1:1: API token {staged[..16]}"], Lines(result));
    }

    [Fact]
    public async Task Staged_knows_renamed_files_links_submodules_and_the_first_commit()
    {
        var (renamed, link) = (space.Token(), space.Token('w'));
        File.CreateSymbolicLink(space.PathOf("link"), link);
        await space.GitAsync("add", "--all");
        Assert.Equal([$"link:1:1: webhook token {link[..16]}"], Lines(await space.McAsync("scan", "--staged")));

        space.Write("a.txt", string.Concat(Enumerable.Repeat("a line that stays\n", 50)));
        var commit = await space.CommitAsync("first");
        await space.GitAsync("mv", "a.txt", "b.txt");
        await File.AppendAllTextAsync(space.PathOf("b.txt"), renamed, TestContext.Current.CancellationToken);
        File.Delete(space.PathOf("link"));
        space.Write("link", space.Token());
        await space.GitAsync("add", "--all");
        await space.GitAsync("update-index", "--add", "--cacheinfo", $"160000,{commit},module");
        await space.GitAsync("config", "diff.relative", "true");
        Directory.CreateDirectory(space.PathOf("sub"));

        Assert.Equal(["b.txt:51:1", "link:1:1"], Lines(await space.McAsync("scan", "--staged")).Select(line => line[..line.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task History_finds_what_was_deleted_and_names_the_commit_that_brought_it()
    {
        var (gone, branch, message, tag) = (space.Token(), space.Token('e'), space.Token('u'), space.Token('s'));
        space.Write("a.txt", "clean");
        await space.CommitAsync("first");
        space.Write("dir/with space.txt", $"x\ny {gone}");
        var brought = await space.CommitAsync("second");
        await space.GitAsync("mv", "dir/with space.txt", "dir/moved.txt");
        await space.CommitAsync("the same content is the same object");
        await space.GitAsync("rm", "--quiet", "dir/moved.txt");
        var said = await space.CommitAsync($"for {message}");
        await space.GitAsync("switch", "--quiet", "--create", "other");
        space.Write("b.txt", branch);
        var other = await space.CommitAsync("on a branch");
        await space.GitAsync("switch", "--quiet", "main");
        await space.GitAsync("tag", "--annotate", "--message", $"with {tag}", "v1");
        var tagged = await space.GitAsync("rev-parse", "v1^{tag}");

        Assert.Equal(0, (await space.McAsync("scan")).Code);
        var (code, json, _) = await space.McAsync("scan", "--history", "--output", "json");

        Assert.Equal(1, code);
        Assert.Equal(new[] { ("dir/with space.txt", 2, gone[..16], brought), ("(commit message)", 6, message[..16], said), ("b.txt", 1, branch[..16], other), ($"(tag {tagged})", 6, tag[..16], null) }.Order(),
            JsonDocument.Parse(json).RootElement.GetProperty("findings").EnumerateArray()
                .Select(finding => (finding.GetProperty("file").GetString()!, finding.GetProperty("line").GetInt32(), finding.GetProperty("id").GetString()!, finding.GetProperty("commit").GetString())).Order());
        Assert.Contains($"dir/with space.txt:2:3: API token {gone[..16]}, in commit {brought[..12]}", Lines(await space.McAsync("scan", "--history")));
    }

    [Fact]
    public async Task History_of_many_objects_large_ones_and_binaries_comes_to_its_end()
    {
        var token = space.Token();
        for (var i = 0; i < 1000; i++)
        {
            space.Write($"many/{i}.txt", $"{i} {(i == 234 ? token : "")}");
        }

        File.WriteAllBytes(space.PathOf("binary"), new byte[3_000_000]);
        File.WriteAllBytes(space.PathOf("utf16.txt"), [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(new string('.', 1_000_000) + token)]);
        space.Write("large.txt", $"{new string('.', 5_000_000)}{token}\n");
        space.Write("empty.txt", "");
        await space.CommitAsync("first");

        var result = await space.McAsync("scan", "--history");

        Assert.Equal(["large.txt:1:5000001", "many/234.txt:1:5", "utf16.txt:1:1000001"], Lines(result).Select(line => line[..line.IndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        Assert.Equal("1 token in 3 places of 1004 texts. Revoke what was found, then remove it. Left out: 1 binary file.\n", result.Error);
    }

    [Fact]
    public async Task History_says_that_a_clone_is_shallow_and_copes_with_one_without_commits()
    {
        Assert.Equal((0, "", "No token in 0 texts.\n"), await space.McAsync("scan", "--history"));
        await space.CommitAsync("first");
        await space.CommitAsync("second");
        using var clone = new Workspace();
        await clone.GitAsync("clone", "--quiet", "--depth", "1", new Uri(space.Root).AbsoluteUri, ".");

        var (code, _, error) = await clone.McAsync("scan", "--history");

        Assert.Equal(0, code);
        Assert.StartsWith("This clone is shallow", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_repository_is_no_clean_scan()
    {
        space.Write("a.txt", "text");
        await space.CommitAsync("first");
        var id = await space.GitAsync("rev-parse", "HEAD:a.txt");
        File.Delete(space.PathOf($".git/objects/{id[..2]}/{id[2..]}"));

        var (code, _, error) = await space.McAsync("scan", "--history");

        Assert.Equal(2, code);
        Assert.Contains("The scan is not complete.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_git_a_repository_is_no_clean_scan_and_a_named_file_is_scanned()
    {
        space.Write("a.txt", space.Token());
        space.Environment["PATH"] = space.Root;

        Assert.Equal(1, (await space.McAsync("scan", "a.txt")).Code);
        foreach (var arguments in new string[][] { ["scan"], ["scan", "--staged"], ["scan", "--history"] })
        {
            var (code, _, error) = await space.McAsync(arguments);
            Assert.Equal(2, code);
            Assert.StartsWith("git does not start. Install it", error, StringComparison.Ordinal);
        }
    }

    private static string[] Lines((int Code, string Said, string Error) result) => result.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
