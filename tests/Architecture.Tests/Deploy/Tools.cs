using System.Diagnostics;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>The programs that read the deploy files as those who use them do, and what they say.</summary>
internal static class Tools
{
    /// <summary>The compose file as its own program understands it.</summary>
    public static JsonNode Compose(params string[] options) => Yaml(Run("docker-compose", ["-f", "docker-compose.yml", .. options, "config"])).Single();

    /// <summary>The manifests of an overlay.</summary>
    public static IReadOnlyList<JsonNode> Kustomize(string overlay) => Yaml(Run("kubectl", ["kustomize", $"infra/kubernetes/overlays/{overlay}"]));

    /// <summary>Runs a program at the top of the tree; fails with what it said.</summary>
    public static string Run(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start; infra/dev test installs it.");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{errors.Result}");
        return output;
    }

    /// <summary>Every document of a YAML text; every scalar is a string.</summary>
    public static IReadOnlyList<JsonNode> Yaml(string text)
    {
        var json = new SerializerBuilder().JsonCompatible().Build();
        var reader = new DeserializerBuilder().Build();
        var parser = new Parser(new StringReader(text));
        var documents = new List<JsonNode>();
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
        {
            documents.Add(JsonNode.Parse(json.Serialize(reader.Deserialize(parser)))!);
        }

        return documents;
    }

    public static string Text(this JsonNode? node) => node?.ToString() ?? "";

    public static IReadOnlyList<string> Texts(this JsonNode? node) => node is JsonArray array ? [.. array.Select(item => item.Text())] : [];
}
