using System.CommandLine;
using MissionControl.ClusterAgent.CallHome;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent check-connection</c>: which hop fails.</summary>
internal static class CheckConnectionCommand
{
    public static Command Create()
    {
        var server = Shared.Server("Call-home address. Default: the enrolled one.", required: false);
        var command = new Command("check-connection", "Try each hop (DNS, proxy, connection, TLS, service, clock, credentials) and say which one fails: exit code 1. Example: mc-agent check-connection --server https://mc.example.com:9443") { server };
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = FileIdentity.ReadEnrollment(data);
            if ((parsed.GetValue(server) ?? enrollment?.Server) is not { } address)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("Not enrolled: give --server.");
                return AgentCommand.WrongUse;
            }

            using var identity = enrollment is null ? null : new FileIdentity(data);
            var settings = Shared.SettingsOf(parsed);
            var hops = await ConnectionCheck.RunAsync(address, settings.CaFile, settings.ProxyServer() ?? ProxyServer.FromEnvironment(address), identity, cancellationToken);
            var failing = hops.FirstOrDefault(hop => hop.Problem is not null);
            var lines = hops.Select(hop => $"{(hop.Problem is null ? "good " : "FAILS")}  {hop.Name,-11}  {hop.Problem ?? hop.Detail}");
            await Shared.TellAsync(parsed, string.Join(Environment.NewLine, lines), new { failing = failing?.Name, problem = failing?.Problem, hops });
            return failing is null ? 0 : AgentCommand.Failed;
        }));
        return command;
    }
}
