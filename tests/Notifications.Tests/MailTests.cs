using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Notifications.Tests;

/// <summary>Mails, by a real mail server: whom it concerns is told, once, whatever happens in between.</summary>
public sealed class MailTests
{
    [Fact]
    public async Task Who_is_added_learns_of_it_and_security_contacts_of_every_token_that_acts_for_them()
    {
        await using var installation = await Installation.StartAsync();
        var customer = await installation.CustomerAsync();
        await installation.ContactAsync(customer, "security", "sec@acme.example");
        await installation.ContactAsync(customer, "billing", "money@acme.example");
        await installation.ContactAsync(null, "security", "sec@vendor.example");

        var welcome = await installation.Mail.ReceivedAsync("sec@acme.example", "You are a security contact");
        using var made = await installation.Host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("nightly <b>export</b>\nfor you", ["fleet:read"], customer));
        var token = (await made.Content.ReadFromJsonAsync<CreatedToken>())!;
        var told = await installation.Mail.ReceivedAsync("sec@acme.example", "An API token was made for Acme");

        Assert.Equal("mission-control@vendor.example", ((MailboxAddress)welcome.From[0]).Address);
        Assert.Equal("auto-generated", welcome.Headers["Auto-Submitted"]);
        Assert.Contains(token.Id, told.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Token, told.ToString(), StringComparison.Ordinal);
        Assert.Contains("Name: nightly <b>export</b> for you\n", told.TextBody!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("nightly &lt;b&gt;export&lt;/b&gt; for you", told.HtmlBody, StringComparison.Ordinal);
        await installation.DeliveryAsync("?channel=mail", one => one.Subject.StartsWith("An API token", StringComparison.Ordinal) && one.State == "sent", "the delivery is known as sent");
        Assert.DoesNotContain(installation.Mail.Mails, mail => mail.Subject!.Contains("token", StringComparison.Ordinal) && !mail.To.ToString().Contains("sec@acme.example", StringComparison.Ordinal));
        Assert.Equal(told.MessageId, $"{(await installation.DeliveriesAsync("?recipient=sec@acme.example")).Single(one => one.Subject.Contains("token", StringComparison.Ordinal)).Id}@vendor.example");
    }

