using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.Documents;

namespace MissionControl.FleetSimulator;

/// <summary>An agent as the schedule knows it.</summary>
/// <param name="make">Makes the agent over what survives a restart.</param>
/// <param name="usage">Its usage.</param>
/// <param name="mood">What is the matter.</param>
/// <param name="restarts">Share of steps after which it is restarted.</param>
/// <param name="random">Decides on restarts, and on nothing else.</param>
internal sealed class SimulatedAgent(Func<Agent> make, UsageRecorder usage, Mood mood, double restarts, Random random)
{
    private Agent agent = make();

    /// <summary>Called once, after the first step.</summary>
    public Action? Stepped { get; set; }

    /// <summary>Takes a step.</summary>
    /// <returns>When to take the next; null: never.</returns>
    public async Task<TimeSpan?> StepAsync(CancellationToken cancellationToken)
    {
        var step = await agent.StepAsync(cancellationToken);
        if (Stepped is { } stepped)
        {
            Stepped = null;
            stepped();
        }

        if (restarts > 0 && random.NextDouble() < restarts)
        {
            agent = make();
        }

        return step.CheckIn is { } checkIn && (checkIn.Stopped || (mood == Mood.Silent && checkIn.Succeeded)) ? null : step.Wait;
    }

    /// <summary>Reports past hours at once.</summary>
    public void CatchUp(int hours, DateTimeOffset now)
    {
        if (hours == 0 || usage.ObservedAt is not null)
        {
            return;
        }

        var hour = UsageWindow.HourOf(now);
        for (var past = hour - hours; past <= hour; past++)
        {
            usage.Observe(UsageWindow.StartOf(past));
        }
    }
}
