using System.Text.RegularExpressions;
using MissionControl.Contracts;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Architecture.Tests;

/// <summary>A client can be written from docs/protocol.md alone: it names every message, every field and every code of the door.</summary>
public sealed partial class ProtocolDocumentTests
{
    private static readonly string Page = Repository.Read("docs/protocol.md");

    // On the bus between roles; customers never see them.
    private static readonly string[] Internal = ["ReceivedItems", "ReceivedItem"];

    public static TheoryData<string> Messages => [.. CallhomeReflection.Descriptor.MessageTypes.Select(message => message.Name).Except(Internal)];

    [Theory]
    [MemberData(nameof(Messages))]
    public void The_page_names_every_field_of_a_message(string message)
    {
        var descriptor = CallhomeReflection.Descriptor.MessageTypes.Single(candidate => candidate.Name == message);
        var section = SectionOf(message);

        Assert.True(section.Length > 0, $"docs/protocol.md does not describe {message}.");
        Assert.DoesNotContain(descriptor.Fields.InDeclarationOrder().Select(field => field.Name), field => !section.Contains($"`{field}`", StringComparison.Ordinal));
    }

    [Fact]
    public void The_page_gives_codes_the_status_and_finality_of_the_registry()
    {
        foreach (Match row in CodeRow().Matches(Page))
        {
            foreach (Match code in Code().Matches(row.Groups["codes"].Value))
            {
                Assert.True(ProblemCodes.All.TryGetValue(code.Groups[1].Value, out var problem), $"{code.Value} is not in the registry.");
                Assert.Equal((row.Groups["status"].Value, row.Groups["final"].Value == "final"), (problem.Status.ToString(System.Globalization.CultureInfo.InvariantCulture), problem.IsFinal));
            }
        }
    }

    [Fact]
    public void The_page_names_every_code_that_intake_gives_an_item()
    {
        var given = Repository.SourceFiles.Where(file => file.StartsWith("src/Modules/CallHome/", StringComparison.Ordinal))
            .SelectMany(file => ItemCode().Matches(Repository.Read(file)))
            .Select(match => (code: match.Groups["code"].Value, final: string.Equals(match.Groups["final"].Value, "true", StringComparison.OrdinalIgnoreCase) ? "final" : "later"));

        Assert.DoesNotContain(given, refusal => !Page.Split('\n').Any(line =>
            line.StartsWith('|') && line.Contains($"`{refusal.code}`", StringComparison.Ordinal) && line.Contains($"| {refusal.final} |", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_page_says_which_types_of_items_the_door_takes_today()
    {
        var door = Repository.Read("src/Modules/CallHome/Intake/Door.cs");
        var rows = Page.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).ToList();

        foreach (Match list in ItemTypes().Matches(door))
        {
            var word = list.Groups["set"].Value == "Taken" ? "taken" : "later";
            Assert.All(list.Groups["types"].Value.Split(',').Select(type => type.Trim().Trim('"')), type =>
                Assert.True(rows.Any(row => row.Split(" | ")[0].Contains($"`{type}`", StringComparison.Ordinal) && row.EndsWith($"| {word} |", StringComparison.Ordinal)),
                    $"docs/protocol.md, table of item types: the row of `{type}` must end with '{word}'."));
        }
    }

    /// <summary>From where a message's name opens a line to where the next one does.</summary>
    private static string SectionOf(string message)
    {
        var starts = Opening().Matches(Page);
        var own = starts.FirstOrDefault(match => match.Groups[1].Value == message);
        if (own is null)
        {
            return "";
        }

        var next = starts.FirstOrDefault(match => match.Index > own.Index);
        return Page[own.Index..(next?.Index ?? Page.Length)];
    }

    // Either at the start of a paragraph, or after the words that introduce it in one ("…, without a bearer. `TokenRequest`: …").
    [GeneratedRegex(@"(?:^|\. )`([A-Z][A-Za-z]+)`(?=[:,\n])", RegexOptions.Multiline)]
    private static partial Regex Opening();

    [GeneratedRegex(@"^\| (?<codes>`[a-z-]+`(?:, `[a-z-]+`)*) \| (?<status>\d{3}) \| (?<final>final|later) \|", RegexOptions.Multiline)]
    private static partial Regex CodeRow();

    [GeneratedRegex(@"(?<set>Taken|Later) = \[(?<types>[^\]]+)\]")]
    private static partial Regex ItemTypes();

    [GeneratedRegex("(?:Refuse\\(item, |Code = )\"(?<code>[a-z-]+)\"[^;]*?[Ff]inal(?:: | = )(?<final>true|false)")]
    private static partial Regex ItemCode();

    [GeneratedRegex("`([a-z-]+)`")]
    private static partial Regex Code();
}
