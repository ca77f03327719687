using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>The policy that is served, with the words of the witnesses, as <c>mc audit verify</c> judges them.</summary>
[Collection(SignedIn.Name)]
public sealed class AuditWitnessTests(SignedInHost here)
{
    [Fact]
    public async Task The_served_policy_is_satisfied_by_the_customers_own_clusters_also_while_the_log_grows()
    {
        using var space = here.Workspace();
        using var api = await here.Ada.ApiAsync();
        var customer = (await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", """{"name": "Witnessed", "region": "eu"}""")).Said;
        var id = (string)JsonNode.Parse(customer)!["id"]!;
        using var agent = new RealAgent(here.Host, witness: true);
        CreatedEnrollmentToken? token = null;
        await Eventually.TrueAsync(async () =>
        {
            var made = await space.McAsync("api", "POST", "/api/v1/callhome/enrollment-tokens", "--data", $$"""{"customerId": "{{id}}"}""");
            token = made.Code == 0 ? JsonSerializer.Deserialize<CreatedEnrollmentToken>(made.Said, JsonSerializerOptions.Web) : null;
            return token is not null;
        }, "callhome knows the customer");
        await agent.EnrollAsync(token!);
        JsonNode? log = null;
        var policy = "";
        await agent.CheckInUntilAsync(async () =>
        {
            var listed = await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500");
            log = JsonNode.Parse(listed.Said)!["items"]!.AsArray().FirstOrDefault(item => (string?)item!["customerId"] == id && (long)item["signedSize"]! > 0);
            policy = log is null ? "" : await api.GetStringAsync(new Uri($"/api/v1/audit/logs/{(string)log["id"]!}/policy", UriKind.Relative));
            return policy.Contains("group witnesses 1 mc-witness-", StringComparison.Ordinal);
        }, "the policy names the cluster");
        space.Write("audit.policy", policy);
        string[] verify = ["audit", "verify", $"{here.Server}/api/v1/audit/logs/{(string)log!["id"]!}", "--policy", "audit.policy", "--state", "audit.state", "--max-age", "1h", "--output", "json"];
        var seen = (Code: 0, Said: "", Error: "");
        await agent.CheckInUntilAsync(async () =>
        {
            // Reading it makes it grow, so what was seen is never all of it.
            seen = await space.McAsync(verify);
            Assert.True(seen.Code is 0 or 3, seen.Error + seen.Said);
            return seen.Code == 0;
        }, "the log has a quorum");
        var report = JsonNode.Parse(seen.Said)!;
        Assert.True((bool)report["quorum"]!);
        Assert.InRange((long)report["witnessedSize"]!, 1, (long)report["size"]!);
        Assert.StartsWith("mc-witness-", (string)report["witnesses"]![0]!["name"]!, StringComparison.Ordinal);

        // Another's key in its place: the same words are nobody's.
        space.Write("other.policy", $"log {(string)log["keys"]![0]!}\nwitness other example.com/w+604b4881+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\nquorum other\n");
        var other = await space.McAsync("audit", "verify", verify[2], "--policy", "other.policy", "--no-anchor");
        Assert.True(other.Code == 3, other.Error + other.Said);
    }
}
