using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What is billed, by the vendor's administrator.</summary>
internal sealed class Billing(ControlPlane host)
{
    /// <summary>The periods of a contract, the oldest first, once there are so many.</summary>
    public async Task<IReadOnlyList<PeriodItem>> PeriodsAsync(Guid contract, int many)
    {
        IReadOnlyList<PeriodItem> found = [];
        await Eventually.TrueAsync(async () => (found = (await host.Admin.GetFromJsonAsync<Page<PeriodItem>>($"/api/v1/licensing/periods?contract={contract}&sort=from"))!.Items).Count >= many, "the periods are open");
        return found;
    }

    /// <summary>Decides an adjustment.</summary>
    public Task<AdjustmentItem> DecideAsync(Guid contract, string amount, string description) => MadeAsync<AdjustmentItem>("adjustments", new CreateAdjustmentRequest(contract, amount, description, "as agreed by phone"));

    /// <summary>Closes a period with what its preview says.</summary>
    public async Task<StatementItem> CloseAsync(Guid period)
    {
        using var preview = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/periods/{period}/preview", UriKind.Relative));
        return await MadeAsync<StatementItem>($"periods/{period}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString());
    }

    private async Task<T> MadeAsync<T>(string path, object body, string? match = null)
    {
        using var made = await SendAsync(path, body, match);
        Assert.True(made.IsSuccessStatusCode, $"{path}: {made.StatusCode} {await made.Content.ReadAsStringAsync()}");
        return (await made.Content.ReadFromJsonAsync<T>())!;
    }

    private async Task<HttpResponseMessage> SendAsync(string path, object body, string? match)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        return await host.Admin.SendAsync(request);
    }
}
