using System.CommandLine;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent unenroll</c>: takes leave.</summary>
internal static class UnenrollCommand
{
    public static Command Create()
    {
        var reason = new Option<string>("--reason") { Description = "Why, for the audit log.", DefaultValueFactory = _ => "taken out of service" };
        var command = new Command("unenroll", "Take leave of Mission Control for good; reported usage stays there. Example: mc-agent unenroll --reason \"moved to a new machine\"") { reason };
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            using var setup = Setup.Enrolled(Shared.DataOf(parsed), Shared.SettingsOf(parsed));
            await setup.Client.UnenrollAsync(parsed.GetValue(reason)!, cancellationToken);
            setup.Log.Run(setup.Identity.Enrollment!, setup.Client.ServerNow);
            setup.Log.Refused("cluster-decommissioned", setup.Client.ServerNow);
            setup.Identity.Enrollment = null;
            await Shared.TellAsync(parsed, "Unenrolled. To come back, enrol with a new token.", new { unenrolled = true });
            return 0;
        }));
        return command;
    }
}
