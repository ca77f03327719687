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

    [Theory]
    [InlineData("https://0.0.0.0:8443", "https://localhost:9443", "http://localhost:8080")]
    [InlineData("https://localhost:8443", "https://[::]:9443", "http://localhost:8080")]
    public void The_demo_is_refused_while_a_listener_is_not_on_loopback(string portal, string callHome, string ops) => Assert.Contains("--demo is refused", Assert.Single(
        new HostSettings { Roles = ["all"], Demo = true, Portal = new Uri(portal), CallHome = new Uri(callHome), Operations = new Uri(ops) }.Errors(Configuration([]))), StringComparison.Ordinal);

    [Fact]
    public void A_bootstrap_token_that_stays_is_refused_where_others_can_reach_it()
    {
        (string, string?) keep = ("Identity:KeepBootstrapToken", "true");
        Assert.Empty(new HostSettings { Roles = ["all"] }.Errors(Configuration([keep])));
        Assert.Contains("KeepBootstrapToken", Assert.Single(new HostSettings { Roles = ["all"], Portal = new Uri("https://0.0.0.0:8443") }.Errors(Configuration([keep]))), StringComparison.Ordinal);
        Assert.Contains("KeepBootstrapToken", Assert.Single(new HostSettings { Roles = ["all"] }.Errors(Configuration([Postgres, Connection, Broker, User, Password, keep]))), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_tls_a_door_is_opened_on_loopback_only_and_not_unless_it_is_asked_for()
    {
        Assert.Null(new HostSettings { Roles = ["all"] }.CallHomePlain);
        Assert.Empty(new HostSettings { Roles = ["all"], CallHomePlain = new Uri("http://127.0.0.1:9080") }.Errors(Configuration([])));
        Assert.Contains("only loopback", Assert.Single(new HostSettings { Roles = ["all"], CallHomePlain = new Uri("http://10.0.0.1:9080") }.Errors(Configuration([]))), StringComparison.Ordinal);
        Assert.Contains("only loopback", Assert.Single(new HostSettings { Roles = ["all"], Operations = new Uri("http://10.0.0.1:8080") }.Errors(Configuration([]))), StringComparison.Ordinal);
    }

    [Fact]
    public void Versions_and_cipher_suites_of_tls_that_are_none_are_named()
    {
        Assert.Empty(Errors("all", ("Tls:MinimumVersion", "1.3"), ("Tls:CipherSuites:0", "TLS_AES_256_GCM_SHA384")));
        var errors = Errors("all", ("Tls:MinimumVersion", "1.1"), ("Tls:CipherSuites:0", "TLS_AES_256_GCM_SHA384"), ("Tls:CipherSuites:1", "AES256"), ("Tls:CipherSuites:2", "4866"));

        Assert.Equal(3, errors.Count);
        Assert.Contains("'1.1' is none", errors[0], StringComparison.Ordinal);
        Assert.Contains("'AES256' is no cipher suite", errors[1], StringComparison.Ordinal);
        Assert.Contains("'4866' is no cipher suite", errors[2], StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Errors(string role, params (string Key, string? Value)[] configuration) => new HostSettings { Roles = [role] }.Errors(Configuration(configuration));

    private static IConfiguration Configuration((string Key, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create(value.Key, value.Value))).Build();
}