    [Fact]
    public async Task Whoever_holds_a_role_is_told_once_and_nobody_of_another_customer()
    {
        await using var installation = await Installation.StartAsync();
        var (customer, other) = (await installation.CustomerAsync(), await installation.CustomerAsync());
        await SomebodySignedIn.InviteAsync(installation.Host, "officer@vendor.example", "security-officer");
        await SomebodySignedIn.InviteAsync(installation.Host, "viewer@vendor.example", "viewer");
        await SomebodySignedIn.InviteAsync(installation.Host, "boss@acme.example", "customer-administrator", customer);
        await SomebodySignedIn.InviteAsync(installation.Host, "boss@other.example", "customer-administrator", other);
        await installation.ContactAsync(customer, "security", "boss@acme.example");
        var stranger = (await installation.Host.Admin.GetFromJsonAsync<Page<PersonItem>>($"/api/v1/identity/people?customer={other}"))!.Items.Single().Id;
        await SendAsync(installation.Host, Suspected(customer, "roles", new Recipient("contact", "security"), new Recipient("role", "security-officer"), new Recipient("role", "customer-administrator"), new Recipient("person", stranger.ToString())));
        await installation.Mail.ReceivedAsync("officer@vendor.example", "Two senders");
        await installation.Mail.ReceivedAsync("boss@acme.example", "Two senders");

        // Whoever is told last is told after all of the first.
        var viewer = (await installation.Host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?kind=staff"))!.Items.Single(one => one.Email == "viewer@vendor.example").Id;
        await SendAsync(installation.Host, Suspected(customer, "a person", new Recipient("person", viewer.ToString())));
        await installation.Mail.ReceivedAsync("viewer@vendor.example", "Two senders");

        Assert.Equal(3, installation.Mail.Mails.Count(mail => mail.Subject!.StartsWith("Two senders", StringComparison.Ordinal)));
        using var boss = (await installation.Host.ClientWithTokenAsync(customer, "notifications:read")).Client;
        var seen = await boss.GetStringAsync(new Uri("/api/v1/notifications/deliveries?limit=500", UriKind.Relative));
        Assert.Contains("boss@acme.example", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("vendor.example", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_thing_is_told_once_however_often_it_is_asked_and_over_restarts()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        var customer = await installation.CustomerAsync();
        await installation.ContactAsync(customer, "technical", "ops@acme.example");
        await installation.ContactAsync(customer, "security", "ops@acme.example");
        for (var i = 0; i < 3; i++)
        {
            await SendAsync(installation.Host, Suspected(customer, "one thing", new Recipient("contact", "technical"), new Recipient("contact", "security")));
        }

        await SendAsync(installation.Host, Suspected(customer, "another thing", new Recipient("contact", "technical")));
        var waiting = await installation.DeliveryAsync("?state=waiting", one => one.Error is not null, "it is tried while nobody answers");
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync()).Count == 4, "the intents are there");
        Assert.NotNull(waiting.Error);
        await installation.Host.StopAsync();
        await installation.Host.DisposeAsync();
        await installation.Mail.StartAsync();
        await installation.StartHostAsync();

        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync()).All(one => one.State == "sent"), "all is sent once the mail server is back", TimeSpan.FromMinutes(2));
        Assert.Equal(2, installation.Mail.Mails.Count(mail => mail.Subject!.StartsWith("Two senders", StringComparison.Ordinal)));
        Assert.Equal(4, installation.Mail.Mails.Count);
    }

    [Fact]
    public async Task What_a_mail_server_refuses_fails_at_once_and_what_it_puts_off_is_tried_for_a_day()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time);
        await installation.ContactAsync(null, "technical", "nobody@vendor.example");
        await installation.ContactAsync(null, "technical", "busy@vendor.example");
        await installation.ContactAsync(null, "technical", "here@vendor.example");

        await installation.Mail.ReceivedAsync("here@vendor.example", "You are");
        var refused = await installation.DeliveryAsync("?recipient=nobody@vendor.example", one => one.State == "failed", "who is not there is given up");
        var putOff = await installation.DeliveryAsync("?recipient=busy@vendor.example", one => one.Attempts == 1 && one.Error is not null, "who is busy is tried again");
        Assert.Contains("550", refused.Error, StringComparison.Ordinal);
        Assert.Contains("450", putOff.Error, StringComparison.Ordinal);
        Assert.Equal("waiting", putOff.State);
        await Eventually.TrueAsync(async () =>
        {
            time.Advance(TimeSpan.FromMinutes(30));
            return (await installation.DeliveriesAsync("?recipient=busy@vendor.example"))[0].State == "failed";
        }, "a day is over");

        // Asked for again, it is tried for another day, and the audit log holds who asked.
        using var again = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{putOff.Id}/redeliver", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
        await installation.DeliveryAsync("?recipient=busy@vendor.example", one => one is { State: "waiting", EndedAt: null }, "it is tried again");
        using var sent = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{(await installation.DeliveriesAsync("?recipient=here@vendor.example"))[0].Id}/redeliver", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, sent.StatusCode);
    }

    [Theory]
    [InlineData("Notifications:Smtp:User", "somebody else", "535")]
    [InlineData("Notifications:CaFile", "", "certificate")]
    [InlineData("Notifications:Smtp:Host", "", "No mail server is configured")]
    [InlineData("Notifications:Smtp:From", "refused@vendor.example", "takes nothing: 550")]
    public async Task A_mail_server_that_is_not_as_configured_gets_nothing_and_the_delivery_says_why(string key, string value, string why)
    {
        await using var installation = await Installation.StartAsync(null, true, (key, value));
        await installation.ContactAsync(null, "technical", "ops@vendor.example");

        var delivery = await installation.DeliveryAsync("", one => one.Error is not null, "it fails");

        Assert.Contains(why, delivery.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("waiting", delivery.State);
        Assert.DoesNotContain(MailServer.Password, delivery.Error, StringComparison.Ordinal);
        Assert.Empty(installation.Mail.Mails);
    }

    [Theory]
    [InlineData("a@b.example, c@d.example")]
    [InlineData("Somebody <a@b.example>")]
    [InlineData("a@b.example\r\nBcc: c@d.example")]
    [InlineData("a@[10.0.0.1]")]
    [InlineData("undisclosed:;")]
    [InlineData("@b.example")]
    public async Task What_is_not_one_plain_address_is_refused(string email)
    {
        await using var host = await ControlPlane.StartAsync();
        using var answer = await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(null, "technical", "x", email));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal("not-an-address", (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Single().Code);
    }

    [Fact]
    public async Task A_customer_sees_and_changes_its_own_contacts_only()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        var customer = await installation.CustomerAsync();
        var other = (await installation.Host.CreateCustomerAsync("Other")).Id;
        var foreign = await installation.ContactAsync(null, "security", "sec@vendor.example");
        await installation.ContactAsync(customer, "security", "sec@acme.example");
        var (client, _) = await installation.Host.ClientWithTokenAsync(customer, "notifications:read", "notifications:write");
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/notifications/contacts", UriKind.Relative))).IsSuccessStatusCode, "the token is known");

        var seen = (await client.GetFromJsonAsync<Page<ContactItem>>("/api/v1/notifications/contacts"))!.Items;
        using var forAnother = await client.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(other, "security", "x", "x@other.example"));
        using var own = await client.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(null, "billing", "x", "money@acme.example"));
        using var removed = await client.DeleteAsync(new Uri($"/api/v1/notifications/contacts/{foreign.Id}", UriKind.Relative));

        Assert.Equal(["sec@acme.example"], seen.Select(contact => contact.Email));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, forAnother.StatusCode);
        Assert.Equal(customer, (await own.Content.ReadFromJsonAsync<ContactItem>())!.CustomerId);
        Assert.Equal(HttpStatusCode.NotFound, removed.StatusCode);

        // What the mail server said, and where it is, is not the customer's to know; and nothing is sent to whom nobody names any more.
        var waiting = await installation.DeliveryAsync("?recipient=sec@acme.example", one => one.Error is not null, "a mail waits");
        Assert.Equal("The mail server has not taken it yet.", (await client.GetFromJsonAsync<DeliveryItem>($"/api/v1/notifications/deliveries/{waiting.Id}"))!.Error);
        using var gone = await client.DeleteAsync(new Uri($"/api/v1/notifications/contacts/{(await client.GetFromJsonAsync<Page<ContactItem>>("/api/v1/notifications/contacts?kind=security"))!.Items.Single().Id}", UriKind.Relative));
        var ended = await installation.DeliveryAsync("?recipient=sec@acme.example", one => one.State == "failed", "it waits no more");
        Assert.Equal("The contact was removed.", ended.Error);
        Assert.False(ended.Actions.Single().Allowed);
        Assert.All((await client.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries"))!.Items, delivery => Assert.Equal(customer, delivery.CustomerId));
    }

    [Fact]
    public async Task Whoever_makes_us_write_without_end_is_stopped_and_keeps_nobody_from_hearing_of_danger()
    {
        await using var installation = await Installation.StartAsync(mail: false);
        var customer = await installation.CustomerAsync();
        foreach (var i in Enumerable.Range(0, 25))
        {
            await installation.ContactAsync(customer, "technical", $"ops{i}@acme.example");
        }

        await installation.ContactAsync(null, "technical", "ops@vendor.example");
        for (var i = 0; i < 30; i++)
        {
            await SendAsync(installation.Host, Suspected(customer, $"one of many {i}", new Recipient("contact", "technical"), new Recipient("vendor", "technical")) with { Severity = "info" });
        }

        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync("?recipient=ops@vendor.example&limit=500")).Count(one => one.Severity == "info") == 31, "the vendor is told of all");
        var told = (await installation.DeliveriesAsync($"?customer={customer}&limit=500")).Count;
        await SendAsync(installation.Host, Suspected(customer, "danger", new Recipient("contact", "technical")));

        Assert.Equal(500, told);
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync($"?customer={customer}&limit=500")).Count(one => one.Severity == "critical") == 25, "the customer is told of the danger");
    }

    [Fact]
    public void Every_template_can_be_filled_and_what_is_filled_in_stays_within_its_line()
    {
        foreach (var name in Templates.Names)
        {
            var letter = Templates.Fill(name, Templates.WordsOf(name).ToDictionary(word => word, _ => "first\r\n\r\nsecond\u2028<a href=x>"));

            Assert.InRange(letter.Subject.Length, 10, 200);
            Assert.DoesNotContain('{', letter.Subject + letter.Text);
            Assert.DoesNotContain("first\n", letter.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<a ", letter.Html(), StringComparison.Ordinal);
            Assert.DoesNotContain('\r', letter.Text);
        }

        Assert.Throws<InvalidDataException>(() => Templates.Fill("no-such", new Dictionary<string, string>()));
        Assert.Throws<InvalidDataException>(() => Templates.Fill("token-created", new Dictionary<string, string>()));
    }

    private static SendNotification Suspected(Guid customer, string what, params Recipient[] recipients) =>
        new(Guid.CreateVersion7(), customer, recipients, "clone-suspected", new Dictionary<string, string> { ["cluster"] = "kepler", ["why"] = "a test" }, "critical", what);

    private static async Task SendAsync(ControlPlane host, SendNotification command)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
        scope.ServiceProvider.GetRequiredService<IEvents>().Publish(command);
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
    }
}
