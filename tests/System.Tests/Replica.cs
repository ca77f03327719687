using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Host;
using MissionControl.Platform.Telemetry;
using MissionControl.Testing;

namespace MissionControl.System.Tests;

/// <summary>One replica of one role of the distributed shape, or of several that share a process; it keeps its ports and its directory over every restart.</summary>
internal abstract class Replica(DistributedInstallation installation, string roles, int number) : IAsyncDisposable
{
    private readonly int portal = Ports.Free();
    private readonly int callHome = Ports.Free();
    private readonly int @internal = Ports.Free();
    private readonly int operations = Ports.Free();

    public string Roles => roles;

    public int Number => number;

    public Uri Portal => new($"https://localhost:{portal}");

    public Uri CallHome => new($"https://localhost:{callHome}");

    public Uri Internal => new($"https://localhost:{@internal}");

    public Uri Operations => new($"http://localhost:{operations}");

    /// <summary>To which replicas its portal forwards; by default to those of the installation.</summary>
    public IReadOnlyList<Replica>? Others { get; set; }

    protected string Data => Path.Combine(installation.Root, $"{roles.Replace(',', '-')}-{number}");

    protected DistributedInstallation Installation => installation;

    /// <summary>Starts it and waits until it may be sent traffic.</summary>
    public abstract Task StartAsync();

    /// <summary>Ends it, as hard as it can be ended; nothing when it does not run.</summary>
    public abstract Task KillAsync();

    public async ValueTask DisposeAsync() => await KillAsync();

    /// <summary>Makes its directory ready, and says what it goes by.</summary>
    protected Dictionary<string, string?> Prepare()
    {
        Directory.CreateDirectory(Data);
        if (roles == "portal" && !Directory.Exists(Path.Combine(Data, "cookie-keys")))
        {
            Directory.CreateSymbolicLink(Path.Combine(Data, "cookie-keys"), Directory.CreateDirectory(Path.Combine(installation.Root, "shared", "cookie-keys")).FullName);
        }

        // Of what was handed out a copy of its roles' own, as a secret is mounted: what it wrote there no other replica would have.
        var keys = Directory.CreateDirectory(Path.Combine(Data, "keys")).FullName;
        foreach (var file in roles.Split(',').SelectMany(role => Directory.GetFiles(Path.Combine(installation.Root, "roles", role))))
        {
            File.Copy(file, Path.Combine(keys, Path.GetFileName(file)), overwrite: true);
        }

        var configuration = installation.Configuration(installation.ConnectionString(roles), Grants.LoginOf(roles));
        foreach (var role in (Others ?? installation.Replicas).SelectMany(other => other.Roles.Split(',').Select(name => (Name: name, other.Internal))).Where(role => role.Name != "portal").GroupBy(role => role.Name))
        {
            foreach (var (index, other) in role.Index())
            {
                configuration[$"Edge:Roles:{role.Key}:{index}"] = other.Internal.ToString();
            }
        }

        return configuration;
    }
}

/// <summary>A replica as a process of its own, which can be killed.</summary>
internal sealed class ReplicaProcess(DistributedInstallation installation, string roles, int number, IReadOnlyDictionary<string, string>? environment = null, bool isMeantToFail = false) : Replica(installation, roles, number)
{
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentQueue<string> errors = new();
    private Process? process;
    private volatile bool isKilled;

    /// <summary>All lines it wrote; kept only when the environment was given, since they are many.</summary>
    public IReadOnlyCollection<string> Output => output;

    public override async Task StartAsync()
    {
        Begin();
        using var http = new HttpClient { BaseAddress = Operations };
        await Eventually.TrueAsync(async () =>
        {
            if (process!.HasExited)
            {
                throw new InvalidOperationException($"{Roles} {Number} ended with {process.ExitCode}: {string.Join('\n', errors)}");
            }

            try
            {
                return (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, $"{Roles} {Number} is ready", TimeSpan.FromMinutes(2));
    }

    /// <summary>Starts it and waits for nothing.</summary>
    public void Begin()
    {
        var configuration = Prepare();
        var start = DistributedInstallation.Command(configuration, ["run", "--role", Roles, "--data", Data, "--portal", Portal.ToString(), "--callhome", CallHome.ToString(), "--internal", Internal.ToString(), "--ops", Operations.ToString()]);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        isKilled = false;
        process = Process.Start(start)!;
        var log = new StreamWriter(Path.Combine(Data, "log"), append: true) { AutoFlush = true };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                log.Dispose();
                return;
            }

            log.WriteLine(line.Data);
            if (environment is not null)
            {
                output.Enqueue(line.Data);
            }

            if (!isMeantToFail && line.Data.Contains("\"LogLevel\":\"Critical\"", StringComparison.Ordinal))
            {
                Installation.Report(line.Data);
            }
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
            {
                errors.Enqueue(line.Data);
            }
        };

        // Nobody else would notice: what is asked of a role is answered by its other replica.
        process.EnableRaisingEvents = true;
        process.Exited += (sender, _) =>
        {
            if (!isKilled && !isMeantToFail)
            {
                Installation.Report($"{Roles} {Number} ended with {((Process)sender!).ExitCode}: {string.Join('\n', errors)}");
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Waits until it ended by itself; its exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await process!.WaitForExitAsync();
        return process.ExitCode;
    }

    public override async Task KillAsync()
    {
        if (process is null)
        {
            return;
        }

        isKilled = true;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }
}

/// <summary>A replica in this process, with a clock that a test gives it: the real host all the same, over the same servers and under the same logins.</summary>
internal sealed class ReplicaHost(DistributedInstallation installation, string roles, int number, TimeProvider time) : Replica(installation, roles, number)
{
    private WebApplication? app;

    public override async Task StartAsync()
    {
        var configuration = Prepare();
        var settings = new HostSettings { Roles = Roles.Split(','), Data = Data, Portal = Portal, CallHome = CallHome, Internal = Internal, Operations = Operations };
        app = ControlPlaneHost.Build(settings, time, builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            builder.Configuration.AddInMemoryCollection(configuration);
        });
        await app.StartAsync();
        await Eventually.TrueAsync(() => app.Services.GetRequiredService<Readiness>().IsReady, $"{Roles} {Number} is ready", TimeSpan.FromMinutes(2));
    }

    public override async Task KillAsync()
    {
        if (app is not null)
        {
            // Disposed alone, it would go on consuming, with nothing left to do it by.
            await app.StopAsync();
            await app.DisposeAsync();
            app = null;
        }
    }
}
