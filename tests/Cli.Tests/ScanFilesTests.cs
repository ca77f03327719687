using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli.Tests;

public sealed class ScanFilesTests : IDisposable
{
    private readonly Workspace space = new();

    public void Dispose() => space.Dispose();

    [Fact]
    public async Task Every_kind_of_token_is_found_with_its_place_its_name_and_its_loggable_id()
    {
        var tokens = TokenKind.All.Select(kind => (kind, text: space.Token(kind.Letter))).ToList();
        space.Write("all.txt", string.Concat(tokens.Select(token => $"é: {token.text}\r\n")));

        var (code, said, error) = await space.McAsync("scan", "all.txt");

        Assert.Equal(1, code);
        Assert.Equal(tokens.Select((token, i) => $"all.txt:{i + 1}:4: {token.kind.Name} {token.text[..16]}"), Lines(said));
        Assert.StartsWith("6 tokens in 6 places of 1 text. Revoke what was found, then remove it.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_is_said_and_is_0()
    {
        space.Write("a/b.txt", "nothing");

        Assert.Equal((0, "", "No token in 1 text.\n"), await space.McAsync("scan"));
    }

    [Fact]
    public async Task A_look_alike_with_another_checksum_is_none()
    {
        foreach (var kind in TokenKind.All)
        {
            var token = space.Token(kind.Letter);
            foreach (var at in new[] { 4, 15, 17, 40, token.Length - 1 })
            {
                space.Write($"{kind.Letter}{at}.txt", $"{token[..at]}{(token[at] == 'x' ? 'y' : 'x')}{token[(at + 1)..]}");
            }
        }

        Assert.Equal(0, (await space.McAsync("scan")).Code);
    }

    [Fact]
    public async Task What_stands_around_a_token_does_not_hide_it()
    {
        var around = new[] { """ "token": "\n{0}\n" """, """\u0022{0}\u0022""", "https://example.com/?t=%0A{0}&x=1", "mca_mca_{0}" };
        for (var i = 0; i < around.Length; i++)
        {
            space.Write($"{i}.json", around[i].Replace("{0}", space.Token(), StringComparison.Ordinal));
        }

        var (code, said, _) = await space.McAsync("scan");

        Assert.Equal(1, code);
        Assert.Equal(["0.json", "1.json", "2.json", "3.json"], Lines(said).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Two_tokens_without_anything_between_them_are_both_found()
    {
        space.Write("a.txt", space.Token() + space.Token('e'));

        var (_, said, _) = await space.McAsync("scan");

        Assert.Equal(["a.txt:1:1", "a.txt:1:67"], Lines(said).Select(line => line[..line.LastIndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task Text_is_read_in_the_encodings_that_editors_write()
    {
        (string Name, bool Mark)[] encodings = [("utf-8", true), ("utf-16", true), ("utf-16", false), ("utf-16BE", true), ("utf-16BE", false), ("utf-32", true)];
        foreach (var (name, mark) in encodings)
        {
            var encoding = Encoding.GetEncoding(name);
            File.WriteAllBytes(space.PathOf($"{name} {mark}.txt"), [.. mark ? encoding.Preamble : [], .. encoding.GetBytes($"first line\nand {space.Token()}\n")]);
        }

        var (code, said, _) = await space.McAsync("scan");

        Assert.Equal(1, code);
        Assert.Equal(encodings.Select(encoding => $"{encoding.Name} {encoding.Mark}.txt:2:5: API token mca_").Order(StringComparer.Ordinal), Lines(said).Select(line => line[..(line.IndexOf("mca_", StringComparison.Ordinal) + 4)]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_binary_file_is_left_out_and_counted()
    {
        File.WriteAllBytes(space.PathOf("a.bin"), [1, 0, 0, 2, .. Encoding.ASCII.GetBytes(space.Token())]);

        Assert.Equal((0, "", "No token in 0 texts. Left out: 1 binary file.\n"), await space.McAsync("scan"));
    }

    [Fact]
    public async Task A_token_is_found_wherever_the_borders_of_what_is_read_at_once_lie()
    {
        var tokens = new[] { space.Token(), space.Token('c') };
        var files = 0;
        foreach (var border in new[] { 8000, 65536, 65536 + 2049, 2 * 65536 })
        {
            foreach (var before in new[] { 0, 1, 2, 3, 16, 17, 40, 65, 66, 67, 2048, 2049, 2050 })
            {
                foreach (var token in tokens)
                {
                    space.Write($"{files++}.txt", new string('.', border - before) + token + new string('.', 3000));
                }
            }
        }

        var (code, said, _) = await space.McAsync("scan");

        Assert.Equal(1, code);
        Assert.Equal(files, Lines(said).Length);
    }

    [Theory]
    [InlineData('x')] // One run of digits.
    [InlineData('m')]
    [InlineData('_')]
    [InlineData('\0')] // Stands for beginnings of tokens that never come to one.
    public async Task A_line_of_20_MB_takes_no_long_time_and_little_memory(char filler)
    {
        const int Size = 20_000_000;
        var text = filler == '\0' ? string.Concat(Enumerable.Repeat("mcc_abcdefghijkl_0123456789012345678901", Size / 39)) : new string(filler, Size);
        space.Write("line.txt", $"{text} {space.Token()} {text}");
        using var process = space.Start(Path.Combine(Workspace.Programs, "mc"), "scan", "line.txt");
        var clock = Stopwatch.StartNew();
        var peak = 0L;
        while (!process.WaitForExit(20))
        {
            process.Refresh();
            try
            {
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It has just ended, and what it took at the most was seen before.
            }
        }

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith($"line.txt:1:{text.Length + 2}: API token", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.InRange(peak, 0, 150_000_000);
    }

    [Fact]
    public async Task A_marker_anywhere_on_the_same_line_allows_and_is_counted()
    {
        var far = new string('.', 150_000);
        space.Write("a.cs", $"""
            "{space.Token()}" // mc-scan:allow
            /* mc-scan:allow */ "{space.Token('u')}", "{space.Token('w')}"
            mc-scan:allow {far} "{space.Token()}"
            "{space.Token()}" {far} mc-scan:allow
            mc-scan:allow on another line
            "{space.Token('s')}"
            mc-scan:allow
            """);

        var (code, said, error) = await space.McAsync("scan");

        Assert.Equal(1, code);
        Assert.StartsWith("a.cs:6:2: support session token mcs_", Assert.Single(Lines(said)), StringComparison.Ordinal);
        Assert.Equal("1 token in 1 place of 1 text. Revoke what was found, then remove it. Allowed by mc-scan:allow: 5 places.\n", error);
    }

    [Fact]
    public async Task A_marker_is_seen_wherever_the_borders_of_what_is_read_at_once_lie()
    {
        var token = space.Token();
        for (var shift = 0; shift < 20; shift++)
        {
            space.Write($"{shift}.txt", $"{token}{new string('.', 65536 - 66 - shift)}mc-scan:allow{new string('.', 5000)}\n");
            space.Write($"{shift}-far.txt", $"{token}{new string('.', 65536 + 2049 - 66 - shift)}mc-scan:allow{new string('.', 5000)}\n");
        }

        Assert.EndsWith("Allowed by mc-scan:allow: 40 places.\n", (await space.McAsync("scan")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_documented_form()
    {
        var (found, allowed) = (space.Token(), space.Token('e'));
        space.Write("dir/a.txt", $"x {found}\n{allowed} mc-scan:allow\n");

        var (code, said, error) = await space.McAsync("scan", "--output", "json", "dir");

        Assert.Equal((1, ""), (code, error));
        Assert.Equal(JsonSerializer.Serialize(new
        {
            version = 1,
            findings = new[] { new { file = "dir/a.txt", line = 1, column = 3, kind = "API token", id = found[..16], commit = (string?)null } },
            allowed = new[] { new { file = "dir/a.txt", line = 2, column = 1, kind = "enrolment token", id = allowed[..16], commit = (string?)null } },
            texts = 1,
            binaries = 0,
        }), JsonSerializer.Serialize(JsonDocument.Parse(said)));
    }

    [Fact]
    public async Task Wrong_use_is_2_says_what_to_do_and_repeats_no_token_that_was_typed()
    {
        var token = space.Token();
        foreach (var (arguments, sentence) in new (string[], string)[]
        {
            (["scan", token], "There is no file or directory 'mca_"),
            (["scan", $"--{token}"], "There is no file or directory '--mca_"),
            (["scan", "--staged", "--history"], "Give one of: paths, --staged, --history, --rules."),
            (["scan", "--staged", "."], "Give one of: paths, --staged, --history, --rules."),
            (["scan", "--rules", token], "not recognized"),
            (["scan", "--output", "xml"], "not recognized"),
            ([token], "mca_"),
            ([], "See mc --help"),
            (["scan", "--staged"], "Run this inside a git repository."),
            (["scan", "--history"], "Run this inside a git repository."),
        })
        {
            var (code, said, error) = await space.McAsync(arguments);

            Assert.Equal(2, code);
            Assert.Contains(sentence, said + error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_named_like_a_token_or_steers_a_terminal_does_neither_in_the_output()
    {
        var token = space.Token();
        space.Write($"{token}\u001b[2J.txt", token);

        var (code, said, _) = await space.McAsync("scan");

        Assert.Equal(1, code);
        Assert.StartsWith($"{token[..16]}_…?[2J.txt:1:1: API token", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_is_no_clean_scan()
    {
        space.Write("sub/a.txt", "x");
        Directory.CreateSymbolicLink(space.PathOf("loop"), space.Root);
        File.CreateSymbolicLink(space.PathOf("nowhere"), space.PathOf("gone"));
        Assert.Equal((0, "", "No token in 1 text.\n"), await space.McAsync("scan"));

        // A file that is named, although it is only a link that leads nowhere.
        Assert.Equal(2, (await space.McAsync("scan", "nowhere")).Code);
    }

    [Fact]
    public async Task The_help_has_examples_and_exit_codes()
    {
        var (code, said, _) = await space.McAsync("scan", "--help");

        Assert.Equal(0, code);
        Assert.All(new[] { "Exit codes: 0", "Examples:", "mc scan --staged", "--history", "--output <json|text>", "mc-scan:allow" }, part => Assert.Contains(part, said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ctrl_c_ends_a_scan_that_waits()
    {
        space.Write("first.txt", space.Token());
        await space.RunAsync("mkfifo", "pipe");
        using var process = space.Start(Path.Combine(Workspace.Programs, "mc"), "scan", "first.txt", "pipe");
        Assert.Contains("API token", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        await space.RunAsync("kill", "-INT", $"{process.Id}");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal(130, process.ExitCode);
    }

    private static string[] Lines(string said) => said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
