using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Notifications.Tests;

/// <summary>Events to other systems: signed, tried for a day, and never to where nobody outside may send us.</summary>
public sealed class EndpointTests
{
    [Fact]
    public async Task A_webhook_gets_a_signed_CloudEvent_and_for_a_day_two_signatures_after_its_secret_was_changed()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        var first = await installation.EndpointAsync(null, "webhook", receiver.Address);

        await installation.TestAsync(first.Id);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 1, "the test arrives");
        using var rotated = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{first.Id}/rotate-secret", UriKind.Relative), null);
        var second = (await rotated.Content.ReadFromJsonAsync<EndpointSecret>())!;
        await installation.TestAsync(first.Id);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 2, "the second test arrives");
        time.Advance(TimeSpan.FromHours(25));
        await installation.TestAsync(first.Id);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 3, "the third test arrives");

        var requests = receiver.Requests.ToArray();
        Assert.Equal([true, true, false], requests.Select(request => WebhookReceiver.Verifies(first.Secret!, request)));
        Assert.Equal([false, true, true], requests.Select(request => WebhookReceiver.Verifies(second.Secret!, request)));
        Assert.All(requests, request => Assert.Equal("application/cloudevents+json; charset=utf-8", request.ContentType));
        using var cloudEvent = JsonDocument.Parse(requests[0].Body);
        Assert.Equal("missioncontrol.notifications.test", cloudEvent.RootElement.GetProperty("type").GetString());
        Assert.Equal("1.0", cloudEvent.RootElement.GetProperty("specversion").GetString());
        Assert.InRange(long.Parse(requests[0].Timestamp, System.Globalization.CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.AddMinutes(-2).ToUnixTimeSeconds(), DateTimeOffset.UtcNow.AddMinutes(2).ToUnixTimeSeconds());
        var delivery = await installation.DeliveryAsync("?channel=webhook&state=sent", one => one.Id.ToString() == requests[0].Id, "the delivery has the id that the receiver saw");
        Assert.Equal("missioncontrol.notifications.test", delivery.Subject);
        Assert.DoesNotContain("whsec_", await installation.Host.Admin.GetStringAsync(new Uri($"/api/v1/notifications/endpoints/{first.Id}", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_receiver_does_not_take_is_tried_again_with_the_same_id_until_a_day_is_over_and_then_by_hand()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        var endpoint = await installation.EndpointAsync(null, "webhook", receiver.Address);
        receiver.Answers = _ => 500;
        await installation.TestAsync(endpoint.Id);
        var delivery = await installation.DeliveryAsync("", one => one.Attempts == 1 && one.Error is not null, "the first attempt");

        // Once each: a clock that goes on while an attempt is on its way can let the day end before the next one.
        time.Advance(TimeSpan.FromMinutes(5));
        delivery = await installation.DeliveryAsync("", one => one.Attempts > 1, "another attempt");
        time.Advance(TimeSpan.FromHours(24));
        delivery = await installation.DeliveryAsync("", one => one.State == "failed", "a day is over");

        Assert.Equal("failed", delivery.State);
        Assert.Equal("It answered 500.", delivery.Error);
        Assert.True(delivery.Attempts > 1);
        Assert.Equal(delivery.Attempts, receiver.Requests.Count);
        Assert.Single(receiver.Requests.Select(request => request.Id).Distinct());
        receiver.Answers = _ => 200;
        using var again = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{delivery.Id}/redeliver", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
        await installation.DeliveryAsync("", one => one.State == "sent" && one.Error is null, "it is sent by hand");
    }

    [Fact]
    public void Between_attempts_pass_seconds_first_and_hours_later_and_never_more_than_a_day_in_all()
    {
        var begin = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var endpoint = new Endpoints.OutboundEndpoint { Id = Guid.NewGuid(), CustomerId = null, Kind = "webhook", Name = "x", Address = "https://example.com", Secret = [], CreatedAt = begin };
        var delivery = Deliveries.Delivery.Event(endpoint, "x", endpoint.Id, [], begin);
        var (now, attempts) = (begin, 1);
        while (delivery.PauseAfter(attempts, null, now) is { } pause)
        {
            Assert.InRange(pause, TimeSpan.FromSeconds(10), TimeSpan.FromHours(4));
            (now, attempts) = (now + pause, attempts + 1);
        }

        Assert.Equal(14, attempts);
        Assert.InRange(now - begin, TimeSpan.FromHours(19), TimeSpan.FromHours(24));
        Assert.Equal(TimeSpan.FromMinutes(7), delivery.PauseAfter(1, TimeSpan.FromMinutes(7), begin));
        Assert.Equal(TimeSpan.FromSeconds(10), delivery.PauseAfter(1, TimeSpan.FromSeconds(-5), begin));
        Assert.Equal(TimeSpan.FromHours(4), delivery.PauseAfter(1, TimeSpan.MaxValue, begin));
        Assert.Equal(delivery.Id, Deliveries.Delivery.Event(endpoint, "y", endpoint.Id, [1], now).Id);
        Assert.NotEqual(delivery.Id, Deliveries.Delivery.Event(endpoint, "x", Guid.Empty, [], begin).Id);
    }

    [Fact]
    public async Task A_receiver_that_wants_nothing_more_is_disabled_one_that_sends_us_elsewhere_is_not_followed_and_one_that_asks_for_time_gets_it()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        var endpoint = await installation.EndpointAsync(null, "webhook", receiver.Address);
        receiver.Answers = response =>
        {
            response.Headers.Location = "https://localhost:1/elsewhere";
            return 307;
        };
        await installation.TestAsync(endpoint.Id);
        await installation.DeliveryAsync("", one => one.Error == "It answered 307.", "a redirect is a failure");
        receiver.Answers = response =>
        {
            response.Headers.RetryAfter = "3600";
            return 503;
        };
        await installation.TestAsync(endpoint.Id);
        var asked = await installation.DeliveryAsync("", one => one.Error == "It answered 503.", "an hour is asked for");
        receiver.Answers = _ => 410;
        await installation.TestAsync(endpoint.Id);
        await installation.DeliveryAsync("", one => one.State == "failed", "it is gone");

        Assert.InRange(asked.NextAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(61));
        await Eventually.TrueAsync(async () => (await installation.Host.Admin.GetFromJsonAsync<EndpointItem>($"/api/v1/notifications/endpoints/{endpoint.Id}"))!.State == "disabled", "the endpoint is disabled");
        using var test = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{endpoint.Id}/test", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, test.StatusCode);
    }

    [Fact]
    public async Task A_syslog_server_gets_one_framed_message_for_each_event()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        using var server = new SyslogServer(installation.Certificate);
        var endpoint = await installation.EndpointAsync(null, "syslog", server.Address);
        Assert.Null(endpoint.Secret);

        await installation.TestAsync(endpoint.Id);
        await installation.TestAsync(endpoint.Id);
        await Eventually.TrueAsync(() => server.Messages.Count == 2, "both arrive");

        Assert.All(server.Messages, message => Assert.Matches("^<110>1 20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z - missioncontrol - [0-9a-f]{32} - \uFEFF{\"specversion\":\"1.0\"", message));
    }

    // What the systems between take without it is full after some megabytes; then neither a message nor a farewell gets through.
    [Fact]
    public async Task A_syslog_server_that_reads_nothing_keeps_nothing_from_others()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        using var deaf = new SyslogServer(installation.Certificate, reads: false);
        using var server = new SyslogServer(installation.Certificate);
        var (hung, good) = (await installation.EndpointAsync(null, "syslog", deaf.Address), await installation.EndpointAsync(null, "syslog", server.Address));
        await using (var scope = installation.Host.Services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
            for (var i = 0; i < 200; i++)
            {
                scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new DeliverEvent(Guid.CreateVersion7(), hung.Id, Encoding.UTF8.GetBytes($$"""{"specversion":"1.0","type":"x","text":"{{new string('x', 40_000)}}"}""")));
            }

            await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        }

        await installation.DeliveryAsync($"?recipient={hung.Id}&limit=500", one => one.Error == "It did not take it within 12 s.", "who does not read is given up");
        await installation.TestAsync(good.Id);
        await Eventually.TrueAsync(() => !server.Messages.IsEmpty, "the good one is served");
    }

    // By its address, by a name that leads there, and by the ways to write an IPv4 address in IPv6.
    [Theory]
    [InlineData("https://127.0.0.1:1/hook")]
    [InlineData("https://localhost:1/hook")]
    [InlineData("https://[::1]:1/hook")]
    [InlineData("https://[::ffff:169.254.169.254]/latest/meta-data")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://2130706433/hook")]
    [InlineData("syslog+tls://10.0.0.1:6514")]
    public async Task Nothing_is_sent_to_addresses_that_are_not_on_the_public_internet(string address)
    {
        await using var installation = await Installation.StartAsync(null, false, ("Notifications:AllowedNetworks:0", "198.51.100.0/24"));
        var endpoint = await installation.EndpointAsync(null, address.StartsWith("https", StringComparison.Ordinal) ? "webhook" : "syslog", new Uri(address));

        await installation.TestAsync(endpoint.Id);
        var delivery = await installation.DeliveryAsync("", one => one.Error is not null, "it is not sent");

        Assert.Contains("is not on the public internet", delivery.Error, StringComparison.Ordinal);
    }

    // What the operator opened for receivers of its own is no way in for others.
    [Fact]
    public async Task A_customers_webhook_does_not_reach_the_vendors_networks()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        var own = await installation.EndpointAsync(null, "webhook", receiver.Address);
        var customers = await installation.EndpointAsync(await installation.CustomerAsync(), "webhook", receiver.Address);

        await installation.TestAsync(own.Id);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 1, "the vendor's own arrives");
        await installation.TestAsync(customers.Id);
        var refused = await installation.DeliveryAsync($"?recipient={customers.Id}", one => one.Error is not null, "the customer's does not");

        Assert.Contains("is not on the public internet.", refused.Error, StringComparison.Ordinal);
        Assert.Single(receiver.Requests);
    }

    // A status line is the receiver's to write; what no database stores must not keep anything from being noted, here or for others.
    [Fact]
    public async Task A_receiver_that_answers_with_what_cannot_be_stored_or_not_at_all_keeps_nothing_from_others()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        using var hostile = new RawServer(installation.Certificate, "HTTP/1.1\0\ud800 nothing\r\n\r\n");
        using var silent = new RawServer(installation.Certificate, "");
        var bad = await installation.EndpointAsync(null, "webhook", hostile.Address);
        var hung = await installation.EndpointAsync(null, "webhook", silent.Address);
        var good = await installation.EndpointAsync(null, "webhook", receiver.Address);
        for (var i = 0; i < 30; i++)
        {
            await installation.TestAsync(bad.Id);
            await installation.TestAsync(hung.Id);
        }

        await installation.TestAsync(good.Id);

        await Eventually.TrueAsync(() => receiver.Requests.Count == 1, "the good one is served");
        await installation.DeliveryAsync($"?recipient={bad.Id}", one => one is { Attempts: > 0, Error: not null }, "what was wrong is noted");
        await installation.DeliveryAsync($"?recipient={hung.Id}", one => one.Error == "It did not answer within 10 s.", "who does not answer is given up");
        await installation.TestAsync(good.Id);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 2, "and served again");
    }

    [Fact]
    public async Task A_secret_is_changed_once_a_day_and_a_customer_sees_and_touches_its_own_endpoints_only()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        var customer = await installation.CustomerAsync();
        var foreign = await installation.EndpointAsync(null, "webhook", new Uri("https://hooks.vendor.example/"));
        var own = await installation.EndpointAsync(customer, "webhook", new Uri("https://hooks.acme.example/"));
        await installation.TestAsync(foreign.Id);
        var delivery = await installation.DeliveryAsync("", one => one.Recipient == foreign.Id.ToString(), "it is there");
        var (client, _) = await installation.Host.ClientWithTokenAsync(customer, "notifications:read", "notifications:write");
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/notifications/endpoints", UriKind.Relative))).IsSuccessStatusCode, "the token is known");

        Assert.Equal([own.Id], (await client.GetFromJsonAsync<Page<EndpointItem>>("/api/v1/notifications/endpoints"))!.Items.Select(one => one.Id));
        Assert.Empty((await client.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=webhook"))!.Items);
        foreach (var path in new[] { $"endpoints/{foreign.Id}/test", $"endpoints/{foreign.Id}/rotate-secret", $"endpoints/{foreign.Id}/disable", $"endpoints/{foreign.Id}/enable", $"deliveries/{delivery.Id}/redeliver" })
        {
            using var answer = await client.PostAsync(new Uri($"/api/v1/notifications/{path}", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        using var seen = await client.GetAsync(new Uri($"/api/v1/notifications/deliveries/{delivery.Id}", UriKind.Relative));
        using var removed = await client.DeleteAsync(new Uri($"/api/v1/notifications/endpoints/{foreign.Id}", UriKind.Relative));
        using var once = await client.PostAsync(new Uri($"/api/v1/notifications/endpoints/{own.Id}/rotate-secret", UriKind.Relative), null);
        using var twice = await client.PostAsync(new Uri($"/api/v1/notifications/endpoints/{own.Id}/rotate-secret", UriKind.Relative), null);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.OK, HttpStatusCode.Conflict), (seen.StatusCode, removed.StatusCode, once.StatusCode, twice.StatusCode));
    }

    [Fact]
    public async Task Tests_of_endpoints_are_bounded_and_one_that_is_sent_again_by_two_at_once_is_sent_once()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        receiver.Answers = _ => 410;
        var gone = await installation.EndpointAsync(null, "webhook", receiver.Address);
        await installation.TestAsync(gone.Id);
        var failed = await installation.DeliveryAsync("", one => one.State == "failed", "it failed");
        var again = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{failed.Id}/redeliver", UriKind.Relative), null)));

        Assert.Single(again, answer => answer.StatusCode == HttpStatusCode.NoContent);
        Assert.Equal(7, again.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        var refused = HttpStatusCode.Accepted;
        for (var i = 0; i < 120 && refused == HttpStatusCode.Accepted; i++)
        {
            var other = await installation.EndpointAsync(null, "webhook", new Uri("https://hooks.vendor.example/"));
            for (var j = 0; j < 15 && refused == HttpStatusCode.Accepted; j++)
            {
                using var answer = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{other.Id}/test", UriKind.Relative), null);
                refused = answer.StatusCode;
            }

            using var removed = await installation.Host.Admin.DeleteAsync(new Uri($"/api/v1/notifications/endpoints/{other.Id}", UriKind.Relative));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, refused);
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("100.64.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("::ffff:0:127.0.0.1", false)]
    [InlineData("4000::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("192.0.2.1", true)]
    public void An_address_may_be_connected_to_when_it_is_public_or_named(string address, bool allowed)
    {
        var guard = new NotificationOptions { AllowedNetworks = ["192.0.2.0/24"] }.Guard();
        Assert.Equal(allowed, guard.Allows(IPAddress.Parse(address), isOwn: true));
        Assert.Equal(allowed && address != "192.0.2.1", guard.Allows(IPAddress.Parse(address), isOwn: false));
    }

    [Theory]
    [InlineData("webhook", "http://example.com/hook")]
    [InlineData("webhook", "https://user:secret@example.com/hook")]
    [InlineData("webhook", "https://example.com/hook#x")]
    [InlineData("webhook", "ftp://example.com")]
    [InlineData("webhook", "file:///etc/passwd")]
    [InlineData("webhook", "hook")]
    [InlineData("syslog", "syslog+tls://example.com")]
    [InlineData("syslog", "https://example.com")]
    [InlineData("syslog", "syslog+tls://example.com:6514/path")]
    public async Task An_address_of_another_form_is_refused(string kind, string address)
    {
        await using var host = await ControlPlane.StartAsync();
        using var answer = await host.Admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(null, kind, "x", address));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal("/address", (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Single().Pointer);
    }

    [Fact]
    public async Task A_secret_lies_sealed()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        var made = await installation.EndpointAsync(null, "webhook", new Uri("https://example.com/hook"));
        await installation.Host.StopAsync();

        var stored = Directory.GetFiles(installation.Host.Data).SelectMany(File.ReadAllBytes).ToArray();

        Assert.Equal(-1, stored.AsSpan().IndexOf(Convert.FromBase64String(made.Secret!["whsec_".Length..])));
        Assert.Equal(-1, stored.AsSpan().IndexOf(Encoding.ASCII.GetBytes(made.Secret!)));
    }
}
