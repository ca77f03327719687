using System.Collections.Concurrent;
using System.Diagnostics;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The distributed shape: replicas of every role over a real PostgreSQL and a real RabbitMQ, each under its role's own logins.</summary>
internal sealed class DistributedInstallation : IProcesses
{
    /// <summary>The roles that have little to do.</summary>
    public const string Quiet = "updates,remoteaccess,notifications";

    /// <summary>The roles, each with how many replicas of it run; those that have little to do share theirs.</summary>
    private static readonly IReadOnlyList<(string Roles, int Replicas)> Plan =
        [("identity", 2), ("callhome", 2), ("licensing", 2), ("fleet", 2), ("audit", 2), ("portal", 2), (Quiet, 2)];

    private readonly List<Replica> replicas = [];
    private readonly ConcurrentQueue<string> critical = new();
    private readonly TimeProvider? time;

    // One role has a database of its own: nothing may need another role's tables.
    private const string Apart = "audit";
    private string database = "";
    private string databaseApart = "";
    private int further = 10;

    private DistributedInstallation(TimeProvider? time) => this.time = time;

    /// <summary>Where everything of it lies.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("mc-distributed-").FullName;

    public PostgresServer Postgres { get; private set; } = null!;

    public RabbitMqServer RabbitMq { get; private set; } = null!;

    /// <summary>Every replica, in the order in which they were made.</summary>
    public IReadOnlyList<Replica> Replicas => replicas;

    public Uri Portal => Of("portal")[0].Portal;

    public IReadOnlyList<Uri> CallHomes => [.. Of("callhome").Select(replica => replica.CallHome)];

    public string CaFile => Path.Combine(Root, "first", "certificates", "ca.pem");

    public string AdminToken => File.ReadAllText(Directory.GetFiles(Root, "admin.token", SearchOption.AllDirectories).Single()).Trim();

    /// <summary>No process logged anything critical or ended by itself, over all lives; all of it is told when one did.</summary>
    public void AssertNothingCritical() => Assert.True(critical.IsEmpty, string.Join('\n', critical));

    /// <summary>Starts it: as processes of their own, or by another clock than the machine's, which only hosts in this process can be given.</summary>
    public static async Task<DistributedInstallation> StartAsync(TimeProvider? time = null)
    {
        var installation = new DistributedInstallation(time);
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
        var users = Plan.Select(replica => replica.Roles).Union(Plan.SelectMany(replica => replica.Roles.Split(','))).Select(Grants.BrokerUserOf).Append(RabbitMqUser.Owner("owner"));
        var broker = RabbitMqServer.StartNewAsync([.. users]);
        Postgres = await PostgresServer.StartNewAsync(megabytes: 512);
        RabbitMq = await broker;
        database = await Postgres.CreateDatabaseAsync();
        await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", Path.Combine(Root, "first"), "--hand-out", Path.Combine(Root, "roles"));
        foreach (var statement in Grants.Logins(Plan.Select(replica => replica.Roles), RabbitMq.Password))
        {
            await Postgres.ExecuteAsync(database, statement);
        }

        databaseApart = await Postgres.CreateDatabaseAsync();
        foreach (var each in new[] { database, databaseApart })
        {
            await MigrateAsync(each);
            await Postgres.ExecuteAsync(each, Grants.Database);
        }

        foreach (var (roles, count) in Plan)
        {
            // What is asked of the second process of these roles is asked of those with the machine's clock.
            var all = time is null || roles is "callhome" or "licensing" or "fleet" ? count : 1;
            replicas.AddRange(Enumerable.Range(1, all).Select(number => time is null ? (Replica)new ReplicaProcess(this, roles, number) : new ReplicaHost(this, roles, number, time)));
        }

        await Parallel.ForEachAsync(replicas, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (replica, _) => await replica.StartAsync());

        // The bootstrap token is told to the roles by message.
        using var admin = Client(Portal, AdminToken);
        foreach (var address in new[] { "licensing/customers", "callhome/enrollment-tokens", "fleet/summary", "audit/entries", "identity/tokens" })
        {
            await Eventually.TrueAsync(async () => (await admin.GetAsync(new Uri($"/api/v1/{address}", UriKind.Relative))).IsSuccessStatusCode, $"the administrator's token opens {address}", TimeSpan.FromMinutes(1));
        }
    }

