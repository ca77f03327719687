using MassTransit;
using MissionControl.Contracts.Api;

namespace MissionControl.Contracts.Commands.Identity;

/// <summary>
/// Asks identity to let a person confirm in the portal what a program of theirs wants to do. The role that demands the proof sends it, so
/// that what the person reads is worded by that role, and never by the program.
/// </summary>
/// <param name="Id">The confirmation's id, which the program was told.</param>
/// <param name="PersonId">Who is to confirm it.</param>
/// <param name="SessionId">The session that the program speaks by.</param>
/// <param name="Demand">What is to be confirmed.</param>
/// <param name="AskedAt">When (UTC).</param>
[EntityName("identity.ask-to-confirm")]
[MessageUrn("identity.ask-to-confirm")]
public sealed record AskToConfirm(Guid Id, Guid PersonId, Guid SessionId, StepUpDemand Demand, DateTimeOffset AskedAt) : IMessage
{
    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}
