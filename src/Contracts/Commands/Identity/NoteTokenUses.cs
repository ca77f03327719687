using MassTransit;

namespace MissionControl.Contracts.Commands.Identity;

/// <summary>Tells identity who used API tokens lately, so that it is known when one was used last, and from where. Every role sends it.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Uses">At most a thousand, each of a token whose secret was right.</param>
[EntityName("identity.note-token-uses")]
[MessageUrn("identity.note-token-uses")]
public sealed record NoteTokenUses(Guid Id, IReadOnlyList<TokenUse> Uses) : IMessage
{
    /// <summary>Stands for all addresses beyond those that are told apart.</summary>
    public const string Others = "others";

    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>A token was used from an address.</summary>
/// <param name="TokenId">Loggable id.</param>
/// <param name="Address">The address that it came from, or <c>others</c>.</param>
/// <param name="FirstAt">The first of these times (UTC).</param>
/// <param name="LastAt">The last of them (UTC).</param>
/// <param name="Accepted">How often it opened the door.</param>
/// <param name="Refused">How often it did not, although its secret was right: it was revoked, had expired, or came from a network that it is not bound to.</param>
public sealed record TokenUse(string TokenId, string Address, DateTimeOffset FirstAt, DateTimeOffset LastAt, long Accepted, long Refused);
