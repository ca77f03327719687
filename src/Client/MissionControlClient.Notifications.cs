using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Who is told by mail.</summary>
    public Task<Page<ContactItem>> ListContactsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ContactItem>>($"/api/v1/notifications/contacts{query}", cancellationToken);

    /// <summary>Adds a contact.</summary>
    public Task<ContactItem> AddContactAsync(AddContactRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<ContactItem>(HttpMethod.Post, "/api/v1/notifications/contacts", request, precondition, cancellationToken);

    /// <summary>Removes a contact.</summary>
    public Task RemoveContactAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, $"/api/v1/notifications/contacts/{id}", null, null, cancellationToken);

    /// <summary>Webhooks and syslog servers.</summary>
    public Task<Page<EndpointItem>> ListEndpointsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<EndpointItem>>($"/api/v1/notifications/endpoints{query}", cancellationToken);

    /// <summary>Adds an endpoint; its secret is in the answer only.</summary>
    public Task<EndpointSecret> AddEndpointAsync(AddEndpointRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<EndpointSecret>(HttpMethod.Post, "/api/v1/notifications/endpoints", request, precondition, cancellationToken);

    /// <summary>Makes a new secret; for a day both sign.</summary>
    public Task<EndpointSecret> RotateEndpointSecretAsync(Guid id, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<EndpointSecret>(HttpMethod.Post, $"/api/v1/notifications/endpoints/{id}/rotate-secret", null, precondition, cancellationToken);

    /// <summary>Does something to an endpoint.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="act">test, enable or disable.</param>
    /// <param name="precondition">Its key, of a test.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task ActOnEndpointAsync(Guid id, string act, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/api/v1/notifications/endpoints/{id}/{act}", null, precondition, cancellationToken);

    /// <summary>Removes an endpoint.</summary>
    public Task RemoveEndpointAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, $"/api/v1/notifications/endpoints/{id}", null, null, cancellationToken);

    /// <summary>Mails and events and what became of them.</summary>
    public Task<Page<DeliveryItem>> ListDeliveriesAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries{query}", cancellationToken);

    /// <summary>Tries a failed delivery for another day.</summary>
    public Task RedeliverAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"/api/v1/notifications/deliveries/{id}/redeliver", null, null, cancellationToken);
}
