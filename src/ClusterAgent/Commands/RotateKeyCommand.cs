using System.CommandLine;
using MissionControl.ClusterAgent.CallHome;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent rotate-key</c>: a new key in place of the cluster's, while the agent is stopped.</summary>
internal static class RotateKeyCommand
{
    public static Command Create()
    {
        var command = new Command("rotate-key", "Replace the cluster's key. Stop the agent first, and start it afterwards. Example: mc-agent rotate-key");
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            using var setup = Setup.Enrolled(Shared.DataOf(parsed), Shared.SettingsOf(parsed));
            using var next = setup.Identity.NextKey();
            setup.Log.Run(setup.Identity.Enrollment!, setup.Client.ServerNow);
            var keyId = await KeyRotation.RotateAsync(setup.Identity, setup.Client, setup.Log, next, cancellationToken);
            await Shared.TellAsync(parsed, $"The cluster's key is {keyId} now. Start the agent; with its first check-in the old key ends.", new { keyId });
            return 0;
        }));
        return command;
    }
}
