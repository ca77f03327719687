using System.Collections.Concurrent;
using System.Diagnostics;
using MissionControl.Testing;

namespace MissionControl.System.Tests;

/// <summary>The distributed shape: a process for every replica of a role, over a real PostgreSQL and a real RabbitMQ, each under its role's own logins.</summary>
internal sealed class DistributedInstallation : IInstallation
{
    /// <summary>The roles, each with how many replicas of it run; those that do nothing yet share a process.</summary>
    public static readonly IReadOnlyList<(string Roles, int Replicas)> Plan =
        [("identity", 2), ("callhome", 2), ("licensing", 2), ("fleet", 2), ("audit", 2), ("portal", 2), ("updates,remoteaccess,notifications", 1)];

    private readonly string root = Directory.CreateTempSubdirectory("mc-distributed-").FullName;
    private readonly List<RoleProcess> processes = [];
    private readonly ConcurrentQueue<string> critical = new();
    private string database = "";

    public PostgresServer Postgres { get; private set; } = null!;

    public RabbitMqServer RabbitMq { get; private set; } = null!;

    /// <summary>Every process, in the order in which they were started.</summary>
    public IReadOnlyList<RoleProcess> Processes => processes;

    public Uri Portal => Of("portal")[0].Portal;

    public IReadOnlyList<Uri> CallHomes => [.. Of("callhome").Select(process => process.CallHome)];

    public string CaFile => Path.Combine(root, "shared", "certificates", "ca.pem");

    public string AdminToken => File.ReadAllText(Directory.GetFiles(root, "admin.token", SearchOption.AllDirectories).Single()).Trim();

    /// <summary>What any process logged as critical, over all lives.</summary>
    public IReadOnlyCollection<string> Critical => critical;

    public static async Task<DistributedInstallation> StartAsync()
    {
        var installation = new DistributedInstallation();
        try
        {
            await installation.BeginAsync();
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    private async Task BeginAsync()
    {
        var users = Plan.Select(process => process.Roles).Select(Grants.BrokerUserOf).Append(RabbitMqUser.Owner("owner"));
        var broker = RabbitMqServer.StartNewAsync([.. users]);
        Postgres = await PostgresServer.StartNewAsync();
        RabbitMq = await broker;
        database = await Postgres.CreateDatabaseAsync();
        await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", Path.Combine(root, "first"), "--hand-out", Path.Combine(root, "roles"));
        await MigrateAsync();
        foreach (var statement in Grants.DatabaseStatements(Plan.Select(process => process.Roles), RabbitMq.Password))
        {
            await Postgres.ExecuteAsync(database, statement);
        }

        foreach (var (roles, replicas) in Plan)
        {
            for (var replica = 1; replica <= replicas; replica++)
            {
                processes.Add(new RoleProcess(this, roles, replica));
            }
        }

        // The first one makes the certificates that all share; in a real installation they are the owner's.
        foreach (var wave in processes.GroupBy(process => (process.Replica, process.Roles != "callhome")).OrderBy(wave => wave.Key))
        {
            await Parallel.ForEachAsync(wave, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (process, _) => await process.StartAsync());
        }
    }

    public IReadOnlyList<RoleProcess> Of(string role) => [.. processes.Where(process => process.Roles == role)];

    public HttpClient Client(Uri address, string? bearer = null) => TrustingClient.Create(address, CaFile, bearer);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            await process.KillAsync();
        }

        if (RabbitMq is not null)
        {
            await RabbitMq.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        if (Environment.GetEnvironmentVariable("MC_TEST_KEEP") is null)
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private async Task MigrateAsync()
    {
        var start = Start("migrate", Path.Combine(root, "migrate"), "all", Postgres.ConnectionString(database), "owner");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"migrate ended with {process.ExitCode}: {await output}{errors}");
        }
    }

