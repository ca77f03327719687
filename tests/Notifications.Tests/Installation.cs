using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Testing;

namespace MissionControl.Notifications.Tests;

/// <summary>A host and what it speaks to: a mail server, and a certificate that those who are told something show.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-notifications-").FullName;

    private readonly TestAuthority authority = new();

    private Installation()
    {
        File.WriteAllText(Path.Combine(root, "password"), MailServer.Password + "\n");
        Mail = new MailServer(authority.CertificateFile, authority.KeyFile);
    }

    public ControlPlane Host { get; private set; } = null!;

    public MailServer Mail { get; }

    public X509Certificate2 Certificate => authority.Certificate;

    public static async Task<Installation> StartAsync(TimeProvider? time = null, bool mail = true, params (string Key, string? Value)[] more)
    {
        var installation = new Installation();
        if (mail)
        {
            await installation.Mail.StartAsync();
        }

        await installation.StartHostAsync(time, more);
        return installation;
    }

    public async Task StartHostAsync(TimeProvider? time = null, params (string Key, string? Value)[] more)
    {
        var configuration = new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000",
            ["Notifications:Smtp:Host"] = "localhost",
            ["Notifications:Smtp:Port"] = $"{Mail.Port}",
            ["Notifications:Smtp:User"] = MailServer.User,
            ["Notifications:Smtp:PasswordFile"] = Path.Combine(root, "password"),
            ["Notifications:Smtp:From"] = "mission-control@vendor.example",
            ["Notifications:CaFile"] = authority.CaFile,
            ["Notifications:AllowedNetworks:0"] = "127.0.0.0/8",
        };
        foreach (var (key, value) in more)
        {
            configuration[key] = value;
        }

        Host = await ControlPlane.StartAsync(Directory.CreateDirectory(Path.Combine(root, "data")).FullName, time, configuration);
    }

    public async Task<Guid> CustomerAsync()
    {
        var customer = await Host.CreateCustomerAsync();
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await Host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(customer.Id, "technical", "x", "not an address"));
            return !(await answer.Content.ReadAsStringAsync()).Contains("unknown-customer", StringComparison.Ordinal);
        }, "notifications knows the customer");
        return customer.Id;
    }

    public async Task<ContactItem> ContactAsync(Guid? customer, string kind, string email)
    {
        using var answer = await Host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(customer, kind, email.Split('@')[0], email));
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<ContactItem>())!;
    }

    public async Task<EndpointSecret> EndpointAsync(Guid? customer, string kind, Uri address)
    {
        using var answer = await Host.Admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(customer, kind, "receiver", address.OriginalString));
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<EndpointSecret>())!;
    }

    public async Task TestAsync(Guid endpoint)
    {
        using var answer = await Host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{endpoint}/test", UriKind.Relative), null);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<IReadOnlyList<DeliveryItem>> DeliveriesAsync(string query = "") =>
        (await Host.Admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries{query}"))!.Items;

    /// <summary>The one delivery of a filter, once it is so.</summary>
    public async Task<DeliveryItem> DeliveryAsync(string query, Func<DeliveryItem, bool> wanted, string what)
    {
        DeliveryItem? found = null;
        await Eventually.TrueAsync(async () => (found = (await DeliveriesAsync(query)).FirstOrDefault(wanted)) is not null, what, TimeSpan.FromMinutes(1));
        return found!;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Mail.DisposeAsync();
        authority.Dispose();
        Directory.Delete(root, recursive: true);
    }
}
