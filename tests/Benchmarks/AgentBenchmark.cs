using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>What the real <c>mc-agent</c> takes of a customer's machine, with every adapter on.</summary>
internal static class AgentBenchmark
{
    private static readonly string[] Meters = ["host_unit_seconds", "gib_hours", "data_points", "log_bytes", "sessions"];

    public static async Task<bool> RunAsync(TimeSpan length)
    {
        var verdict = Verdict.Begin("agent", $"mc-agent as a process for {length.TotalMinutes:0.#} min at the default interval: the machine it runs on, a product asked over HTTP with 3 nodes and 10 counters, a watched certificate, a further CA", "spool and payload log fsynced");
        var directory = Directory.CreateTempSubdirectory("mc-bench-").FullName;
        await using var host = new HostProcess(Path.Combine(directory, "host"));
        using var product = new HttpListener();
        using var stop = new CancellationTokenSource();
        try
        {
            await host.StartAsync();
            var address = $"http://127.0.0.1:{Ports.Free()}/";
            product.Prefixes.Add(address);
            product.Start();
            var serving = ServeAsync(product, stop.Token);
            var agent = Path.Combine(directory, "agent");
            var config = Path.Combine(directory, "agent.json");
            await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { caFile = host.CaFile, product = new { url = address + "mission-control" }, certificates = new[] { new { path = host.CaFile, purpose = "cluster" } } }));
            await EnrollAsync(host, agent, config);
            using var process = Start("run", agent, config);
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var (anonymous, resident) = (0.0, 0.0);
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed < length)
            {
                await Task.Delay(TimeSpan.FromSeconds(2));
                anonymous = Math.Max(anonymous, Machine.MebibytesOf(process.Id, "RssAnon"));
                resident = Math.Max(resident, Machine.MebibytesOf(process.Id, "VmRSS"));
            }

            var used = Cpu.Seconds(process.Id);
            using (var terminate = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            {
                await process.WaitForExitAsync();
            }

            await stop.CancelAsync();
            product.Stop();
            await serving;
            using var admin = host.Client(host.Portal, host.AdminToken);
            var windows = await admin.GetStringAsync(new Uri("/api/v1/licensing/windows?limit=500", UriKind.Relative));
            Verdict.Note($"processor {used:0.0} s in all; windows of usage in the ledger: {windows.Split("\"received\"").Length - 1}");
            verdict.AtMost("anonymous memory at most", anonymous, 40, " MiB");
            verdict.AtMost("resident memory at most", resident, 130, " MiB");
            verdict.AtMost("processor", 100 * used / clock.Elapsed.TotalSeconds, 1, " %");
        }
        finally
        {
            await host.StopAsync();
            Directory.Delete(directory, recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task EnrollAsync(HostProcess host, string agent, string config)
    {
        using var admin = host.Client(host.Portal, host.AdminToken);
        var customer = await PostAsync<CustomerItem>(admin, "/api/v1/licensing/customers", new CreateCustomerRequest("Benchmark", "eu"));
        var token = await PostAsync<CreatedEnrollmentToken>(admin, "/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer.Id));
        using var process = Start("enroll", agent, config, "--server", host.CallHome.ToString(), "--token-file", "-", "--anchors", token.AnchorsSha256);
        await process.StandardInput.WriteLineAsync(token.Token);
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"The agent could not enrol: {said}");
        }
    }

    private static Process Start(string command, string data, string config, params string[] more)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc-agent"), [command, "--data", data, "--config", config, .. more]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS");
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT");
        return Process.Start(start)!;
    }

    /// <summary>A fact of one role reaches the others within a second.</summary>
    private static async Task<T> PostAsync<T>(HttpClient client, string path, object request)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var response = await client.PostAsJsonAsync(path, request);
            if (response.IsSuccessStatusCode || attempt == 100)
            {
                response.EnsureSuccessStatusCode();
                return (await response.Content.ReadFromJsonAsync<T>())!;
            }

            await Task.Delay(50);
        }
    }

    /// <summary>The product: three nodes, and counters that grow with the time.</summary>
    private static async Task ServeAsync(HttpListener product, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetUtcNow();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var context = await product.GetContextAsync();
                var seconds = (long)(TimeProvider.System.GetUtcNow() - started).TotalSeconds;
                var document = new
                {
                    v = 1,
                    version = "1.339.0",
                    expectedNodes = 3,
                    quorumSpare = 1,
                    nodes = new object[]
                    {
                        new { id = "n1", self = true, state = "running", master = true, version = "1.339.0" },
                        new { id = "n2", state = "running", version = "1.339.0", cpuPercent = 12.5 },
                        new { id = "n3", state = "running", version = "1.339.0", cpuPercent = 20.5 },
                    },
                    usage = Enumerable.Range(0, 10).Select(i => new { meter = Meters[i % 5], value = (seconds * (i + 1)).ToString(CultureInfo.InvariantCulture), startedAt = started, dimensions = new { env = $"e{i / 5}" } }),
                };
                context.Response.ContentType = "application/json";
                await JsonSerializer.SerializeAsync(context.Response.OutputStream, document, cancellationToken: cancellationToken);
                context.Response.Close();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
