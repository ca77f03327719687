using System.Text.Json;
using System.Text.RegularExpressions;
using MissionControl.ClusterAgent.Commands;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>The unit and the image of the agent: their command lines parse, their paths are those of its page, and neither runs as root.</summary>
public sealed partial class AgentFilesTests
{
    private static readonly string Unit = Repository.Read("infra/agent/mc-agent.service");
    private static readonly string Image = Repository.Read("infra/containers/agent.Dockerfile");

    [Fact]
    public void Both_start_the_agent_by_a_command_line_that_it_takes()
    {
        var unit = Setting("ExecStart").Split(' ');
        var image = JsonSerializer.Deserialize<string[]>(Line(Image, "ENTRYPOINT"))!.Concat(JsonSerializer.Deserialize<string[]>(Line(Image, "CMD"))!).ToArray();

        Assert.Equal(unit, image);
        Assert.Equal("/usr/lib/mc-agent/mc-agent", unit[0]);
        var parsed = AgentCommand.Create().Parse(unit[1..]);
        Assert.Empty(parsed.Errors);
        Assert.Equal("run", parsed.CommandResult.Command.Name);
    }

    [Fact]
    public void The_unit_rests_where_trying_again_cannot_help_and_waits_for_the_enrolment()
    {
        Assert.Equal([AgentCommand.WrongUse, AgentCommand.Refused], Setting("RestartPreventExitStatus").Split(' ').Select(int.Parse));
        Assert.Equal("/var/lib/mc-agent/enrollment.json", Setting("ConditionPathExists"));
        Assert.Equal(("mc-agent", "0700"), (Setting("StateDirectory"), Setting("StateDirectoryMode")));
    }

    [Fact]
    public void Neither_runs_as_root_nor_may_become_it()
    {
        Assert.Equal("mc-agent", Setting("User"));
        Assert.Equal(("yes", "", "strict"), (Setting("NoNewPrivileges"), Setting("CapabilityBoundingSet"), Setting("ProtectSystem")));
        Assert.Equal("mc-agent", Line(Image, "USER"));
    }

    [Fact]
    public void What_the_image_copies_is_there_and_is_all_that_the_agent_is_built_of()
    {
        var copied = Copy().Matches(Image).SelectMany(match => match.Groups[1].Value.Split(' ')[..^1]).ToList();
        var needed = ReferencedBy("src/ClusterAgent/ClusterAgent.csproj");

        Assert.All(copied, path => Assert.True(File.Exists(Path.Combine(Repository.Root, path)) || Directory.Exists(Path.Combine(Repository.Root, path)), path));
        Assert.All(needed, path => Assert.Contains(path, copied));
        Assert.Contains("/usr/lib/mc-agent", Repository.Read("docs/agent.md"), StringComparison.Ordinal);
    }

    private static string Setting(string name) => Regex.Match(Unit, $"^{name}=(.*)$", RegexOptions.Multiline) is { Success: true } match ? match.Groups[1].Value : throw new InvalidOperationException($"The unit has no {name}.");

    private static string Line(string file, string word) => Regex.Match(file, $"^{word} (.*)$", RegexOptions.Multiline).Groups[1].Value;

    private static HashSet<string> ReferencedBy(string project)
    {
        var found = new HashSet<string>(StringComparer.Ordinal) { Path.GetDirectoryName(project)! };
        foreach (Match reference in Reference().Matches(Repository.Read(project)))
        {
            found.UnionWith(ReferencedBy(Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, reference.Groups[1].Value)))));
        }

        return found;
    }

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex("<ProjectReference Include=\"([^\"]+)\"")]
    private static partial Regex Reference();
}
