using System.CommandLine;
using System.Globalization;
using System.Text;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.Protocol.Licenses;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent license</c>: how the licence of this cluster stands. It only looks, so that it can be asked beside a running agent.</summary>
internal static class LicenseCommand
{
    public static Command Create()
    {
        var command = new Command("license", "Say how the licence of this cluster stands; also beside a running agent. Exit code 6: it permits no new work, or there is none. Example: mc-agent license --output json");
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = Shared.EnrollmentOf(data);
            var now = TimeProvider.System.GetUtcNow().AddMilliseconds(RunState.Read(data)?.ClockOffsetMs ?? 0);
            var verdict = LicenseKeeper.CheckIn(data, enrollment.ClusterId, now, out var problem);
            await Shared.TellAsync(parsed, Words(verdict, problem), new { license = verdict, problem });
            return verdict.Decision is "allow" or "allow_overage" ? 0 : AgentCommand.NotLicensed;
        }));
        return command;
    }

    private static string Words(LicenseVerdict verdict, string? problem)
    {
        if (verdict.State == "none")
        {
            return problem is null ? "No licence has come yet. It comes with a check-in, or by mc-agent import." : $"No licence: {problem}";
        }

        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Licence {verdict.State} ({verdict.Code}), serial {verdict.Serial}: {verdict.Decision}.")
            .AppendLine().Append(CultureInfo.InvariantCulture, $"Runs until {Instant(verdict.EffectiveUntil)}, bridged over until {Instant(verdict.GraceUntil)}; a newer lease is to come by {Instant(verdict.LeaseUntil)}.")
            .AppendLine().Append(CultureInfo.InvariantCulture, $"Without contact nothing beyond the limits is taken after {Instant(verdict.OverageUntil)}. Judged as of {Instant(verdict.EvaluatedAt)}.");
        foreach (var limit in verdict.Limits)
        {
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"  {limit.Meter}: {limit.Used} of {limit.Limit} per {limit.Per}, {limit.Remaining} left; beyond it {limit.Policy}{(limit.AsOf is null ? "" : $" (as of {Instant(limit.AsOf)})")}");
        }

        return text.ToString();
    }

    private static string Instant(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";
}
