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

    private Servers(RabbitMqServer broker, PostgresServer database) => (this.broker, this.database) = (broker, database);

    /// <summary>The host over them.</summary>
    public ControlPlane Host { get; private set; } = null!;

    public static async Task<Servers> StartAsync()
    {
        var servers = new Servers(await RabbitMqServer.StartNewAsync(RabbitMqUser.Owner(Owner)), await PostgresServer.StartNewAsync());
        try
        {
            var configuration = new Dictionary<string, string?>
            {
                ["Database:Provider"] = "postgresql",
                ["Database:ConnectionString"] = servers.database.ConnectionString(await servers.database.CreateDatabaseAsync()),
                ["RabbitMq:Address"] = servers.broker.Address.ToString(),
                ["RabbitMq:User"] = Owner,
                ["RabbitMq:Password"] = servers.broker.Password,
            };
            var file = Path.Combine(servers.directory.FullName, "config.json");
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(configuration));
            var data = Path.Combine(servers.directory.FullName, "data");
            var roles = Path.Combine(servers.directory.FullName, "roles");
            await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", data, "--hand-out", roles);
            File.Copy(Path.Combine(roles, "callhome", "server.pem"), Path.Combine(data, "keys", "server.pem"));
            await HostCommand.RunAsync(0, "migrate", "--data", data, "--config", file);
            servers.Host = await ControlPlane.StartAsync(data, configuration: configuration);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
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
        if (Host is not null)
        {
            await Host.DisposeAsync();
        }

        await broker.DisposeAsync();
        await database.DisposeAsync();
        directory.Delete(recursive: true);
    }
}
