using System.Globalization;
using System.Text.RegularExpressions;

namespace MissionControl.Architecture.Tests;

/// <summary>Rules that are read from the text of the tracked files.</summary>
public sealed partial class SourceTextTests
{
    private const int MostLines = 400;

    [Fact]
    public void No_file_is_longer_than_four_hundred_lines()
    {
        var tooLong = Repository.Files
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor" or ".js" or ".css" && !file.Contains("/Migrations/", StringComparison.Ordinal))
            .Select(file => (file, lines: Repository.Read(file).Count(character => character == '\n')))
            .Where(entry => entry.lines > MostLines)
            .Select(entry => $"{entry.file}: {entry.lines}");

        Assert.Empty(tooLong);
    }

    [Fact]
    public void No_trade_name_of_another_vendor_stands_anywhere()
    {
        // Written in two parts, so that this file does not find itself.
        string[] names = ["dyna" + "trace", "one" + "agent", "active" + "gate"];

        Assert.Empty(Findings(text => names.Where(name => text.Contains(name, StringComparison.OrdinalIgnoreCase))));
    }

    [Fact]
    public void No_path_of_one_machine_stands_anywhere() =>
        Assert.Empty(Findings(text => MachinePath().Matches(text).Select(match => match.Value)));

    [Fact]
    public void No_test_looks_for_its_folder_in_what_the_compiler_wrote_down() =>
        Assert.Empty(Findings(text => CompilersPath().Matches(text).Select(match => match.Value))); // A deterministic build writes down no folder.

    [Fact]
    public void No_private_key_stands_anywhere() =>
        Assert.Empty(Findings(text => PrivateKey().Matches(text).Select(match => match.Value)));

    [Fact]
    public void Log_event_ids_are_given_once()
    {
        var twice = Repository.SourceFiles
            .SelectMany(file => LogEvent().Matches(Repository.Read(file)).Select(match => (file, id: int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))))
            .GroupBy(entry => entry.id)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.file).Distinct())}");

        Assert.Empty(twice);
    }

    [Fact]
    public void Every_log_message_has_an_event_id() => Assert.DoesNotContain(Repository.SourceFiles,
        file => AnyLogEvent().Count(Repository.Read(file)) != LogEvent().Count(Repository.Read(file)));

    [Fact]
    public void Options_bound_to_configuration_are_validated_on_start()
    {
        var careless = Repository.SourceFiles.SelectMany(file => OptionsBinding().Matches(Repository.Read(file))
            .Where(match => !match.Value.Contains("ValidateOnStart", StringComparison.Ordinal))
            .Select(match => $"{file}: {match.Value.Split('\n')[0]}"));

        Assert.Empty(careless);
    }

    [Fact]
    public void Nothing_is_left_for_later_in_the_text() => Assert.DoesNotContain(Repository.SourceFiles,
        file => LeftOver().IsMatch(Repository.Read(file)));

    private static IEnumerable<string> Findings(Func<string, IEnumerable<string>> find) =>
        Repository.TextFiles.SelectMany(file => find(Repository.Read(file)).Distinct().Select(finding => $"{file}: {finding}"));

    // The separators stand in classes, so that this file does not find itself.
    [GeneratedRegex(@"\[Caller(FilePath)\b")]
    private static partial Regex CompilersPath();

    [GeneratedRegex(@"(?<![\w.:/*-])[/](?:work/|root/|home/\w|Users/\w)|[A-Za-z]:[\\]Users")]
    private static partial Regex MachinePath();

    [GeneratedRegex("-----BEGIN (?:EC |RSA )?PRIVATE" + " KEY-----\n[A-Za-z0-9+/]{20}")]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"\[LoggerMessage\(")]
    private static partial Regex AnyLogEvent();

    [GeneratedRegex(@"\.AddOptions<\w+>\([^;]*;|\.Configure<\w*Options>\([^;]*(?:GetSection|Configuration)[^;]*;", RegexOptions.Singleline)]
    private static partial Regex OptionsBinding();

    [GeneratedRegex(@"//\s*(?:TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex LeftOver();
}
