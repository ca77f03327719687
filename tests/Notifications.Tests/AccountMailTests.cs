using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Notifications.Tests;

/// <summary>What changes about how somebody signs in reaches that person by mail, through a real mail server: a thief has to change it unseen, and cannot.</summary>
public sealed class AccountMailTests
{
    private const string Subject = "Your account at Mission Control was changed";

    [Fact]
    public async Task Every_change_of_a_factor_is_told_to_its_owner_by_mail_and_to_nobody_else()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, true, ("Identity:KeepBootstrapToken", "true"));
        var host = installation.Host;
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var first = ada.Passkey;
        using var laptop = new SoftPasskey();

        Guid added;
        using (var api = await ada.ApiAsync())
        {
            using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("red laptop"));
            var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
            using var answer = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, laptop.Create(asked.Options)));
            added = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyItem>())!.Id;
        }

        await ToldAsync("A passkey called “red laptop” was added to your account.");
        await ChangeAsync($"passkeys/{added}/remove", new RemoveFactorRequest());
        await ToldAsync("The passkey called “red laptop” was removed from your account");
        time.Advance(TimeSpan.FromMinutes(1));
        await ChangeAsync("password", new ChangePasswordRequest(SomebodySignedIn.Password, "quite another long password", ada.Code()));
        await ToldAsync("Your password was changed");
        await ChangeAsync("recovery-codes", new ProofRequest());
        await ToldAsync("New recovery codes were made for your account");
        using (var api = await ada.ApiAsync())
        {
            using var begun = await api.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null);
            ada.Secret = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<NewAuthenticator>())!.Secret;
        }

        await ChangeAsync("authenticator/confirm", new ConfirmAuthenticatorRequest(null, ada.Code()));
        await ToldAsync("Another authenticator was set up for your account");
        await ChangeAsync("authenticator/remove", new RemoveFactorRequest());
        await ToldAsync("Password, authenticator and recovery codes were taken away from your account");

        var mails = installation.Mail.Mails.Where(mail => Holds(mail, Subject)).ToList();
        Assert.Equal(6, mails.Count);
        Assert.All(mails, mail => Assert.Equal("ada@vendor.example", Assert.Single(mail.To.Mailboxes).Address));

        // None of them holds what one signs in with.
        Assert.All(mails, mail => Assert.DoesNotContain(ada.Secret, mail.ToString(), StringComparison.Ordinal));

        async Task ChangeAsync(string path, object body)
        {
            using var api = await ada.ApiAsync();
            using var content = JsonContent.Create(body, body.GetType());
            using var answer = await api.PostAsync(new Uri($"/api/v1/identity/me/{path}", UriKind.Relative), content);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        Task ToldAsync(string what) => Eventually.TrueAsync(() => installation.Mail.Mails.Any(mail => mail.To.ToString().Contains(ada.Email, StringComparison.Ordinal) && mail.TextBody!.ReplaceLineEndings(" ").Contains(what, StringComparison.Ordinal)), $"{ada.Email} is told: {what}");
    }

    [Fact]
    public async Task Where_a_provider_signs_staff_in_an_administrator_who_comes_without_it_is_told_to_those_who_watch()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        (string, string?)[] settings =
        [
            ("Identity:KeepBootstrapToken", "true"), ("Identity:PortalAddress", "https://control.example.com"), ("Identity:Providers:0:Id", "corp"), ("Identity:Providers:0:Name", "Corp"), ("Identity:Providers:0:Issuer", "https://login.example.com"),
            ("Identity:Providers:0:ClientId", "mission-control"), ("Identity:Providers:0:Roles:admins", "administrator"), ("Identity:Providers:0:RequiredAmr", "hwk"),
        ];
        await using var installation = await Installation.StartAsync(time, true, settings);
        var host = installation.Host;
        await installation.ContactAsync(null, "security", "watch@vendor.example");
        var officer = await SomebodySignedIn.InviteAsync(host, "officer@vendor.example", "security-officer");
        var viewer = await SomebodySignedIn.InviteAsync(host, "viewer@vendor.example", "viewer");
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        Assert.NotNull(officer.Session);
        Assert.Equal(0, Told("viewer@vendor.example"));

        // Once for accepting, once for coming back.
        time.Advance(TimeSpan.FromMinutes(1));
        using var back = await root.TryAsync();
        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
        using var other = await viewer.TryAsync();
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        foreach (var address in new[] { "watch@vendor.example", "officer@vendor.example" })
        {
            await Eventually.TrueAsync(() => Told(address) >= 2, $"{address} is told, each time");
            Assert.Equal(2, Told(address));
        }

        Assert.Equal(0, Told("viewer@vendor.example"));

        int Told(string address) => installation.Mail.Mails.Count(mail => mail.To.ToString().Contains(address, StringComparison.Ordinal) && Holds(mail, "administrator signed in without the provider"));
    }

    private static bool Holds(MimeKit.MimeMessage mail, string subject) => mail.Subject!.Contains(subject, StringComparison.Ordinal);
}
