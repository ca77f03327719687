using System.Net.Http.Json;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;

namespace MissionControl.Platform.Tests;

/// <summary>What is done to licences.</summary>
public sealed partial class AuditWalkTests
{
    private Dictionary<string, (string Type, Func<Task<string>> Act)> LicenseScenarios() => new()
    {
        ["IssueLicense"] = ("licensing.license-issued", async () => (await LicenseAsync()).Id.ToString()),
        ["RenewLicense"] = ("licensing.license-renewed", () => ChangeLicenseAsync("renew", new RenewLicenseRequest())),
        ["SwitchLicense"] = ("licensing.license-switched", () => ChangeLicenseAsync("switch", new SwitchLicenseRequest(Plan: "Large"))),
        ["SuspendLicense"] = ("licensing.license-suspended", () => ChangeLicenseAsync("suspend", new LicenseReasonRequest("the walk says so"))),
        ["ResumeLicense"] = ("licensing.license-resumed", async () =>
        {
            var license = await LicenseAsync();
            await ChangeLicenseAsync("suspend", new LicenseReasonRequest("the walk says so"), license);
            return await ChangeLicenseAsync("resume", new LicenseReasonRequest("the walk says so"), license);
        }),
        ["RevokeLicense"] = ("licensing.license-revoked", () => ChangeLicenseAsync("revoke", new LicenseReasonRequest("the walk says so"))),
    };

    private async Task<LicenseItem> LicenseAsync()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        LicenseItem? issued = null;
        await Eventually.TrueAsync(async () =>
        {
            using var response = await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(customer, [Guid.Parse(cluster.Id)], "Walk", "internal", null, host.Time.GetUtcNow().AddDays(100)));
            issued = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<LicenseItem>() : null;
            return issued is not null;
        }, "licensing knows the cluster");
        return issued!;
    }

    private async Task<string> ChangeLicenseAsync(string verb, object body, LicenseItem? license = null)
    {
        license ??= await LicenseAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/licenses/{license.Id}/{verb}") { Content = JsonContent.Create(body) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await host.Admin.SendAsync(request)).EnsureSuccessStatusCode();
        return license.Id.ToString();
    }
}
