using System.CommandLine;

namespace MissionControl.Host.Commands;

/// <summary>The command line of <c>missioncontrol</c>.</summary>
internal static class MissionControlCommand
{
    public static RootCommand Create() => new("Mission Control: the control plane for software that runs at your customers' sites.")
    {
        RunCommand.Create(),
        MigrateCommand.Create(),
        VerifyConfigCommand.Create(),
        AdminCommand.Create(),
    };
}

/// <summary>The options that every command shares.</summary>
internal sealed class CommonOptions
{
    public Option<string[]> Role { get; } = new("--role") { Description = "Roles to run: all, or names separated by commas.", DefaultValueFactory = _ => ["all"], AllowMultipleArgumentsPerToken = true };

    public Option<string> Data { get; } = new("--data") { Description = "Directory for database, keys and certificates.", DefaultValueFactory = _ => "data" };

    public Option<Uri> Portal { get; } = new("--portal") { Description = "Address of portal and API.", DefaultValueFactory = _ => new HostSettings().Portal };

    public Option<Uri> CallHome { get; } = new("--callhome") { Description = "Address that clusters call.", DefaultValueFactory = _ => new HostSettings().CallHome };

    public Option<Uri> Operations { get; } = new("--ops") { Description = "Loopback address of API, health and metrics, without TLS.", DefaultValueFactory = _ => new HostSettings().Operations };

    public Option<Uri?> CallHomePlain { get; } = new("--callhome-plain") { Description = "Loopback address of call-home without TLS; off by default." };

    public Option<bool> Demo { get; } = new("--demo") { Description = "Fill an empty installation with demo customers and a simulated fleet." };

    public Option<string?> Config { get; } = new("--config") { Description = "Configuration file (JSON)." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Role, Data, Portal, CallHome, Operations, CallHomePlain, Demo, Config })
        {
            command.Options.Add(option);
        }
    }

    public HostSettings Read(ParseResult parsed) => new()
    {
        Roles = [.. parsed.GetValue(Role)!.SelectMany(roles => roles.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
        Data = parsed.GetValue(Data)!,
        Portal = parsed.GetValue(Portal)!,
        CallHome = parsed.GetValue(CallHome)!,
        Operations = parsed.GetValue(Operations)!,
        CallHomePlain = parsed.GetValue(CallHomePlain),
        Demo = parsed.GetValue(Demo),
        ConfigFile = parsed.GetValue(Config),
    };
}
