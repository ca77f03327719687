using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MissionControl.Licensing.Pricing;

/// <summary>A sheet as YAML or JSON. YAML is read as events, and only what a sheet needs of it: no anchors, no tags, one document.</summary>
internal static class SheetTree
{
    // Sheet, rates, rate, tiers, tier, value.
    private const int MostDepth = 8;
    private static readonly string[] SheetKeys = ["currency", "effectiveFrom", "rates"];
    private static readonly string[] RateKeys = ["sku", "description", "meter", "unit", "per", "model", "packageUnits", "minimumUnits", "rounding", "tiers"];
    private static readonly string[] TierKeys = ["from", "upTo", "price", "fee"];

    public static RawSheet? ReadYaml(string text, SheetErrors errors)
    {
        try
        {
            var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                errors.Add(new Cell(null, "", 1, 1), "empty", "There is nothing in it.");
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = Yaml(parser, 0);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out var end))
            {
                throw new SheetException("several-documents", "A file holds one sheet.", parser.Current!.Start);
            }

            return Sheet(root, errors);
        }
        catch (SheetException mistake)
        {
            errors.Add(new Cell(null, "", Place(mistake.At.Line), Place(mistake.At.Column)), mistake.Code, mistake.Message);
        }
        catch (YamlException mistake)
        {
            errors.Add(new Cell(null, "", Place(mistake.Start.Line), Place(mistake.Start.Column)), "malformed", $"This is no YAML: {mistake.Message}");
        }

        return null;
    }

    public static RawSheet? ReadJson(string text, SheetErrors errors)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MostDepth, AllowDuplicateProperties = false });
            return Sheet(Json(document.RootElement), errors);
        }
        catch (JsonException mistake)
        {
            errors.Add(new Cell(null, "", (int?)mistake.LineNumber + 1), "malformed", "This is no JSON, is nested too deeply, or has a member twice.");
            return null;
        }
    }

    public static string WriteYaml(PriceSheet sheet)
    {
        var item = sheet.ToItem();
        var text = new StringBuilder().Append("currency: ").Append(item.Currency).Append("\neffectiveFrom: ").Append(item.EffectiveFrom).Append("\nrates:\n");
        foreach (var rate in item.Rates)
        {
            text.Append("  - sku: ").Append(Quoted(rate.Sku)).Append('\n');
            Line("description", rate.Description.Length == 0 ? null : Quoted(rate.Description));
            Line("meter", rate.Meter is null ? null : Quoted(rate.Meter));
            Line("unit", Quoted(rate.Unit));
            Line("per", rate.Per);
            Line("model", rate.Model);
            Line("packageUnits", rate.PackageUnits);
            Line("minimumUnits", rate.MinimumUnits);
            Line("rounding", rate.Rounding);
            text.Append("    tiers:\n");
            foreach (var tier in rate.Tiers)
            {
                text.Append("      - price: ").Append(tier.Price).Append('\n').Append(tier.UpTo is null ? "" : $"        upTo: {tier.UpTo}\n").Append("        fee: ").Append(tier.Fee).Append('\n');
            }
        }

        return text.ToString();

        void Line(string name, string? value) => text.Append(value is null ? "" : $"    {name}: {value}\n");
    }

    // Texts of a sheet have no breaks of lines and nothing that cannot be seen.
    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static int? Place(long number) => (int)Math.Max(1, number);

    private static Node Yaml(IParser parser, int depth)
    {
        if (depth > MostDepth)
        {
            throw new SheetException("too-deep", "A sheet is not nested so deeply.", parser.Current!.Start);
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            throw new SheetException("anchor", "A sheet has no anchors and no aliases.", alias.Start);
        }

        parser.Accept<NodeEvent>(out var node);
        if (node is { Anchor.IsEmpty: false })
        {
            throw new SheetException("anchor", "A sheet has no anchors and no aliases.", node.Start);
        }

        if (node is { Tag.IsEmpty: false })
        {
            throw new SheetException("tag", "A sheet has no tags.", node.Start);
        }

        if (parser.TryConsume<Scalar>(out var scalar))
        {
            var isNothing = scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null";
            return new Node(scalar.Start) { Text = isNothing ? null : scalar.Value, IsText = true };
        }

        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var items = new List<Node>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Yaml(parser, depth + 1));
            }

            return new Node(sequence.Start) { Items = items };
        }

        var map = parser.Consume<MappingStart>();
        var members = new List<(string, Mark, Node)>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Yaml(parser, depth + 1);
            members.Add((key.Text ?? throw new SheetException("unknown-key", "A key is a word.", key.At!.Value), key.At!.Value, Yaml(parser, depth + 1)));
        }

        return new Node(map.Start) { Members = members };
    }

    private static Node Json(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new Node(null) { Members = [.. element.EnumerateObject().Select(member => (member.Name, default(Mark), Json(member.Value)))] },
        JsonValueKind.Array => new Node(null) { Items = [.. element.EnumerateArray().Select(Json)] },
        JsonValueKind.Null => new Node(null) { IsText = true },
        JsonValueKind.String => new Node(null) { IsText = true, Text = element.GetString() },
        _ => new Node(null) { IsText = true, Text = element.GetRawText() },
    };

    private static RawSheet? Sheet(Node root, SheetErrors errors)
    {
        var at = root.Cell("");
        var (fields, lists) = Members(root, "", SheetKeys, "rates", errors);
        var rates = lists.Select((rate, i) =>
        {
            var pointer = $"/rates/{i}";
            var (values, tiers) = Members(rate, pointer, RateKeys, "tiers", errors);
            return new RawRate(rate.Cell(pointer), values, [.. tiers.Select((tier, j) => new RawTier(tier.Cell($"{pointer}/tiers/{j}"), Members(tier, $"{pointer}/tiers/{j}", TierKeys, null, errors).Fields))]);
        }).ToList();
        return new RawSheet(at, fields, rates);
    }

    private static (Dictionary<string, Cell> Fields, List<Node> List) Members(Node node, string pointer, string[] known, string? list, SheetErrors errors)
    {
        var (fields, items) = (new Dictionary<string, Cell>(StringComparer.Ordinal), new List<Node>());
        if (node.Members is null)
        {
            errors.Add(node.Cell(pointer), "wrong-kind", $"Here stand members: {string.Join(", ", known)}.");
            return (fields, items);
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, at, value) in node.Members)
        {
            var place = new Cell(null, $"{pointer}/{key}", node.At is null ? null : Place(at.Line), node.At is null ? null : Place(at.Column));
            if (!known.Contains(key, StringComparer.Ordinal))
            {
                errors.Add(place with { Pointer = pointer }, "unknown-key", $"'{(key.Length <= 40 ? key : key[..40] + "…")}' is none of {string.Join(", ", known)}.");
            }
            else if (!seen.Add(key))
            {
                errors.Add(place, "duplicate-key", $"{key} stands there twice.");
            }
            else if (key == list)
            {
                if (value.Items is null && value is not { IsText: true, Text: null })
                {
                    errors.Add(value.Cell(place.Pointer), "wrong-kind", $"{key} is a list.");
                }

                items = value.Items ?? items;
            }
            else if (!value.IsText)
            {
                errors.Add(value.Cell(place.Pointer), "wrong-kind", $"{key} is one value.");
            }
            else
            {
                fields[key] = value.Cell(place.Pointer);
            }
        }

        return (fields, items);
    }

    /// <summary>A value, a list or a map.</summary>
    private sealed record Node(Mark? At)
    {
        public bool IsText { get; init; }

        public string? Text { get; init; }

        public List<Node>? Items { get; init; }

        public List<(string Key, Mark At, Node Value)>? Members { get; init; }

        public Cell Cell(string pointer) => new(string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(), pointer, At is { } at ? Place(at.Line) : null, At is { } mark ? Place(mark.Column) : null);
    }

    private sealed class SheetException(string code, string detail, Mark at) : Exception(detail)
    {
        public string Code => code;

        public Mark At => at;
    }
}
