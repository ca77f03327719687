using System.Text.Json.Nodes;

namespace MissionControl.Security.Tests.Fuzz;

/// <summary>Structure-aware: a valid JSON document with one value at a time replaced by what does not belong there.</summary>
internal static class JsonMutations
{
    private static readonly string[] Values =
    [
        "null", "true", "-1", "1.5", "1e400", "99999999999999999999999", "9223372036854775807", "-9223372036854775808", "2147483648", "\"\"", "\"x\"", "\"7\"", "\"NaN\"", "\"\\u0000\"", "\"\\ud800\"",
        "\"\\ud83d\\ude00\"", "[]", "[null]", "[[]]", "{}", "{\"a\":{\"a\":{}}}", "\"2026-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"00000000-0000-0000-0000-000000000000\"",
    ];

    private static readonly string Long = $"\"{new string('x', 20_000)}\"";

    /// <summary>Every document that differs from this one in one place, each with a description.</summary>
    public static IEnumerable<(string What, string Json)> Of(string json)
    {
        var root = JsonNode.Parse(json)!;
        foreach (var path in Paths(root, ""))
        {
            foreach (var value in Values.Append(Long))
            {
                yield return ($"{path} = {(value.Length > 40 ? value[..40] : value)}", Replaced(json, path, value));
            }
        }
    }

    private static IEnumerable<string> Paths(JsonNode node, string path) => node switch
    {
        JsonObject members => members.SelectMany(member => new[] { $"{path}/{member.Key}" }.Concat(member.Value is null ? [] : Paths(member.Value, $"{path}/{member.Key}"))),
        JsonArray items => items.SelectMany((item, i) => new[] { $"{path}/{i}" }.Concat(item is null ? [] : Paths(item, $"{path}/{i}"))),
        _ => [],
    };

    private static string Replaced(string json, string path, string value)
    {
        const string Mark = "\u2603here";
        var root = JsonNode.Parse(json)!;
        var steps = path.Split('/')[1..];
        var parent = root;
        foreach (var step in steps[..^1])
        {
            parent = parent is JsonArray list ? list[int.Parse(step)]! : parent[step]!;
        }

        if (parent is JsonArray array)
        {
            array[int.Parse(steps[^1])] = Mark;
        }
        else
        {
            parent[steps[^1]] = Mark;
        }

        return root.ToJsonString().Replace("\"\\u2603here\"", value, StringComparison.Ordinal);
    }
}
