using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace MissionControl.Testing;

/// <summary>A provider of npm as a process of its own: it says when it is ready, and learns of accounts by lines of JSON.</summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };
    private readonly ConcurrentDictionary<string, int> told = new();
    private Process? process;

    /// <summary>What went wrong in it.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Json);

    public async Task StartAsync(string? trusted, params string[] arguments)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardInput = true, RedirectStandardError = true, WorkingDirectory = Path.Combine(SourceTree.Root, "tests", "Testing") };
        if (trusted is not null)
        {
            start.Environment["NODE_EXTRA_CA_CERTS"] = trusted;
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => Errors.Enqueue(line.Data ?? "");
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not { Length: > 0 } || line.Data[0] != '{')
            {
                return;
            }

            using var said = JsonDocument.Parse(line.Data);
            if (said.RootElement.TryGetProperty("account", out var account))
            {
                told.AddOrUpdate(account.GetString()!, 1, (_, times) => times + 1);
            }
            else if (said.RootElement.TryGetProperty("ready", out var _))
            {
                ready.TrySetResult();
            }
            else
            {
                Errors.Enqueue(line.Data);
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"The provider ended: {string.Join('\n', Errors)}"));
        process.EnableRaisingEvents = true;
        try
        {
            await ready.Task.WaitAsync(TimeSpan.FromMinutes(1));
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"The provider is not ready after a minute, of which it worked {process.TotalProcessorTime}: {string.Join('\n', Errors)}");
        }
    }

    public async Task KeepAsync<T>(string sub, T account)
    {
        var before = told.GetValueOrDefault(sub);
        await process!.StandardInput.WriteLineAsync(Write(account));
        await process.StandardInput.FlushAsync();
        await Eventually.TrueAsync(() => Task.FromResult(told.GetValueOrDefault(sub) > before), $"{sub} is known");
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process?.Dispose();
    }
}
