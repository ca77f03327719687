using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Notifications;

/// <summary>Adds somebody who is told by mail.</summary>
/// <param name="CustomerId">The customer whose contact it is; null: the vendor's own, or for a customer's caller that customer's.</param>
/// <param name="Kind">technical, security or billing.</param>
/// <param name="Name">Whose address it is.</param>
/// <param name="Email">The mail address, at most 254 characters.</param>
public sealed record AddContactRequest(
    Guid? CustomerId,
    [property: Required, RegularExpression(ContactKinds.Form, ErrorMessage = ContactKinds.Mistake)] string? Kind,
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required, StringLength(254, MinimumLength = 3)] string? Email);

/// <summary>What contacts are for.</summary>
public static class ContactKinds
{
    /// <summary>The kinds, as a pattern.</summary>
    public const string Form = "^(technical|security|billing)$";

    /// <summary>What to say of another.</summary>
    public const string Mistake = "A contact is technical, security or billing.";
}

/// <summary>Somebody who is told by mail.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer whose contact it is; null: the vendor's own.</param>
/// <param name="Kind">technical, security or billing.</param>
/// <param name="Name">Whose address it is.</param>
/// <param name="Email">The mail address.</param>
/// <param name="CreatedAt">When it was added (UTC).</param>
/// <param name="Actions">remove, and whether the reader may now.</param>
public sealed record ContactItem(Guid Id, Guid? CustomerId, string Kind, string Name, string Email, DateTimeOffset CreatedAt, IReadOnlyList<AllowedAction> Actions);