    public IReadOnlyList<Replica> Of(string role) => [.. replicas.Where(replica => replica.Roles == role)];

    public HttpClient Client(Uri address, string? bearer = null) => TrustingClient.Create(address, CaFile, bearer);

    public async Task KillAsync(string role)
    {
        foreach (var replica in Of(role))
        {
            await replica.KillAsync();
        }
    }

    public Task StartAgainAsync(string role) => Parallel.ForEachAsync(Of(role), async (replica, _) => await replica.StartAsync());

    public async Task<Door> OpenDoorAsync(TimeProvider time)
    {
        var door = new ReplicaHost(this, "callhome", ++further, time);
        await door.StartAsync();
        return new Door(door.CallHome, CaFile, door);
    }

    public async Task<Talkative> StartTalkativeAsync()
    {
        var others = new[] { "callhome", "licensing", "fleet", "identity" }.Select(role => new ReplicaProcess(this, role, ++further, Talkative.Environment)).ToList();
        var portal = new ReplicaProcess(this, "portal", ++further, Talkative.Environment) { Others = [.. others, .. replicas.Where(replica => !others.Exists(other => other.Roles == replica.Roles))] };
        List<ReplicaProcess> all = [.. others, portal];
        var owner = new Owner(all);
        try
        {
            await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (process, _) => await process.StartAsync());
        }
        catch
        {
            await owner.DisposeAsync();
            throw;
        }

        return new Talkative(portal.Portal, others[0].CallHome, CaFile, AdminToken, () => all.SelectMany(process => process.Output), owner);
    }

    /// <summary>Takes note of what a process logged as critical.</summary>
    public void Report(string line) => critical.Enqueue(line);

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
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
            Directory.Delete(Root, recursive: true);
        }
    }

    /// <summary>How the login of these roles reaches their database.</summary>
    public string ConnectionString(string roles) => Postgres.ConnectionString(roles == Apart ? databaseApart : database, Grants.LoginOf(roles), RabbitMq.Password);

    /// <summary>What a process with these logins goes by.</summary>
    public Dictionary<string, string?> Configuration(string connection, string user) => new()
    {
        ["Database:Provider"] = "postgresql",
        ["Database:ConnectionString"] = connection + ";Maximum Pool Size=15",
        ["RabbitMq:Address"] = RabbitMq.Address.ToString(),
        ["RabbitMq:User"] = user,
        ["RabbitMq:Password"] = RabbitMq.Password,
        ["CallHome:EnrollmentsPerSecond"] = "1000",

        // All tests ask with one token; that its limit holds is tested where nothing else is.
        ["Api:RequestsPerMinute"] = "1000000",
        ["Notifications:CaFile"] = Outside.Authority.CaFile,
        ["Notifications:AllowedNetworks:0"] = "127.0.0.0/8",
        ["Network:TrustedProxies:0"] = "127.0.0.0/8",
        ["Identity:PortalAddress"] = Of("portal") is [var first, ..] ? first.Portal.ToString() : null,
    };

    /// <summary>The real program with a configuration.</summary>
    public static ProcessStartInfo Command(IReadOnlyDictionary<string, string?> configuration, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(HostCommand.Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in configuration)
        {
            start.Environment[$"MissionControl__{key.Replace(":", "__", StringComparison.Ordinal)}"] = value;
        }

        return start;
    }

    private async Task MigrateAsync(string each)
    {
        using var process = Process.Start(Command(Configuration(Postgres.ConnectionString(each), "owner"), ["migrate", "--role", "all", "--data", Path.Combine(Root, "migrate")]))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"migrate ended with {process.ExitCode}: {await output}{errors}");
        }
    }

    private sealed class Owner(IReadOnlyList<Replica> replicas) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var replica in replicas)
            {
                await replica.DisposeAsync();
            }
        }
    }
}
