using System.Diagnostics;
using System.Text.Json;
using MissionControl.Testing;
using RabbitMQ.Client;

namespace MissionControl.Benchmarks.Subject;

/// <summary>A PostgreSQL and a RabbitMQ of this run's own, and the real host over them with every role in this process.</summary>
internal sealed class Servers : IAsyncDisposable
{
    private const string Owner = "owner";
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-bench-");
    private readonly RabbitMqServer broker;
    private readonly PostgresServer database;
    private IReadOnlyDictionary<string, string?> configuration = new Dictionary<string, string?>();

    private Servers(RabbitMqServer broker, PostgresServer database) => (this.broker, this.database) = (broker, database);

    /// <summary>The host over them.</summary>
    public ControlPlane Host { get; private set; } = null!;

    /// <summary>A second one beside it, once it was asked for.</summary>
    public ControlPlane? Beside { get; private set; }

    public static async Task<Servers> StartAsync(IReadOnlyDictionary<string, string?>? more = null)
    {
        var servers = new Servers(await RabbitMqServer.StartNewAsync(RabbitMqUser.Owner(Owner)), await PostgresServer.StartNewAsync());
        try
        {
            servers.configuration = new Dictionary<string, string?>(more ?? new Dictionary<string, string?>())
            {
                ["Database:Provider"] = "postgresql",
                ["Database:ConnectionString"] = servers.database.ConnectionString(await servers.database.CreateDatabaseAsync()),
                ["RabbitMq:Address"] = servers.broker.Address.ToString(),
                ["RabbitMq:User"] = Owner,
                ["RabbitMq:Password"] = servers.broker.Password,
            };
            var file = Path.Combine(servers.directory.FullName, "config.json");
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(servers.configuration));
            var data = Path.Combine(servers.directory.FullName, "data");
            var roles = Path.Combine(servers.directory.FullName, "roles");
            await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", data, "--hand-out", roles);
            File.Copy(Path.Combine(roles, "callhome", "server.pem"), Path.Combine(data, "keys", "server.pem"));
            await HostCommand.RunAsync(0, "migrate", "--data", data, "--config", file);
            servers.Host = await ControlPlane.StartAsync(data, configuration: servers.configuration);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a second host with every role, over the same servers and with the same keys.</summary>
    public async Task StartBesideAsync()
    {
        var data = directory.CreateSubdirectory("beside").FullName;
        foreach (var file in Directory.EnumerateFiles(Host.Data, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(data, Path.GetRelativePath(Host.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        Beside = await ControlPlane.StartAsync(data, configuration: configuration);
    }

    /// <summary>The floor of everything that goes over the broker: its own client, a quorum queue, persistent messages of 512 bytes, so many awaiting their confirm at once.</summary>
    public async Task<double> ConfirmedPerSecondAsync(int messages, int atOnce)
    {
        var factory = new ConnectionFactory { Uri = broker.Address, UserName = Owner, Password = broker.Password };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var queue = $"floor-{Guid.NewGuid():N}";
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        var body = new byte[512];
        var properties = new BasicProperties { Persistent = true };
        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < messages; sent += atOnce)
        {
            await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => channel.BasicPublishAsync("", queue, mandatory: true, properties, body).AsTask()));
        }

        var took = clock.Elapsed;
        await channel.QueueDeleteAsync(queue);
        return messages / took.TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        if (Beside is not null)
        {
            await Beside.DisposeAsync();
        }

        if (Host is not null)
        {
            await Host.DisposeAsync();
        }

        await broker.DisposeAsync();
        await database.DisposeAsync();
        directory.Delete(recursive: true);
    }
}
