using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The first of README's two commands, as a newcomer gives it; the second runs this.</summary>
public sealed class FirstCommandTests
{
    [Fact]
    public async Task The_script_builds_starts_the_demo_says_where_to_go_and_ends_when_it_is_told_to()
    {
        var data = Directory.CreateTempSubdirectory("mc-first-").FullName;
        var (portal, callHome, operations) = ($"https://localhost:{Ports.Free()}", $"https://localhost:{Ports.Free()}", $"http://localhost:{Ports.Free()}");
        var start = new ProcessStartInfo(Path.Combine(SourceTree.Root, "infra", "dev"), ["run", "--data", data, "--portal", portal, "--callhome", callHome, "--ops", operations])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = data,
        };
        var lines = new ConcurrentQueue<string>();
        using var script = Process.Start(start)!;
        script.OutputDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        script.ErrorDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        script.BeginOutputReadLine();
        script.BeginErrorReadLine();
        try
        {
            await Eventually.TrueAsync(() => Has("Stop", "Ctrl-C") || script.HasExited, "the script says that all is ready", TimeSpan.FromMinutes(10));
            Assert.False(script.HasExited, string.Join('\n', lines.TakeLast(40)));
            Assert.True(Has("Ready", portal), string.Join('\n', lines));
            Assert.True(Has("Sign in", $"{portal}/invitation#{(await File.ReadAllTextAsync(Path.Combine(data, "admin.invitation"))).Trim()}"), string.Join('\n', lines));
            Assert.True(Has("or for a first look", $"cat {data}/admin.token"), string.Join('\n', lines));
            Assert.True(Has("Try", $"curl --cacert {data}/certificates/ca.pem"), string.Join('\n', lines));

            using var admin = TrustingClient.Create(new Uri(portal), Path.Combine(data, "certificates", "ca.pem"), (await File.ReadAllTextAsync(Path.Combine(data, "admin.token"))).Trim());
            await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!.Total == 26, "the whole demo fleet is there", TimeSpan.FromMinutes(1));

            // The host has taken the script's place, so that what ends the script drains the host.
            using var told = Process.Start("kill", ["-TERM", $"{script.Id}"]);
            await script.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(40));
            Assert.Equal(0, script.ExitCode);
        }
        finally
        {
            script.Kill(entireProcessTree: true);
            await script.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(data, recursive: true);
        }

        bool Has(string what, string where) => lines.Any(line => line.Contains(what, StringComparison.Ordinal) && line.Contains(where, StringComparison.Ordinal));
    }
}
