using System.Text.Json.Nodes;
using MissionControl.Catalog;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>The Kubernetes manifests as kustomize puts them together, held against the code.</summary>
public sealed class KubernetesTests
{
    public static TheoryData<string> Overlays => ["production", "trial"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_role_has_all_that_it_needs_to_run(string overlay)
    {
        var all = Tools.Kustomize(overlay);
        var deployments = Of(all, "Deployment").ToDictionary(item => Name(item)["missioncontrol-".Length..]);
        Assert.Equal(ModuleList.All.Select(module => module.Name).Order(), deployments.Keys.Order());
        foreach (var (role, deployment) in deployments)
        {
            var labels = deployment["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();
            var container = Container(deployment);
            var ports = container["ports"]!.AsArray().ToDictionary(port => port!["name"].Text(), port => port!["containerPort"].Text());
            Assert.Equal(role, Option(container, "--role"));

            foreach (var listener in new[] { "portal", "callhome", "internal", "ops" })
            {
                Assert.Equal(ports.GetValueOrDefault(listener), OptionOrNull(container, $"--{listener}") is { } url ? new Uri(url).Port.ToString(System.Globalization.CultureInfo.InvariantCulture) : null);
            }

            foreach (var (probe, path) in new[] { ("startupProbe", "/health/live"), ("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready") })
            {
                var get = container[probe]!["httpGet"]!;
                Assert.Equal((path, "ops", "localhost"), (get["path"].Text(), get["port"].Text(), get["httpHeaders"]![0]!["value"].Text()));
            }

            var service = Of(all, "Service").Single(item => Name(item) == Name(deployment));
            Assert.True(service["spec"]!["ports"]!.AsArray().All(port => ports[port!["targetPort"].Text()] == port["port"].Text()));
            Assert.Equal(ports.Count, service["spec"]!["ports"]!.AsArray().Count);
            Selects(service["spec"]!["selector"]!, labels);
            Selects(Of(all, "PodDisruptionBudget").Single(item => Name(item) == Name(deployment))["spec"]!["selector"]!["matchLabels"]!, labels);
            Selects(Of(all, "NetworkPolicy").Single(item => Name(item) == Name(deployment))["spec"]!["podSelector"]!["matchLabels"]!, labels);
        }

        Assert.Equal("2", deployments["callhome"]["spec"]!["replicas"].Text());
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_pod_runs_with_the_least_it_needs(string overlay)
    {
        foreach (var workload in Workloads(Tools.Kustomize(overlay)))
        {
            var pod = workload["spec"]!["template"]!["spec"]!;
            var container = Container(workload);
            Assert.Equal("false", pod["automountServiceAccountToken"].Text());
            Assert.Equal(("true", "10001", "RuntimeDefault"), (pod["securityContext"]!["runAsNonRoot"].Text(), pod["securityContext"]!["runAsUser"].Text(), pod["securityContext"]!["seccompProfile"]!["type"].Text()));
            Assert.Equal(("false", "true"), (container["securityContext"]!["allowPrivilegeEscalation"].Text(), container["securityContext"]!["readOnlyRootFilesystem"].Text()));
            Assert.Equal(["ALL"], container["securityContext"]!["capabilities"]!["drop"].Texts());
            Assert.NotNull(container["resources"]!["requests"]!["memory"]);
            Assert.NotNull(container["resources"]!["limits"]!["memory"]);
            Assert.Contains("USER 10001:10001", Repository.Read("infra/containers/Dockerfile"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_mount_has_its_volume_and_every_reference_its_variable(string overlay)
    {
        var all = Tools.Kustomize(overlay);
        foreach (var workload in Workloads(all))
        {
            var container = Container(workload);
            var volumes = workload["spec"]!["template"]!["spec"]!["volumes"]!.AsArray().ToDictionary(volume => volume!["name"].Text(), volume => volume!);
            Assert.Equal(volumes.Keys.Order(), container["volumeMounts"]!.AsArray().Select(mount => mount!["name"].Text()).Order());
            var claims = Of(all, "PersistentVolumeClaim").Select(Name).ToList();
            Assert.All(volumes.Values.Select(volume => volume["persistentVolumeClaim"]?["claimName"].Text()).OfType<string>(), claim => Assert.Contains(claim, claims));
            Assert.Contains(Of(all, "ConfigMap"), map => Name(map) == volumes["config"]["configMap"]!["name"].Text());

            // A reference to a variable that stands further down is left in the text as it is.
            var known = new HashSet<string>();
            foreach (var variable in container["env"]!.AsArray())
            {
                var value = variable!["value"].Text();
                Assert.All(value.Split("$(").Skip(1).Select(rest => rest.Split(')')[0]), name => Assert.Contains(name, known));
                known.Add(variable["name"].Text());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_command_line_passes_verify_config(string overlay)
    {
        var all = Tools.Kustomize(overlay);
        using var check = new ConfigCheck();
        foreach (var workload in Workloads(all))
        {
            var container = Container(workload);
            var volumes = workload["spec"]!["template"]!["spec"]!["volumes"]!.AsArray().ToDictionary(volume => volume!["name"].Text(), volume => volume!);
            var config = Of(all, "ConfigMap").Single(map => Name(map) == volumes["config"]["configMap"]!["name"].Text())["data"]![Path.GetFileName(Option(container, "--config"))].Text();
            var secrets = volumes["secrets"]["projected"]!["sources"]!.AsArray().SelectMany(source => source!["secret"]!["items"]!.AsArray().Select(item => item!["path"].Text())).ToList();

            Assert.True(ConfigCheck.NamedSecrets(config).All(file => secrets.Contains(Path.GetFileName(file))), $"{Name(workload)} lacks a secret that its configuration names.");

            // What the cluster puts in comes from a ConfigMap or the pod.
            var environment = container["env"]!.AsArray().Where(variable => variable!["value"] is not null).ToDictionary(variable => variable!["name"].Text(), variable => variable!["value"].Text().Replace("$(PUBLIC_HOST)", "control.example.com", StringComparison.Ordinal));
            check.Verify(container["args"].Texts(), environment, config, secrets);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_role_is_mounted_the_secret_with_its_keys_and_no_other(string overlay)
    {
        using var handedOut = new HandedOutKeys();
        foreach (var deployment in Of(Tools.Kustomize(overlay), "Deployment"))
        {
            var role = Option(Container(deployment), "--role");
            var secrets = deployment["spec"]!["template"]!["spec"]!["volumes"]!.AsArray().Select(volume => volume!["secret"]).OfType<JsonNode>().Select(secret => secret["secretName"].Text());
            var mounted = Container(deployment)["volumeMounts"]!.AsArray().Where(mount => mount!["mountPath"].Text() == "/data/keys").Select(mount => mount!["readOnly"].Text());

            Assert.Contains(Name(deployment), handedOut.Names(role));
            Assert.Equal(handedOut.Roles.Contains(role) ? [$"missioncontrol-{role}-keys"] : [], secrets);
            Assert.Equal(handedOut.Roles.Contains(role) ? ["true"] : [], mounted);
            Assert.Equal(handedOut.Roles.Contains(role), Repository.Read("docs/deployment.md").Contains($"`missioncontrol-{role}-keys` | {string.Join(", ", handedOut.Files(role).Select(file => $"`{file}`"))} | {role} |", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Roles_are_spoken_to_by_the_portal_alone_and_clusters_reach_call_home_alone()
    {
        var policies = Of(Tools.Kustomize("production"), "NetworkPolicy").ToDictionary(Name);

        Assert.Equal(["Ingress", "Egress"], policies["missioncontrol-nothing"]["spec"]!["policyTypes"].Texts());
        Assert.Null(policies["missioncontrol-nothing"]["spec"]!["ingress"]);
        foreach (var role in ModuleList.All.Select(module => module.Name))
        {
            var rules = policies[$"missioncontrol-{role}"]["spec"]!["ingress"]!.AsArray();
            var inside = rules.Single(rule => rule!["ports"]![0]!["port"].Text() == "internal")!["from"]!.AsArray().Single()!["podSelector"]!["matchExpressions"]!.AsArray().Single()!;
            Assert.Equal(["portal"], inside["values"].Texts());
            Assert.Equal(role is "portal" or "callhome" ? [role] : [], rules.Where(rule => rule!["from"] is null).Select(rule => rule!["ports"]![0]!["port"].Text()));
        }
    }

    private static IEnumerable<JsonNode> Of(IEnumerable<JsonNode> all, string kind) => all.Where(item => item["kind"].Text() == kind);

    private static IEnumerable<JsonNode> Workloads(IReadOnlyList<JsonNode> all) => Of(all, "Deployment").Concat(Of(all, "Job"));

    private static string Name(JsonNode item) => item["metadata"]!["name"].Text();

    private static JsonNode Container(JsonNode workload) => workload["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Single()!;

    private static string Option(JsonNode container, string name) => OptionOrNull(container, name) ?? throw new InvalidOperationException($"The arguments lack {name}.");

    private static string? OptionOrNull(JsonNode container, string name)
    {
        var arguments = container["args"].Texts().ToList();
        var position = arguments.IndexOf(name);
        return position < 0 ? null : arguments[position + 1];
    }

    private static void Selects(JsonNode selector, JsonObject labels)
    {
        Assert.NotEmpty(selector.AsObject());
        Assert.All(selector.AsObject(), label => Assert.Equal(labels[label.Key].Text(), label.Value.Text()));
    }
}
