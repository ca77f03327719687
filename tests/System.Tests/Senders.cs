using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Many senders, and the comparison of what they were told with what is stored.</summary>
internal static class Senders
{
    // Messages that were under way when something died come again by claim, redelivery or retry, each with its own pause.
    private static readonly TimeSpan Delivery = TimeSpan.FromSeconds(120);

    public static Task<List<Sender>> EnrollAsync(IInstallation installation, int count, params IReadOnlyList<Uri> only) => EnrollAsync(installation, count, () => new Sender(installation, only));

    public static async Task<List<Sender>> EnrollAsync(IInstallation installation, int count, Func<Sender> make)
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var customer = await CustomerAsync(admin);
        var senders = new List<Sender>();
        for (var i = 0; i < count; i++)
        {
            var sender = make();
            await sender.EnrollAsync((await TokenAsync(admin, customer)).Token);
            senders.Add(sender);
        }

        return senders;
    }

    /// <summary>Everything that was acknowledged is stored, once, and nothing that was never offered.</summary>
    public static async Task VerifyAsync(IInstallation installation, IReadOnlyList<Sender> senders)
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        foreach (var sender in senders)
        {
            Assert.Empty(sender.Refused);

            // Delivery goes on after the restart; what is missing then is lost.
            IReadOnlyList<string> stored = [];
            await Eventually.TrueAsync(async () => sender.Acknowledged.Keys.All((stored = await EventsAsync(admin, sender.ClusterId)).ToHashSet().Contains), "every acknowledged event is stored", Delivery);
            Assert.Equal(stored.Count, stored.Distinct().Count());
            Assert.Empty(stored.Except(sender.Offered.Keys));

            // One window an hour, one data point each: the sum is the number of windows, however often each was offered.
            HashSet<int> hours = [];
            try
            {
                await Eventually.TrueAsync(async () => sender.AcknowledgedHours.Keys.All((hours = await HoursAsync(admin, sender.ClusterId)).Contains), "every acknowledged window is in the ledger", Delivery);
            }
            catch (TimeoutException late)
            {
                var missing = sender.AcknowledgedHours.Keys.Except(hours).Order().ToList();
                throw new TimeoutException($"{late.Message} Of {sender.AcknowledgedHours.Count} windows of cluster {sender.ClusterId} these {missing.Count} are missing: {string.Join(", ", missing.Take(20))}. {await ParkedAsync(admin)}");
            }

            // What was stored and never acknowledged may still come between the two questions; what is counted twice stays so.
            await Eventually.TrueAsync(async () => (hours = await HoursAsync(admin, sender.ClusterId)).Count == await DataPointsAsync(admin, sender.ClusterId), "every window is counted once", Delivery);
            Assert.Empty(hours.Except(sender.OfferedHours.Keys));
        }
    }

    public static async Task<Guid> CustomerAsync(HttpClient admin)
    {
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Acme", "eu"))).IsSuccessStatusCode, "a customer can be created");
        return (await response!.Content.ReadFromJsonAsync<CustomerItem>())!.Id;
    }

    public static async Task<CreatedEnrollmentToken> TokenAsync(HttpClient admin, Guid customer)
    {
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer))).IsSuccessStatusCode, "a token can be made");
        return (await response!.Content.ReadFromJsonAsync<CreatedEnrollmentToken>())!;
    }

    /// <summary>Messages that licensing could not apply, for whoever must find out why one is missing.</summary>
    private static async Task<string> ParkedAsync(HttpClient admin) =>
        $"Parked in licensing: {await admin.GetStringAsync("/api/v1/licensing/parked-messages")}";

    private static async Task<HashSet<int>> HoursAsync(HttpClient admin, Guid cluster)
    {
        var hours = new List<int>();
        var next = $"/api/v1/licensing/windows?cluster={cluster}&state=received&limit=500";
        while (next is not null)
        {
            var page = (await admin.GetFromJsonAsync<Page<UsageWindowItem>>(next))!;
            hours.AddRange(page.Items.Select(item => UsageWindow.HourOf(item.From)));
            next = page.Next;
        }

        Assert.Equal(hours.Count, hours.Distinct().Count());
        return [.. hours];
    }

    private static async Task<decimal> DataPointsAsync(HttpClient admin, Guid cluster)
    {
        var report = await admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?cluster={cluster}&from=2000-01-01T00:00:00Z&to=2030-01-01T00:00:00Z&granularity=month");
        Assert.Equal(0, report!.Completeness.DisputedHours);
        return decimal.Parse(report.Series.SingleOrDefault()?.Total ?? "0", global::System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<IReadOnlyList<string>> EventsAsync(HttpClient admin, Guid cluster)
    {
        var ids = new List<string>();
        var next = $"/api/v1/fleet/clusters/{cluster}/events?limit=500";
        while (next is not null)
        {
            using var response = await admin.GetAsync(new Uri(next, UriKind.Relative));
            if (!response.IsSuccessStatusCode)
            {
                return [];
            }

            var page = (await response.Content.ReadFromJsonAsync<Page<EventItem>>())!;
            ids.AddRange(page.Items.Select(item => item.Id));
            next = page.Next;
        }

        return ids;
    }
}
