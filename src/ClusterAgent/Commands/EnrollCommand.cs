using System.CommandLine;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent enroll</c>: trades a one-time token for an identity.</summary>
internal static class EnrollCommand
{
    public static Command Create()
    {
        var server = Shared.Server("Call-home address.", required: true);
        var tokenFile = new Option<string>("--token-file") { Description = "File with the enrolment token, or - for standard input. Never an argument: arguments are visible to every user.", Required = true };
        var anchors = new Option<string?>("--anchors") { Description = "Digest shown beside the token: sha256:…" };
        var trust = new Option<bool>("--trust-first-contact") { Description = "Enrol without the digest; recorded on both sides and shown as a finding." };
        var name = new Option<string>("--name") { Description = "What people call this cluster; sent as it is.", DefaultValueFactory = _ => "cluster" };
        var command = new Command("enroll", "Enrol this cluster. Example: mc-agent enroll --server https://mc.example.com:9443 --token-file - --anchors sha256:…") { server, tokenFile, anchors, trust, name };
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var error = parsed.InvocationConfiguration.Error;
            if (parsed.GetValue(anchors) is null && !parsed.GetValue(trust))
            {
                await error.WriteLineAsync("Give --anchors sha256:… as shown beside the token, or --trust-first-contact.");
                return AgentCommand.WrongUse;
            }

            if (FileIdentity.ReadEnrollment(data) is { } already)
            {
                await error.WriteLineAsync($"Enrolled already, as cluster {already.ClusterId}. Unenrol first, or give another --data.");
                return AgentCommand.WrongUse;
            }

            var file = parsed.GetValue(tokenFile)!;
            var token = (file == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(file, cancellationToken)).Trim();
            var address = parsed.GetValue(server)!;
            using var setup = new Setup(data, Shared.SettingsOf(parsed), address, parsed.GetValue(name)!);
            await setup.Agent.EnrollAsync(address, token, parsed.GetValue(anchors), parsed.GetValue(trust), cancellationToken);
            var enrollment = setup.Identity.Enrollment!;
            await Shared.TellAsync(
                parsed,
                $"Enrolled as cluster {enrollment.ClusterId}. Start it with mc-agent run.{(enrollment.TrustedFirstContact ? $"\nFinding: first contact was trusted. Compare {enrollment.AnchorsSha256} with what Mission Control shows." : "")}",
                new { clusterId = enrollment.ClusterId, epoch = enrollment.Epoch, anchorsSha256 = enrollment.AnchorsSha256, trustedFirstContact = enrollment.TrustedFirstContact });
            return 0;
        }));
        return command;
    }
}
