namespace MissionControl.Contracts.Api.Notifications;

/// <summary>A message to somebody or to a system, and what became of it. What it says is kept only until it is sent.</summary>
/// <param name="Id">Its id; of a webhook also its <c>webhook-id</c>, of a mail the left side of its Message-ID.</param>
/// <param name="CustomerId">The customer it concerns; null: the vendor alone.</param>
/// <param name="Channel">mail, webhook or syslog.</param>
/// <param name="Recipient">The mail address, or the endpoint's id.</param>
/// <param name="Subject">The mail's subject, or the event's type.</param>
/// <param name="Severity">info, warning or critical.</param>
/// <param name="State">waiting, sent, or failed: it is tried no more unless somebody asks.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="CreatedAt">When it was asked for (UTC).</param>
/// <param name="NextAt">When it is tried next (UTC); null: never.</param>
/// <param name="EndedAt">When it was sent or given up (UTC).</param>
/// <param name="Error">What went wrong at the newest attempt.</param>
/// <param name="Actions">redeliver, and whether the reader may now.</param>
public sealed record DeliveryItem(
    Guid Id, Guid? CustomerId, string Channel, string Recipient, string Subject, string Severity, string State, int Attempts,
    DateTimeOffset CreatedAt, DateTimeOffset? NextAt, DateTimeOffset? EndedAt, string? Error, IReadOnlyList<AllowedAction> Actions);
