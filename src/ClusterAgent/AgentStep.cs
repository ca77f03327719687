namespace MissionControl.ClusterAgent;

/// <summary>What a check-in came to.</summary>
/// <param name="Succeeded">The server took it.</param>
/// <param name="Next">When to check in again.</param>
/// <param name="Problem">Why not, otherwise.</param>
/// <param name="Stopped">The cluster was decommissioned: stop for good.</param>
public sealed record CheckInResult(bool Succeeded, TimeSpan Next, string? Problem, bool Stopped = false);

/// <summary>What a step of an agent came to.</summary>
/// <param name="CheckIn">What the check-in came to; null when none was due.</param>
/// <param name="Wait">When to take the next step.</param>
public sealed record AgentStep(CheckInResult? CheckIn, TimeSpan Wait);
