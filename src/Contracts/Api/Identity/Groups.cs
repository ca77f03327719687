using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>A group: people of one owner, and the roles that they hold through it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What it is called; once for each owner.</param>
/// <param name="Description">What it is for; may be empty.</param>
/// <param name="Kind">Whom it holds: staff or customerUser.</param>
/// <param name="CustomerId">The customer whose users it holds; null: staff.</param>
/// <param name="Roles">The roles that it gives.</param>
/// <param name="Members">How many people it holds.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="Version">Rises with each change; its ETag.</param>
/// <param name="Actions">change and remove, and whether the reader may now.</param>
public sealed record GroupItem(
    Guid Id, string Name, string Description, string Kind, Guid? CustomerId, IReadOnlyList<string> Roles, int Members, DateTimeOffset CreatedAt, long Version, IReadOnlyList<AllowedAction> Actions);

/// <summary>Somebody in a group.</summary>
/// <param name="Id">The person.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The mail address it signs in with.</param>
/// <param name="State">active, disabled, or locked.</param>
public sealed record GroupMemberItem(Guid Id, string Name, string Email, string State);

/// <summary>A group with its people.</summary>
/// <param name="Group">The group.</param>
/// <param name="Members">Its people, by name.</param>
public sealed record GroupDetail(GroupItem Group, IReadOnlyList<GroupMemberItem> Members);

/// <summary>Sets a group as a whole.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Roles">The roles that it gives; may be empty.</param>
/// <param name="Members">The people in it, all of its owner, none of them a federated one; may be empty.</param>
/// <param name="Description">What it is for.</param>
/// <param name="CustomerId">When it is made: the customer whose users it holds; null: staff, or for a customer's caller that customer. It stays the owner's for good.</param>
/// <param name="Reason">Why; it stands in the audit log.</param>
public sealed record SetGroupRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required, MaxLength(10)] IReadOnlyList<string>? Roles,
    [property: Required] IReadOnlyList<Guid>? Members,
    [property: StringLength(500)] string? Description = null,
    Guid? CustomerId = null,
    [property: StringLength(500)] string? Reason = null);

/// <summary>A group was made.</summary>
/// <param name="Id">Its id.</param>
public sealed record CreatedGroup(Guid Id);

/// <summary>Why something is done to a group.</summary>
/// <param name="Reason">Stands in the audit log.</param>
public sealed record GroupActionRequest([property: StringLength(500)] string? Reason = null);
