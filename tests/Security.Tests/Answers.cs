using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using Xunit;

namespace MissionControl.Security.Tests;

/// <summary>What may come back to whoever sends nonsense: a good answer, or a refusal from the registry with a sentence that helps. Never a 5xx but the documented 503.</summary>
internal static class Answers
{
    /// <summary>Asserts that an answer is one of the documented ones, and returns its code; null for success.</summary>
    public static async Task<string?> DocumentedAsync(HttpResponseMessage response, string what)
    {
        if (response.IsSuccessStatusCode)
        {
            return null;
        }

        var status = (int)response.StatusCode;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status < 500 || response.StatusCode == HttpStatusCode.ServiceUnavailable, $"{what}: {status} {text}");
        Assert.True(response.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{what}: {status} '{text}' is no problem document");
        var problem = JsonSerializer.Deserialize<ProblemDocument>(text, JsonSerializerOptions.Web)!;
        Assert.True(ProblemCodes.All.TryGetValue(problem.Code, out var known), $"{what}: code {problem.Code} is not in the registry");
        Assert.True(known.Status == status, $"{what}: {problem.Code} came with {status}");
        Assert.True(problem.Detail is { Length: > 10 } || problem.Errors is { Count: > 0 }, $"{what}: {problem.Code} does not say what to do: {text}");
        Assert.True(known != ProblemCodes.PayloadTooLarge || !response.RequestMessage!.RequestUri!.AbsolutePath.StartsWith("/callhome", StringComparison.Ordinal) || response.Headers.Contains("MC-Limits"), $"{what}: 413 without MC-Limits");
        return problem.Code;
    }

    /// <summary>Asserts a refusal with this code.</summary>
    public static async Task RefusedAsync(string code, HttpResponseMessage response, string what) =>
        Assert.True(await DocumentedAsync(response, what) == code, $"{what}: expected {code}, got {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");

    /// <summary>The number of messages that some role could not apply.</summary>
    public static async Task<IReadOnlyList<string>> ParkedAsync(HttpClient admin)
    {
        var parked = new List<string>();
        foreach (var role in new[] { "fleet", "licensing", "audit", "callhome", "identity" })
        {
            var page = (await admin.GetFromJsonAsync<Page<Contracts.Api.Platform.ParkedMessageItem>>($"/api/v1/{role}/parked-messages?limit=500"))!;
            parked.AddRange(page.Items.Select(item => $"{item.Consumer}: {item.LastError}"));
        }

        return parked;
    }
}
