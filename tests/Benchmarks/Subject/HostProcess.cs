using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Testing;

namespace MissionControl.Benchmarks.Subject;

/// <summary>The host under test in a process of its own, with the runtime settings that the product ships with.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly int portal = Ports.Free();
    private readonly int callHome = Ports.Free();
    private readonly int operations = Ports.Free();
    private readonly int plain = Ports.Free();
    private readonly ConcurrentQueue<string> complaints = new();
    private Process? process;

    public HostProcess(string data) => Data = data;

    public string Data { get; }

    public int Id => process!.Id;

    public Uri Portal => new($"https://localhost:{portal}");

    public Uri CallHome => new($"https://localhost:{callHome}");

    public Uri Operations => new($"http://localhost:{operations}");

    public IPEndPoint Plain => new(IPAddress.Loopback, plain);

    public IPEndPoint CallHomeEndPoint => new(IPAddress.Loopback, callHome);

    public string CaFile => Path.Combine(Data, "certificates", "ca.pem");

    public string AdminToken => File.ReadAllText(Path.Combine(Data, "admin.token")).Trim();

    /// <summary>Warnings and errors that the host logged.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    /// <summary>Starts it and waits until it is ready; the time that this took.</summary>
    /// <param name="withFloor">With the address of <see cref="FloorHost"/>; otherwise the shipped executable itself.</param>
    /// <param name="settings">Further configuration.</param>
    public async Task<TimeSpan> StartAsync(bool withFloor = false, IReadOnlyDictionary<string, string>? settings = null)
    {
        var start = withFloor
            ? new ProcessStartInfo(Environment.ProcessPath!, [FloorHost.Command, Data, Portal.ToString(), CallHome.ToString(), Operations.ToString(), $"http://localhost:{plain}"])
            : new ProcessStartInfo(Environment.GetEnvironmentVariable("MC_BENCH_HOST") ?? Path.Combine(AppContext.BaseDirectory, "missioncontrol"),
                ["run", "--data", Data, "--portal", Portal.ToString(), "--callhome", CallHome.ToString(), "--ops", Operations.ToString(), "--callhome-plain", $"http://localhost:{plain}"]);
        start.RedirectStandardOutput = true;
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS");
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT");
        start.Environment["MissionControl__CallHome__EnrollmentsPerSecond"] = "100000";
        start.Environment["MissionControl__Api__RequestsPerMinute"] = "10000000";
        foreach (var (key, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        foreach (var (key, value) in ShippedRuntimeSettings())
        {
            start.Environment.TryAdd(key, value);
        }

        var clock = Stopwatch.StartNew();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text && (text.Contains("\"LogLevel\":\"Error\"", StringComparison.Ordinal) || text.Contains("\"LogLevel\":\"Warning\"", StringComparison.Ordinal) || !text.StartsWith('{')))
            {
                complaints.Enqueue(text);
            }
        };
        process.BeginOutputReadLine();
        using var http = new HttpClient { BaseAddress = Operations };
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                {
                    return clock.Elapsed;
                }
            }
            catch (HttpRequestException)
            {
            }

            if (process.HasExited || clock.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new InvalidOperationException($"The host did not become ready: {string.Join('\n', complaints)}");
            }

            await Task.Delay(5);
        }
    }

    /// <summary>Stops it as an operator does.</summary>
    public async Task StopAsync()
    {
        using var terminate = Process.Start("kill", ["-TERM", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await process!.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    /// <summary>A client that trusts the host's own CA.</summary>
    public HttpClient Client(Uri address, string? bearer = null)
    {
        var ca = X509Certificate2.CreateFromPem(File.ReadAllText(CaFile));
        var client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trusting(ca) } }) { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return client;
    }

    public static X509ChainPolicy Trusting(X509Certificate2 ca) =>
        new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { ca }, RevocationMode = X509RevocationMode.NoCheck };

    /// <summary>Processor time of machine, host and this process.</summary>
    public Cpu ReadCpu() => Cpu.Read(Id, Environment.ProcessId);

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private static IEnumerable<(string Key, string Value)> ShippedRuntimeSettings()
    {
        using var shipped = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "missioncontrol.runtimeconfig.json")));
        var properties = shipped.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");
        foreach (var (property, variable) in new[] { ("System.GC.Server", "gcServer"), ("System.GC.Concurrent", "gcConcurrent"), ("System.GC.ConserveMemory", "GCConserveMemory"), ("System.Runtime.TieredPGO", "TieredPGO"), ("System.GC.DynamicAdaptationMode", "GCDynamicAdaptationMode") })
        {
            if (properties.TryGetProperty(property, out var value))
            {
                yield return ($"DOTNET_{variable}", value.ValueKind switch { JsonValueKind.True => "1", JsonValueKind.False => "0", _ => value.GetRawText() });
            }
            else if (property == "System.GC.Concurrent")
            {
                yield return ("DOTNET_gcConcurrent", "1");
            }
        }
    }
}
