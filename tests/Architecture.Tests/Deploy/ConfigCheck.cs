using System.Text.Json.Nodes;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>Checks a command line and its configuration by the product's own <c>verify-config</c>, with the files that the container would find.</summary>
internal sealed class ConfigCheck : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-verify-").FullName;
    private readonly HandedOutKeys handedOut = new();

    /// <summary>Verifies; fails with what the program said.</summary>
    /// <param name="command">The container's arguments.</param>
    /// <param name="environment">Its environment.</param>
    /// <param name="config">The configuration file that it would read.</param>
    /// <param name="secrets">The secrets that it would find, by the path.</param>
    public void Verify(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string? config, IEnumerable<string> secrets)
    {
        var arguments = command.ToList();
        Assert.Contains(arguments[0], new[] { "run", "migrate" });
        arguments[0] = "verify-config";
        Replace(arguments, "--data", Path.Combine(directory, "data"));
        var keys = Directory.CreateDirectory(Path.Combine(directory, "data", "keys"));
        var role = arguments[arguments.IndexOf("--role") + 1];
        foreach (var one in handedOut.Roles.Where(one => role == "all" || role == one))
        {
            handedOut.Mount(one, keys.FullName);
        }

        if (config is not null)
        {
            var file = Path.Combine(directory, "config.json");
            File.WriteAllText(file, config.Replace("/run/secrets", directory, StringComparison.Ordinal));
            Replace(arguments, "--config", file);
        }

        foreach (var secret in secrets)
        {
            var file = Path.Combine(directory, Path.GetFileName(secret));
            File.WriteAllText(file, Path.GetFileName(secret) == "database" ? "Host=postgres;Database=missioncontrol" : "secret");
        }

        var program = Path.Combine(AppContext.BaseDirectory, "missioncontrol.dll");
        Tools.Run("dotnet", [program, .. arguments], environment.ToDictionary(variable => variable.Key, variable => variable.Value.StartsWith("/data/", StringComparison.Ordinal) ? directory + variable.Value : variable.Value));
        keys.Delete(recursive: true);
        foreach (var file in Directory.GetFiles(directory))
        {
            File.Delete(file);
        }
    }

    /// <summary>The files under /run/secrets that a configuration names.</summary>
    public static IReadOnlyList<string> NamedSecrets(string config) => [.. Values(JsonNode.Parse(config)!).Where(value => value.StartsWith("/run/secrets/", StringComparison.Ordinal))];

    public void Dispose()
    {
        handedOut.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static void Replace(List<string> arguments, string option, string value)
    {
        var position = arguments.IndexOf(option);
        Assert.True(position >= 0, $"The command line lacks {option}.");
        arguments[position + 1] = value;
    }

    private static IEnumerable<string> Values(JsonNode node) => node switch
    {
        JsonObject members => members.SelectMany(member => Values(member.Value!)),
        JsonArray items => items.SelectMany(item => Values(item!)),
        _ => [node.ToString()],
    };
}
