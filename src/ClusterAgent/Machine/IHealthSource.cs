using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Machine;

/// <summary>Where health comes from: the machine the agent runs on, or a simulated cluster.</summary>
public interface IHealthSource
{
    /// <summary>The state now.</summary>
    Health Read(int intervalSeconds);

    /// <summary>What is told at enrolment.</summary>
    Facts Facts();
}
