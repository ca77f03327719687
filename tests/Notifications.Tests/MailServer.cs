using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using MimeKit;
using MissionControl.Testing;

namespace MissionControl.Notifications.Tests;

/// <summary>A mail server of npm as a process of its own; it keeps its port over restarts.</summary>
internal sealed class MailServer(string certificate, string key) : IAsyncDisposable
{
    public const string User = "missioncontrol";
    public const string Password = "a password with spaces";

    private readonly ConcurrentQueue<MimeMessage> mails = new();
    private Process? process;

    public int Port { get; } = Ports.Free();

    /// <summary>All mails that it took, over every restart.</summary>
    public IReadOnlyList<MimeMessage> Mails => [.. mails];

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, WorkingDirectory = Path.Combine(SourceTree.Root, "tests", "Notifications.Tests") };
        foreach (var argument in new[] { "mail-server.mjs", $"{Port}", certificate, key, User, Password })
        {
            start.ArgumentList.Add(argument);
        }

        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                return;
            }

            using var told = JsonDocument.Parse(line.Data);
            if (told.RootElement.TryGetProperty("mail", out var mail))
            {
                using var text = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(mail.GetString()!));
                mails.Enqueue(MimeMessage.Load(text));
            }

            ready.TrySetResult();
        };
        process.BeginOutputReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    public async Task StopAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    public async Task<MimeMessage> ReceivedAsync(string to, string subject)
    {
        MimeMessage? found = null;
        await Eventually.TrueAsync(() => Task.FromResult((found = mails.FirstOrDefault(mail => mail.To.ToString().Contains(to, StringComparison.Ordinal) && mail.Subject!.Contains(subject, StringComparison.Ordinal))) is not null), $"{to} is told: {subject}");
        return found!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        process?.Dispose();
    }
}
