using Microsoft.Extensions.Configuration;
using MissionControl.Host;

namespace MissionControl.Architecture.Tests;

/// <summary>There are two shapes and no others: whatever lies between them is refused with a sentence that says what to change.</summary>
public sealed class ShapeTests
{
    private static readonly (string, string?) Postgres = ("Database:Provider", "postgresql");
    private static readonly (string, string?) Connection = ("Database:ConnectionString", "Host=db");
    private static readonly (string, string?) Broker = ("RabbitMq:Address", "amqp://mq:5672/");
    private static readonly (string, string?) User = ("RabbitMq:User", "mc_fleet");
    private static readonly (string, string?) Password = ("RabbitMq:Password", "secret");

    [Fact]
    public void Both_shapes_are_taken()
    {
        Assert.Empty(Errors("all"));
        Assert.Empty(Errors("fleet", Postgres, Connection, Broker, User, Password));
        Assert.Empty(Errors("fleet", ("Database:Provider", "sqlserver"), Connection, Broker, User, Password));
    }

    [Fact]
    public void Roles_apart_need_a_server_and_a_broker() => Assert.Contains("use --role all", Assert.Single(Errors("fleet")), StringComparison.Ordinal);

    [Fact]
    public void A_file_for_one_process_does_not_go_with_a_broker() =>
        Assert.Contains("SQLite is one file for one process", Assert.Single(Errors("all", Broker, User, Password)), StringComparison.Ordinal);

    [Fact]
    public void A_server_does_not_go_without_a_broker() => Assert.Contains("set RabbitMq:Address", Assert.Single(Errors("all", Postgres, Connection)), StringComparison.Ordinal);

    [Fact]
    public void Everything_that_is_missing_is_said_at_once()
    {
        var errors = Errors("fleet", Postgres, ("RabbitMq:Address", "amqp://guest:guest@mq/"), ("Network:TrustedProxies:0", "10.0.0.0/40"));

        Assert.Contains(errors, error => error.StartsWith("RabbitMq:Address must look like", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("RabbitMq:Address needs RabbitMq:User", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("needs Database:ConnectionString", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("Network:TrustedProxies '10.0.0.0/40'", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, error => error.Contains("guest", StringComparison.Ordinal));
    }

    [Fact]
    public void A_secret_that_stands_in_a_file_is_read_from_it_and_its_absence_is_named()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "Host=db\n");

        Assert.Empty(Errors("fleet", Postgres, ("Database:ConnectionStringFile", file), Broker, User, Password));
        File.Delete(file);
        Assert.Contains(Errors("fleet", Postgres, ("Database:ConnectionStringFile", file), Broker, User, Password), error => error.StartsWith("Database:ConnectionStringFile:", StringComparison.Ordinal));
    }

    [Fact]
    public void The_portal_must_know_where_the_other_roles_are()
    {
        var errors = Errors("portal", Postgres, Connection, Broker, User, Password, ("Edge:Roles:fleet:0", "https://fleet:8444"));

        Assert.Contains(errors, error => error.Contains("Edge:Roles:licensing", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, error => error.Contains("Edge:Roles:fleet", StringComparison.Ordinal));
    }

    [Fact]
    public void The_demo_is_refused_in_the_distributed_shape() => Assert.Contains("--demo is refused", Assert.Single(
        new HostSettings { Roles = ["all"], Demo = true }.Errors(Configuration([Postgres, Connection, Broker, User, Password]))), StringComparison.Ordinal);

    private static IReadOnlyList<string> Errors(string role, params (string Key, string? Value)[] configuration) => new HostSettings { Roles = [role] }.Errors(Configuration(configuration));

    private static IConfiguration Configuration((string Key, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create(value.Key, value.Value))).Build();
}
