using System.Diagnostics;
using System.Text;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli.Tests;

/// <summary>A folder of its own, the real git in it, and the real <c>mc</c>: whatever it says is searched for what must not be said.</summary>
public sealed class Workspace : IDisposable
{
    // A program that goes on where it should end fails its test by the exit code of a kill.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mc-scan-");
    private readonly List<string> secrets = [];

    public string Root => folder.FullName;

    /// <summary>Where <c>mc</c> is.</summary>
    public static string Programs => AppContext.BaseDirectory;

    public static async Task<Workspace> WithGitAsync()
    {
        var space = new Workspace();
        await space.GitAsync("init", "--quiet", "--initial-branch=main");
        return space;
    }

    public string Token(char kind = 'a')
    {
        var token = kind == 'c' ? SealedToken.Format('c', Guid.CreateVersion7().ToByteArray().Concat(new byte[36]).ToArray()) : TokenText.New(kind, out _, out _);
        secrets.Add(token[17..]);
        return token;
    }

    /// <summary>Whatever <c>mc</c> says is searched for this, too.</summary>
    public void NeverSays(string secret) => secrets.Add(secret);

    public string PathOf(string file) => Path.Combine(Root, file);

    public void Write(string file, string text, Encoding? encoding = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.WriteAllText(PathOf(file), text, encoding ?? new UTF8Encoding(false));
    }

    public async Task<string> GitAsync(params string[] arguments)
    {
        var (code, said, error) = await RunAsync("git", arguments);
        Assert.True(code == 0, $"git {string.Join(' ', arguments)}: {error}");
        return said.Trim();
    }

    public async Task<string> CommitAsync(string message)
    {
        await GitAsync("add", "--all");
        await GitAsync("commit", "--quiet", "--allow-empty", "--message", message);
        return await GitAsync("rev-parse", "HEAD");
    }

    public Task<(int Code, string Said, string Error)> McAsync(params string[] arguments) => RunAsync(Path.Combine(Programs, "mc"), arguments);

    public Task<(int Code, string Said, string Error)> RunAsync(string program, params string[] arguments) => TalkAsync(Start(program, arguments), (_, _) => Task.CompletedTask);

    /// <summary>Starts it, and lets a person hear each line of what it says for people, while it goes on.</summary>
    /// <param name="process">What was started.</param>
    /// <param name="hears">What the person does about a line.</param>
    public async Task<(int Code, string Said, string Error)> TalkAsync(Process process, Func<Process, string, Task> hears)
    {
        using var ended = process;
        using var patience = new CancellationTokenSource(Patience);
        await using var impatience = patience.Token.Register(() => process.Kill(entireProcessTree: true));
        var program = process.StartInfo.FileName;
        var both = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), HearAsync(process, hears));
        await process.WaitForExitAsync();
        AssertSaysNothingSecret(program, string.Concat(both));
        return (process.ExitCode, both[0], both[1]);
    }

    private static async Task<string> HearAsync(Process process, Func<Process, string, Task> hears)
    {
        var all = new StringBuilder();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            all.Append(line).Append('\n');
            await hears(process, line);
        }

        return all.ToString();
    }

    /// <summary>What is different in the environment of what is started.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_CONFIG_HOME"] = PathOf("config");
        foreach (var (name, value) in Settings.Concat(Environment))
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public void AssertSaysNothingSecret(string who, string said) =>
        Assert.DoesNotContain(secrets, secret => Enumerable.Range(0, secret.Length - 8).Any(from => said.Contains(secret.Substring(from, 8), StringComparison.Ordinal)));

    public void Dispose() => folder.Delete(recursive: true);

    // Nothing of the machine's own settings, and mc where a shell finds it.
    private static Dictionary<string, string> Settings { get; } = new()
    {
        ["PATH"] = $"{Programs}{Path.PathSeparator}{System.Environment.GetEnvironmentVariable("PATH")}",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_AUTHOR_NAME"] = "Ann",
        ["GIT_AUTHOR_EMAIL"] = "ann@example.com",
        ["GIT_COMMITTER_NAME"] = "Ann",
        ["GIT_COMMITTER_EMAIL"] = "ann@example.com",
    };
}
