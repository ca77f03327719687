using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Notifications;

/// <summary>Adds a system that events are delivered to.</summary>
/// <param name="CustomerId">The customer whose system it is; null: the vendor's own, or for a customer's caller that customer's.</param>
/// <param name="Kind">webhook: CloudEvents over HTTPS, signed as Standard Webhooks says. syslog: RFC 5424 over TLS (RFC 5425).</param>
/// <param name="Name">What it is called.</param>
/// <param name="Address">webhook: <c>https://host/path</c>, without user and password. syslog: <c>syslog+tls://host:6514</c>.</param>
public sealed record AddEndpointRequest(
    Guid? CustomerId,
    [property: Required, RegularExpression("^(webhook|syslog)$", ErrorMessage = "An endpoint is a webhook or a syslog.")] string? Kind,
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required, StringLength(500, MinimumLength = 1)] string? Address);

/// <summary>An endpoint's secret as it is shown once.</summary>
/// <param name="Id">The endpoint.</param>
/// <param name="Secret">Signs what is sent to a webhook: <c>whsec_</c> and base64; never shown again. Null for syslog, which signs nothing.</param>
/// <param name="OldSecretEndsAt">Until then (UTC) everything is signed with the secret before as well; null: there is none.</param>
public sealed record EndpointSecret(Guid Id, string? Secret, DateTimeOffset? OldSecretEndsAt);

/// <summary>A system that events are delivered to.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer whose system it is; null: the vendor's own.</param>
/// <param name="Kind">webhook or syslog.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Address">Where it is.</param>
/// <param name="State">active, or disabled: nothing is delivered to it.</param>
/// <param name="Why">Why it is disabled.</param>
/// <param name="OldSecretEndsAt">Until then (UTC) two secrets sign; null: one does.</param>
/// <param name="CreatedAt">When it was added (UTC).</param>
/// <param name="Actions">test, rotate-secret, enable, disable and remove, and whether the reader may now.</param>
public sealed record EndpointItem(
    Guid Id, Guid? CustomerId, string Kind, string Name, string Address, string State, string? Why, DateTimeOffset? OldSecretEndsAt, DateTimeOffset CreatedAt, IReadOnlyList<AllowedAction> Actions);
