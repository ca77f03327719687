using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using MissionControl.Cli.Api;
using MissionControl.Cli.Audit;
using MissionControl.Cli.PriceBooks;
using MissionControl.Cli.Scan;
using MissionControl.Cli.SignIn;

namespace MissionControl.Cli;

/// <summary>The command line of <c>mc</c>.</summary>
internal static class McCommand
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The server, or somebody in the portal, refused.</summary>
    public const int Refused = 1;

    /// <summary>Wrong use, or something that is needed is missing or failed.</summary>
    public const int WrongUse = 2;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    private const string Help = """
        mc: Mission Control for those who operate it.

        Examples:
          mc sign-in --server https://control.example.com
          mc api GET /api/v1/fleet/clusters
          mc scan
          mc audit verify https://log.example.com --policy audit.policy --state audit.state

        mc COMMAND --help says more of each, with its exit codes.
        """;

    public static RootCommand Create()
    {
        var root = new RootCommand(Help) { SignInCommand.Create(), SignOutCommand.Create(), WhoAmICommand.Create(), ApiCommand.Create(), ScanCommand.Create(), AuditCommand.Create(), PriceBooksCommand.Create() };
        if (root.Options.OfType<HelpOption>().Single() is { Action: HelpAction whole } help)
        {
            help.Action = new ListedShortly(whole);
        }

        return root;
    }

    // A list of commands says of each what it is for, and no more.
    private sealed class ListedShortly(HelpAction whole) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            foreach (var command in parseResult.CommandResult.Command.Subcommands)
            {
                command.Description = command.Description!.Split('\n')[0];
            }

            return whole.Invoke(parseResult);
        }
    }
}
