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

    public Option<Uri> Portal { get; } = new("--portal") { Description = "Address of portal and API.", DefaultValueFactory = _ => new HostSettings().Portal, CustomParser = Address };

    public Option<Uri> CallHome { get; } = new("--callhome") { Description = "Address that clusters call.", DefaultValueFactory = _ => new HostSettings().CallHome, CustomParser = Address };

    public Option<Uri> Internal { get; } = new("--internal") { Description = "Address of a role's API for the portal's edge; distributed shape only.", DefaultValueFactory = _ => new HostSettings().Internal, CustomParser = Address };

    public Option<Uri> Operations { get; } = new("--ops") { Description = "Address of health and metrics, without TLS; on loopback the API, too.", DefaultValueFactory = _ => new HostSettings().Operations, CustomParser = Address };

    public Option<Uri?> CallHomePlain { get; } = new("--callhome-plain") { Description = "Loopback address of call-home without TLS; off by default.", CustomParser = Address };

    public Option<bool> Demo { get; } = new("--demo") { Description = "Fill an empty installation with demo customers and a simulated fleet." };

    public Option<string?> Config { get; } = new("--config") { Description = "Configuration file (JSON)." };

    // The library has no conversion to Uri of its own, and a wrong address deserves a sentence.
    private static Uri? Address(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var address))
        {
            return address;
        }

        result.AddError($"'{result.Tokens.Single().Value}' is not an address; write it as https://localhost:8443.");
        return null;
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Role, Data, Portal, CallHome, Internal, Operations, CallHomePlain, Demo, Config })
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
        Internal = parsed.GetValue(Internal)!,
        Operations = parsed.GetValue(Operations)!,
        CallHomePlain = parsed.GetValue(CallHomePlain),
        Demo = parsed.GetValue(Demo),
        ConfigFile = parsed.GetValue(Config),
    };
}
