using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MissionControl.Catalog;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>The compose file: it cannot be started where these tests run, so each of its lines is held against the code.</summary>
public sealed partial class ComposeTests
{
    private static readonly Lazy<JsonNode> File = new(() => Tools.Compose());

    private static readonly string[] RoleNames = [.. ModuleList.All.Select(module => module.Name)];

    private static IEnumerable<(string Name, JsonNode Service)> RoleServices => File.Value["services"]!.AsObject()
        .Where(service => service.Value!["image"].Text() == "missioncontrol" && service.Value["command"].Texts()[0] == "run").Select(service => (service.Key, service.Value!));

    [Fact]
    public void Every_role_has_a_service_and_call_home_two()
    {
        var roles = RoleServices.Select(role => Option(role.Service, "--role")).ToList();

        Assert.Equal(RoleNames.Append("callhome").Order(), roles.Order());
        Assert.All(RoleServices, role => Assert.StartsWith(Option(role.Service, "--role"), role.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_line_passes_verify_config()
    {
        using var check = new ConfigCheck();
        foreach (var (name, service) in RoleServices.Append(("migrate", File.Value["services"]!["migrate"]!)))
        {
            var mounted = service["volumes"].Texts().Single(volume => volume.Contains(":/etc/missioncontrol:", StringComparison.Ordinal)).Split(':')[0];
            Assert.EndsWith("infra/config", mounted, StringComparison.Ordinal);
            var config = Repository.Read("infra/config/" + Path.GetFileName(Option(service, "--config")));
            var secrets = Secrets(service);

            Assert.True(ConfigCheck.NamedSecrets(config).All(file => secrets.Contains(Path.GetFileName(file))), $"{name} lacks a secret that its configuration names.");
            check.Verify(service["command"].Texts(), Environment(service), config, secrets);
        }
    }

    [Fact]
    public void Every_service_publishes_what_it_listens_to_and_nothing_else()
    {
        foreach (var (name, service) in RoleServices)
        {
            var published = service["ports"]?.AsArray().Select(port => port!["target"].Text()) ?? [];
            var open = new[] { "--portal", "--callhome" }.Select(option => OptionOrNull(service, option)).OfType<string>().Select(Port);
            Assert.Equal(open, published);
            Assert.Equal(["CMD", "healthy", Port(Option(service, "--ops"))], service["healthcheck"]!["test"].Texts());
            Assert.All(new[] { "--portal", "--callhome", "--internal", "--ops" }.Select(option => OptionOrNull(service, option)).OfType<string>().Select(Port), port => Assert.Contains(port, Exposed().Match(Repository.Read("infra/containers/Dockerfile")).Groups[1].Value.Split(' ')));
            Assert.Contains(name, Environment(service)["MissionControl__AllowedHosts"].Split(';'));
        }
    }

    [Fact]
    public void Identity_knows_where_the_portal_is()
    {
        var portal = RoleServices.Single(role => role.Name == "portal").Service;
        var said = new Uri(Environment(RoleServices.Single(role => role.Name == "identity").Service)["MissionControl__Identity__PortalAddress"]);

        Assert.Equal(portal["ports"]![0]!["published"].Text(), said.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains(said.Host, Environment(portal)["MissionControl__AllowedHosts"].Split(';'));
    }

    [Fact]
    public void The_broker_throws_no_message_away_however_often_a_consumer_was_killed()
    {
        var mounted = File.Value["services"]!["rabbitmq"]!["volumes"].Texts();
        var policy = JsonNode.Parse(Repository.Read("infra/containers/rabbitmq-policies.json"))!["policies"]!.AsArray().Single()!;

        Assert.Contains(mounted, volume => volume.Contains("infra/containers/rabbitmq-policies.json:/etc/rabbitmq/definitions/", StringComparison.Ordinal));
        Assert.Equal((".*", "quorum_queues", -1), ((string)policy["pattern"]!, (string)policy["apply-to"]!, (int)policy["definition"]!["delivery-limit"]!));
    }

    [Fact]
    public void The_portal_finds_every_replica_of_every_role()
    {
        var edge = JsonNode.Parse(Repository.Read("infra/config/distributed.json"))!["Edge"]!["Roles"]!.AsObject();
        var addresses = RoleServices.Where(role => Option(role.Service, "--role") != "portal")
            .Select(role => (Role: Option(role.Service, "--role"), Address: $"https://{role.Name}:{Port(Option(role.Service, "--internal"))}"));

        Assert.Equal(addresses.Order(), edge.SelectMany(role => role.Value.Texts().Select(address => (role.Key, address))).Order());
    }

    [Fact]
    public void Every_role_runs_with_the_least_it_needs()
    {
        Assert.Matches(NotRoot(), Repository.Read("infra/containers/Dockerfile"));
        foreach (var (name, service) in RoleServices.Append(("migrate", File.Value["services"]!["migrate"]!)))
        {
            var role = name == "migrate" ? "owner" : Option(service, "--role");
            Assert.Equal("true", service["read_only"].Text());
            Assert.Equal(["ALL"], service["cap_drop"].Texts());
            Assert.Equal(["no-new-privileges:true"], service["security_opt"].Texts());
            Assert.Equal($"mc_{role}", Environment(service)["MissionControl__RabbitMq__User"]);
            Assert.Equal([$"{role}-database", $"{role}-rabbitmq"], Sources(service).Where(source => source.Contains('-', StringComparison.Ordinal)));
            Assert.Contains(service["volumes"].Texts(), volume => volume.EndsWith(":/data:rw", StringComparison.Ordinal) || volume.EndsWith(":/data", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_role_is_mounted_the_keys_that_are_handed_to_it_and_no_others()
    {
        var keys = File.Value["services"]!["keys"]!;
        var command = keys["command"].Texts();
        Assert.Equal(["admin", "keys", "make", "--data", "/data", "--hand-out", "/roles"], command.Take(7));
        using var handedOut = new HandedOutKeys([.. command.Skip(7)]);
        Assert.Equal(handedOut.Roles, keys["volumes"].Texts().Select(volume => volume.Split(':')).Where(volume => volume[1].StartsWith("/roles/", StringComparison.Ordinal)).Select(volume => volume[1]["/roles/".Length..]).Order());

        // A new volume takes its owner from the image.
        Assert.All(handedOut.Roles, role => Assert.Contains($"/roles/{role} ", Repository.Read("infra/containers/Dockerfile"), StringComparison.Ordinal));
        foreach (var (name, service) in RoleServices)
        {
            var role = Option(service, "--role");
            Assert.Contains(name, handedOut.Names(role));
            Assert.All(Environment(service)["MissionControl__AllowedHosts"].Split(';'), host => Assert.Contains(host, handedOut.Names(role)));
            var mounted = service["volumes"].Texts().Where(volume => volume.Contains(":/data/keys", StringComparison.Ordinal));
            Assert.Equal(handedOut.Roles.Contains(role) ? [$"{role}-keys:/data/keys:ro"] : [], mounted);
            Assert.Equal("service_completed_successfully", service["depends_on"]!["keys"]!["condition"].Text());
        }
    }

    [Fact]
    public void Every_secret_is_one_that_the_script_makes()
    {
        var script = Repository.Read("infra/containers/make-secrets");
        foreach (var (_, secret) in Tools.Compose("--profile", "sqlserver")["secrets"]!.AsObject())
        {
            var file = Path.GetFileName(secret!["file"].Text());
            var made = RoleNames.Append("owner").SelectMany(role => new[] { $"{role}.database", $"{role}.rabbitmq" }).Contains(file) || script.Contains($"{file}\"", StringComparison.Ordinal) || script.Contains($"keep {file} ", StringComparison.Ordinal) || script.Contains($"$dir/{file}", StringComparison.Ordinal);
            Assert.True(made, $"make-secrets does not make {file}.");
        }

        Assert.Equal(RoleNames, RolesOfScript().Match(script).Groups[1].Value.Split(' '));
    }

    private static string Option(JsonNode service, string name) => OptionOrNull(service, name) ?? throw new InvalidOperationException($"The command line lacks {name}.");

    private static string? OptionOrNull(JsonNode service, string name)
    {
        var command = service["command"].Texts().ToList();
        var position = command.IndexOf(name);
        return position < 0 ? null : command[position + 1];
    }

    private static string Port(string url) => new Uri(url).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Environment(JsonNode service) => service["environment"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value.Text());

    private static List<string> Secrets(JsonNode service) => [.. service["secrets"]!.AsArray().Select(secret => secret is JsonObject ? (secret["target"] ?? secret["source"]).Text() : secret.Text())];

    private static List<string> Sources(JsonNode service) => [.. service["secrets"]!.AsArray().Select(secret => secret is JsonObject ? secret["source"].Text() : secret.Text())];

    [GeneratedRegex("(?m)^USER [1-9][0-9]*:[1-9][0-9]*$")]
    private static partial Regex NotRoot();

    [GeneratedRegex("(?m)^EXPOSE ([0-9 ]+)$")]
    private static partial Regex Exposed();

    [GeneratedRegex(@"roles=\(([a-z ]+)\)")]
    private static partial Regex RolesOfScript();
}
