using System.Net.Http.Json;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.FleetSimulator;

/// <summary>Licences of the demo: each customer's first cluster has one, each in another state.</summary>
internal static class DemoLicenses
{
    private static readonly LicenseLimitRequest[] Limits = [new("host_unit_seconds", "40000000", "up-to", null, 5, 4), new("sessions", "100000", "allow", "term")];

    /// <summary>How many there are.</summary>
    public const int Count = 5;

    /// <summary>Issues the licence of a customer's first cluster.</summary>
    /// <exception cref="HttpRequestException">Licensing does not know the cluster yet, or cannot be reached.</exception>
    public static async Task<bool> IssueAsync(HttpClient api, int index, Guid customer, Guid cluster, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (plan, kind, from, days, enforcement) = index switch
        {
            0 => ("Enterprise", "production", 0, 400, "degrade"),
            1 => ("Try", "trial", 0, 20, "block"),
            2 => ("Standard", "production", 0, 12, "degrade"),
            3 => ("Enterprise", "production", 14, 379, "advisory"),
            _ => ("Standard", "internal", 0, 200, "block"),
        };
        using var response = await api.PostAsJsonAsync(
            "/api/v1/licensing/licenses", new IssueLicenseRequest(customer, [cluster], plan, kind, now.AddDays(from), now.AddDays(from + days), enforcement, Limits, ["sso", "high_availability"]), cancellationToken);
        response.EnsureSuccessStatusCode();
        if (index == Count - 1)
        {
            var license = (await response.Content.ReadFromJsonAsync<LicenseItem>(cancellationToken))!;
            using var suspend = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/licenses/{license.Id}/suspend") { Content = JsonContent.Create(new LicenseReasonRequest("A demo of a suspension")), Headers = { { "If-Match", "*" } } };
            using var suspended = await api.SendAsync(suspend, cancellationToken);
        }

        return true;
    }
}
