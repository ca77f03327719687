using System.Collections.Concurrent;
using System.Diagnostics;
using MissionControl.Testing;

// Each test starts processes enough for the whole machine; side by side they would only wait for each other.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]

namespace MissionControl.System.Tests;

/// <summary>Mission Control as a process of its own on fixed free ports, so that it can be killed and started again over the same data.</summary>
internal sealed class HostProcess(IReadOnlyDictionary<string, string>? environment = null) : IProcesses
{
    private readonly int portal = Ports.Free();
    private readonly int callHome = Ports.Free();
    private readonly int operations = Ports.Free();
    private readonly ConcurrentQueue<string> errors = new();
    private readonly ConcurrentQueue<string> output = new();
    private Process? process;

    /// <summary>What the host logged as errors, over all its lives.</summary>
    public IReadOnlyCollection<string> Errors => errors;

    /// <summary>All lines it wrote, over all its lives; kept only when the environment was given, since they are many.</summary>
    public IReadOnlyCollection<string> Output => output;

    public string Data { get; } = Directory.CreateTempSubdirectory("mc-system-").FullName;

    public Uri Portal => new($"https://localhost:{portal}");

    public Uri CallHome => new($"https://localhost:{callHome}");

    public IReadOnlyList<Uri> CallHomes => [CallHome];

    public string CaFile => Path.Combine(Data, "certificates", "ca.pem");

    public string AdminToken => File.ReadAllText(Path.Combine(Data, "admin.token")).Trim();

    public int ProcessId => process!.Id;

    public async Task StartAsync(params string[] more)
    {
        Launch(more);
        await ReadyAsync();
    }

    /// <summary>Starts the process and waits for nothing.</summary>
    public void Launch(params string[] more)
    {
        var start = new ProcessStartInfo(HostCommand.Program) { RedirectStandardOutput = true };
        foreach (var argument in (string[])["run", "--data", Data, "--portal", Portal.ToString(), "--callhome", CallHome.ToString(), "--ops", $"http://localhost:{operations}", .. more])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["MissionControl__CallHome__EnrollmentsPerSecond"] = "1000";
        start.Environment["MissionControl__Api__RequestsPerMinute"] = "1000000";
        start.Environment["MissionControl__Notifications__CaFile"] = Outside.Authority.CaFile;
        start.Environment["MissionControl__Notifications__AllowedNetworks__0"] = "127.0.0.0/8";
        start.Environment["MissionControl__Demo__Simulator"] = Path.Combine(AppContext.BaseDirectory, "mc-simulator");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            if (environment is not null && line.Data is not null)
            {
                output.Enqueue(line.Data);
            }

            if (line.Data?.Contains("\"LogLevel\":\"Error\"", StringComparison.Ordinal) == true)
            {
                errors.Enqueue(line.Data);
            }
        };
        process.BeginOutputReadLine();
    }

    /// <summary>Waits until it is ready.</summary>
    public async Task ReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{operations}") };
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "the host is ready", TimeSpan.FromMinutes(2));
    }

    /// <summary>SIGTERM: the process begins to drain.</summary>
    public void Terminate() => Process.Start("kill", ["-TERM", process!.Id.ToString(global::System.Globalization.CultureInfo.InvariantCulture)])!.WaitForExit();

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        await process!.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>kill -9: nothing is flushed, nothing is said.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    public HttpClient Client(Uri address, string? bearer = null) => TrustingClient.Create(address, CaFile, bearer);

    public Task KillAsync(string role) => KillAsync();

    public Task StartAgainAsync(string role) => StartAsync();

    public async Task<Door> OpenDoorAsync(TimeProvider time)
    {
        // An embedded database has one writer: a second way in is another installation.
        var other = await ControlPlane.StartAsync(time: time);
        return new Door(new Uri($"https://localhost:{other.CallHome.Port}"), other.CaFile, other);
    }

    public async Task<Talkative> StartTalkativeAsync()
    {
        var host = new HostProcess(Talkative.Environment);
        await host.StartAsync();
        return new Talkative(host.Portal, host.CallHome, host.CaFile, host.AdminToken, () => host.Output, host);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await KillAsync();
        }

        Directory.Delete(Data, recursive: true);
    }
}
