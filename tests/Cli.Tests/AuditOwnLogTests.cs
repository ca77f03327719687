using System.Text.Json.Nodes;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>The logs of Mission Control itself, verified by whoever is signed in.</summary>
[Collection(SignedIn.Name)]
public sealed class AuditOwnLogTests(SignedInHost here)
{
    [Fact]
    public async Task Whoever_is_signed_in_verifies_the_log_of_a_customer_again_and_again_and_keeps_a_copy()
    {
        using var space = here.Workspace();
        var customer = (string)JsonNode.Parse((await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", """{"name": "Northwind", "region": "eu"}""")).Said)!["id"]!;
        JsonNode log = null!;
        await Eventually.TrueAsync(async () =>
        {
            var (listed, said, error) = await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500");
            Assert.True(listed == 0, error);
            log = JsonNode.Parse(said)!["items"]!.AsArray().FirstOrDefault(item => (string?)item!["customerId"] == customer && (long)item["signedSize"]! > 0)!;
            return log is not null;
        }, "the customer's log is signed");
        space.Write("audit.policy", $"log {(string)log["keys"]![0]!}\nquorum none\n");
        var address = $"{here.Server}/api/v1/audit/logs/{(string)log["id"]!}";
        string[] verify = ["audit", "verify", address, "--policy", "audit.policy", "--state", "audit.state", "--output", "json"];

        // Until an epoch binds it, and the log of the fleet says its slot, not all can be looked at.
        var first = (Code: 0, Said: "", Error: "");
        await Eventually.TrueAsync(async () =>
        {
            first = await space.McAsync(verify);
            Assert.True(first.Code is 0 or 3, first.Error + first.Said);
            return first.Code == 0;
        }, "an epoch binds the log");
        Assert.Equal((string)log["origin"]!, (string)JsonNode.Parse(first.Said)!["origin"]!);
        Assert.True((long)JsonNode.Parse(first.Said)!["epoch"]! > 0);
        Assert.True(File.Exists(space.PathOf("audit.state.anchor")) && File.Exists(space.PathOf("audit.state.fleet")));

        // That it was read is an entry of the log that was read.
        await Eventually.TrueAsync(async () =>
        {
            var again = await space.McAsync(verify);
            Assert.True(again.Code == 0, again.Error + again.Said);
            return (long)JsonNode.Parse(again.Said)!["size"]! > (long)log["signedSize"]!;
        }, "the look stands in the log");

        // The anchor is a log like any other, and nobody has to be signed in for it.
        var anchor = JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500")).Said)!["items"]!.AsArray().Single(item => (string?)item!["kind"] == "anchor")!;
        var mirrored = await space.McAsync("audit", "mirror", address, "copy", "--policy", "audit.policy");
        Assert.True(mirrored.Code == 0, mirrored.Error);
        Assert.Equal(0, (await space.McAsync("audit", "verify", "copy", "--policy", "audit.policy", "--state", "audit.state")).Code);

        // Without a sign-in the server says nothing, and nothing is said of the log.
        using var nobody = new Workspace();
        File.Copy(space.PathOf("audit.policy"), nobody.PathOf("audit.policy"));
        SignedInHost.TrustsTheHostAlone(nobody);
        File.Copy(here.Host.CaFile, nobody.PathOf("ca.pem"));
        Assert.Equal(3, (await nobody.McAsync("audit", "verify", address, "--policy", "audit.policy", "--ca-file", "ca.pem")).Code);
        nobody.Write("anchor.policy", $"log {(string)anchor["keys"]![0]!}\nquorum none\n");
        var open = await nobody.McAsync("audit", "verify", $"{here.Server}/api/v1/audit/logs/anchor", "--policy", "anchor.policy", "--ca-file", "ca.pem");
        Assert.True(open.Code == 0, open.Error + open.Said);
    }
}
