using MassTransit;

namespace MissionControl.Contracts.Commands.Notifications;

/// <summary>Tells people something by mail. Sent again with the same <paramref name="DedupKey"/>, whoever has been told is not told twice.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="CustomerId">The customer it concerns; null: the vendor alone.</param>
/// <param name="Recipients">Whom to tell.</param>
/// <param name="Template">Name of the template, such as <c>token-created</c>.</param>
/// <param name="Data">What the template's words are filled with; never a secret but for templates that exist to carry one.</param>
/// <param name="Severity">info, warning or critical.</param>
/// <param name="DedupKey">What is told, at most 200 characters: one intent for each key, channel and recipient.</param>
[EntityName("notifications.send")]
[MessageUrn("notifications.send")]
public sealed record SendNotification(
    Guid Id, Guid? CustomerId, IReadOnlyList<Recipient> Recipients, string Template, IReadOnlyDictionary<string, string> Data, string Severity, string DedupKey) : IMessage
{
    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>Somebody to be told.</summary>
/// <param name="Kind"><c>contact</c>: the customer's contacts of a kind. <c>vendor</c>: the vendor's own contacts of a kind. <c>person</c>: somebody who signs in, of that customer or the vendor. <c>role</c>: all who hold a role now, a customer's role within that customer. <c>address</c>: one mail address, of somebody whom only the sender knows; <c>staff</c>: the same of the vendor's staff, which no customer sees.</param>
/// <param name="Name">The kind of contact, technical, security or billing; the id of the person; the name of the role; or the address.</param>
public sealed record Recipient(string Kind, string Name);
