using System.CommandLine;

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
            // Announced first, taken then: whatever ends this in between, one of the two that are here is known there.
            using var next = setup.Identity.NextKey();
            var known = await setup.Client.RotateAsync(next, cancellationToken);
            setup.Identity.TakeNextKey();
            await Shared.TellAsync(parsed, $"The cluster's key is {known.KeyId} now. Start the agent; with its first check-in the old key ends.", new { keyId = known.KeyId });
            return 0;
        }));
        return command;
    }
}