    private ProcessStartInfo Start(string command, string data, string roles, string connection, string user)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "missioncontrol"), [command, "--role", roles, "--data", data]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MissionControl__Database__Provider"] = "postgresql";
        start.Environment["MissionControl__Database__ConnectionString"] = connection + ";Maximum Pool Size=15";
        start.Environment["MissionControl__RabbitMq__Address"] = RabbitMq.Address.ToString();
        start.Environment["MissionControl__RabbitMq__User"] = user;
        start.Environment["MissionControl__RabbitMq__Password"] = RabbitMq.Password;
        start.Environment["MissionControl__CallHome__EnrollmentsPerSecond"] = "1000";
        start.Environment["MissionControl__Network__TrustedProxies__0"] = "127.0.0.0/8";
        return start;
    }

    /// <summary>One replica of one role.</summary>
    internal sealed class RoleProcess(DistributedInstallation installation, string roles, int replica)
    {
        private readonly int portal = Ports.Free();
        private readonly int callHome = Ports.Free();
        private readonly int @internal = Ports.Free();
        private readonly int operations = Ports.Free();
        private Process? process;

        public string Roles => roles;

        public int Replica => replica;

        public Uri Portal => new($"https://localhost:{portal}");

        public Uri CallHome => new($"https://localhost:{callHome}");

        public Uri Internal => new($"https://localhost:{@internal}");

        public Uri Operations => new($"http://localhost:{operations}");

        /// <summary>Starts it and waits until it may be sent traffic.</summary>
        public async Task StartAsync()
        {
            Begin();
            using var http = new HttpClient { BaseAddress = Operations };
            await Eventually.TrueAsync(async () =>
            {
                if (process!.HasExited)
                {
                    throw new InvalidOperationException($"{roles} {replica} ended with {process.ExitCode}.");
                }

                try
                {
                    return (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            }, $"{roles} {replica} is ready", TimeSpan.FromMinutes(2));
        }

        /// <summary>kill -9; nothing when it does not run.</summary>
        public async Task KillAsync()
        {
            if (process is null)
            {
                return;
            }

            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            process = null;
        }

        private void Begin()
        {
            var data = Directory.CreateDirectory(Path.Combine(installation.root, $"{roles.Replace(',', '-')}-{replica}")).FullName;
            foreach (var shared in roles == "portal" ? new[] { "certificates", "cookie-keys" } : ["certificates"])
            {
                var target = Directory.CreateDirectory(Path.Combine(installation.root, "shared", shared)).FullName;
                if (!Directory.Exists(Path.Combine(data, shared)))
                {
                    Directory.CreateSymbolicLink(Path.Combine(data, shared), target);
                }
            }

            // Of the keys a copy of its role's own, as a secret is mounted: what it wrote there no other replica would have.
            var handedOut = Path.Combine(installation.root, "roles", roles);
            var keys = Directory.CreateDirectory(Path.Combine(data, "keys")).FullName;
            foreach (var file in Directory.Exists(handedOut) ? Directory.GetFiles(handedOut) : [])
            {
                File.Copy(file, Path.Combine(keys, Path.GetFileName(file)), overwrite: true);
            }

            var login = Grants.LoginOf(roles);
            var start = installation.Start("run", data, roles, installation.Postgres.ConnectionString(installation.database, login, installation.RabbitMq.Password), login);
            foreach (var (option, address) in new[] { ("--portal", Portal), ("--callhome", CallHome), ("--internal", Internal), ("--ops", Operations) })
            {
                start.ArgumentList.Add(option);
                start.ArgumentList.Add(address.ToString());
            }

            foreach (var role in installation.processes.SelectMany(other => other.Roles.Split(',').Select(name => (Name: name, other.Internal))).Where(role => role.Name != "portal").GroupBy(role => role.Name))
            {
                foreach (var (index, other) in role.Index())
                {
                    start.Environment[$"MissionControl__Edge__Roles__{role.Key}__{index}"] = other.Internal.ToString();
                }
            }

            process = Process.Start(start)!;
            var log = new StreamWriter(Path.Combine(data, "log"), append: true) { AutoFlush = true };
            process.OutputDataReceived += (_, line) =>
            {
                if (line.Data is null)
                {
                    log.Dispose();
                    return;
                }

                log.WriteLine(line.Data);
                if (line.Data.Contains("\"LogLevel\":\"Critical\"", StringComparison.Ordinal))
                {
                    installation.critical.Enqueue(line.Data);
                }
            };
            process.BeginOutputReadLine();
        }
    }
}
