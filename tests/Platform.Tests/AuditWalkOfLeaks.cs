using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Platform.Tests;

/// <summary>The walk's ways through leaks: by a person, by GitHub, by a GitLab, and to the end.</summary>
public sealed partial class AuditWalkTests
{
    private const string GitLabSecret = "what the walk and its GitLab share";
    private readonly string gitLabFile = Path.GetTempFileName();
    private SecretScanner scanner = null!;

    private async Task<Dictionary<string, string?>> ScannersAsync()
    {
        await File.WriteAllTextAsync(gitLabFile, GitLabSecret);
        scanner = await SecretScanner.StartAsync();
        return new Dictionary<string, string?> { ["Identity:Leaks:GitHubKeysUrl"] = scanner.KeysUrl, ["Identity:Leaks:GitLabTokenFile"] = gitLabFile };
    }

    private async ValueTask EndScannersAsync()
    {
        await scanner.DisposeAsync();
        File.Delete(gitLabFile);
    }

    private Dictionary<string, (string Type, Func<Task<string>> Act)> LeakScenarios() => new()
    {
        ["ReportLeak"] = ("identity.token-leaked", () => WithLeakAsync(token => PostAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(token)))),
        ["TakeGitHubReport"] = ("identity.token-leaked", () => WithLeakAsync(async token => (await scanner.SendAsync(host.Admin, SecretScanner.Body((token, "https://github.com/walk")))).EnsureSuccessStatusCode())),
        ["TakeGitLabReport"] = ("identity.token-leaked", () => WithLeakAsync(async token =>
        {
            using var gitlab = host.Client(host.Portal, GitLabSecret);
            (await gitlab.PostAsJsonAsync("/api/v1/identity/leaks/gitlab/v1/revoke_tokens", new[] { new { type = "gitleaks_rule_id_mission-control-api-token", token, location = "https://gitlab.example/walk" } })).EnsureSuccessStatusCode();
        })),
        ["CloseLeak"] = ("identity.leak-closed", async () =>
        {
            var token = await WithLeakAsync(text => PostAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(text)));
            var leak = (await host.Admin.GetFromJsonAsync<Page<LeakItem>>($"/api/v1/identity/leaks?q={token}"))!.Items.Single();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/identity/leaks/{leak.Id}/close") { Content = JsonContent.Create(new CloseLeakRequest("test", "the walk says so")) };
            request.Headers.TryAddWithoutValidation("If-Match", "*");
            (await host.Admin.SendAsync(request)).EnsureSuccessStatusCode();
            return leak.Id.ToString();
        }),
    };

    private async Task<string> WithLeakAsync(Func<string, Task> report)
    {
        var token = await TokenAsync();
        await report(token.Token);
        return token.Id;
    }
}
