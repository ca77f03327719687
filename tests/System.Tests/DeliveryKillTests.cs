using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>What was asked for is delivered, whatever dies in between: to a receiver that refuses at first, by processes that are killed while they send.</summary>
public abstract class DeliveryKillTests
{
    private readonly IProcesses installation;
    private readonly string role;

    private protected DeliveryKillTests(IProcesses installation, string role) => (this.installation, this.role) = (installation, role);

    [Fact]
    public async Task Every_event_that_was_accepted_arrives_and_a_second_copy_has_the_same_id()
    {
        const int Events = 40;
        const int Tokens = 6;
        await using var receiver = await WebhookReceiver.StartAsync(Outside.Authority.Certificate);
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var received = 0;

        // Of the first ones every fourth is turned away, and its event comes again. The fifth is answered when its sender is dead.
        receiver.AnswersAsync = async _ =>
        {
            var number = Interlocked.Increment(ref received);
            if (number == 5)
            {
                await hold.Task;
            }

            return number <= 24 && number % 4 == 0 ? 500 : 204;
        };
        using var admin = installation.Admin();
        using var added = await admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(null, "webhook", "killed", receiver.Address.ToString()));
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        var endpoint = (await added.Content.ReadFromJsonAsync<EndpointSecret>())!;
        var customer = await CustomerAsync(admin);

        var asked = Enumerable.Range(0, Events).Select(_ => AskAsync($"/api/v1/notifications/endpoints/{endpoint.Id}/test", null, HttpStatusCode.Accepted))
            .Concat(Enumerable.Range(0, Tokens).Select(i => AskAsync("/api/v1/identity/tokens", new CreateTokenRequest($"killed {i}", ["fleet:read"], customer), HttpStatusCode.Created))).ToList();
        await Eventually.TrueAsync(() => receiver.Requests.Count >= 5, "one is being sent", TimeSpan.FromMinutes(2));
        await installation.KillAsync(role);
        hold.SetResult();
        await installation.StartAgainAsync(role);
        await Eventually.TrueAsync(() => receiver.Requests.Count >= 20, "more have come", TimeSpan.FromMinutes(2));
        await installation.KillAsync(role);
        await installation.StartAgainAsync(role);

        await Task.WhenAll(asked);
        await Eventually.TrueAsync(async () => (await DeliveriesAsync(admin, $"recipient={endpoint.Id}")) is { Count: Events } all && all.All(one => one.State == "sent"), "all are sent", TimeSpan.FromMinutes(4));
        await Eventually.TrueAsync(async () => (await DeliveriesAsync(admin, $"customer={customer}")).Count(one => one.Subject.StartsWith("An API token was made", StringComparison.Ordinal)) == Tokens, "every token is told of", TimeSpan.FromMinutes(2));

        var deliveries = await DeliveriesAsync(admin, $"recipient={endpoint.Id}");
        Assert.Equal(deliveries.Select(one => one.Id.ToString()).Order(StringComparer.Ordinal), receiver.Requests.Select(request => request.Id).Distinct().Order(StringComparer.Ordinal));
        Assert.True(receiver.Requests.Count(request => request.Id == receiver.Requests.ElementAt(4).Id) > 1, "what was sent by a process that died came again");
        Assert.All(receiver.Requests, request => Assert.True(WebhookReceiver.Verifies(endpoint.Secret!, request)));
    }

    private static async Task<Guid> CustomerAsync(HttpClient admin)
    {
        using var created = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Told Ltd", "eu"));
        var customer = (await created.Content.ReadFromJsonAsync<CustomerItem>())!.Id;
        await Eventually.TrueAsync(async () =>
        {
            using var contact = await admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(customer, "security", "x", "security@told.example"));
            return contact.IsSuccessStatusCode;
        }, "notifications knows the customer", TimeSpan.FromMinutes(1));
        return customer;
    }

    private static async Task<IReadOnlyList<DeliveryItem>> DeliveriesAsync(HttpClient admin, string query) =>
        (await admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries?{query}&limit=500"))!.Items;

    /// <summary>Asks until it is accepted, by one key: it is one event however often it was asked for.</summary>
    private async Task AskAsync(string path, object? body, HttpStatusCode done)
    {
        var key = Guid.NewGuid().ToString("N");
        using var client = installation.Admin();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body is null ? null : JsonContent.Create(body) };
                request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
                using var response = await client.SendAsync(request);
                Assert.True(response.StatusCode == done || response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict, await response.Content.ReadAsStringAsync());
                return response.StatusCode == done;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                return false;
            }
        }, "it is accepted", TimeSpan.FromMinutes(3));
    }
}

/// <summary>Those whom an installation speaks to.</summary>
internal static class Outside
{
    /// <summary>Signs their certificates; installations of these tests trust it.</summary>
    public static TestAuthority Authority { get; } = new();
}

/// <summary>In one process.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedDeliveryKillTests(EmbeddedFixture fixture) : DeliveryKillTests(fixture.Installation, "notifications");

/// <summary>In many.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedDeliveryKillTests(DistributedFixture fixture) : DeliveryKillTests(fixture.Installation, DistributedInstallation.Quiet);
