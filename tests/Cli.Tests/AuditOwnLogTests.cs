using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
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

    [Fact]
    public async Task A_log_is_sent_to_a_system_and_how_far_it_is_and_why_it_stopped_is_said()
    {
        using var space = here.Workspace();
        var log = (string)JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500")).Said)!["items"]!.AsArray().Single(item => (string?)item!["kind"] == "operator")!["id"]!;
        var nowhere = Guid.CreateVersion7().ToString();
        string[] create = ["audit", "exports", "create", "--log", log, "--endpoint", nowhere, "--output", "json"];
        var made = await space.McAsync(create);
        Assert.True(made.Code == 0, made.Error);
        var export = JsonNode.Parse(made.Said)!["export"]!;
        var id = (string)export["id"]!;
        Assert.Equal((1, log, nowhere, "jsonl", 0L, "running"), ((int)JsonNode.Parse(made.Said)!["version"]!, (string)export["logId"]!, (string)export["endpointId"]!, (string)export["format"]!, (long)export["from"]!, (string)export["state"]!));

        // Nobody has that endpoint, which shows when something is to be sent.
        await Eventually.TrueAsync(async () => (await space.McAsync("audit", "exports", "list")).Said.Contains($"{id} stopped: 0 of ", StringComparison.Ordinal), "the export stopped");
        Assert.Contains($" entries taken, jsonl, of log {log} to endpoint {nowhere}\n  There is no such endpoint.\n", (await space.McAsync("audit", "exports", "list")).Said, StringComparison.Ordinal);
        var removed = Assert.Single(CliPageTests.Blocks("mc audit exports")).Replace("LOG", log, StringComparison.Ordinal).Replace("ENDPOINT", nowhere, StringComparison.Ordinal).Replace(" ID", $" {id}", StringComparison.Ordinal);
        var (code, said, error) = await space.RunAsync("bash", "-e", "-c", removed);
        Assert.True(code == 0, error);
        Assert.Matches("^[0-9a-f-]{36} running: 0 of [0-9]+ entries taken, ocsf, ", said);
        Assert.EndsWith($"{id} resumed\n{id} removed\n", said, StringComparison.Ordinal);
        var left = JsonNode.Parse((await space.McAsync("audit", "exports", "list", "--output", "json")).Said)!["exports"]!.AsArray();
        Assert.Equal(["ocsf"], left.Select(one => (string)one!["format"]!));
        Assert.Equal("No log is sent.\n", (await space.McAsync("audit", "exports", "list", "--customer", nowhere)).Said);
        var last = await space.McAsync("audit", "exports", "remove", (string)left[0]!["id"]!, "--output", "json");
        Assert.Equal("removed", (string)JsonNode.Parse(last.Said)!["outcome"]!);

        // What is not there, what the server does not take, and what nobody could mean.
        Assert.Equal(3, (await space.McAsync("audit", "exports", "resume", id)).Code);
        Assert.Equal(3, (await space.McAsync("audit", "exports", "remove", id)).Code);
        var beyond = await space.McAsync([.. create, "--from", "1000000"]);
        Assert.True(beyond.Code == 64 && beyond.Error.Contains("/from", StringComparison.Ordinal), beyond.Error);
        Assert.Equal(64, (await space.McAsync([.. create, "--from", "-1"])).Code);
        Assert.Equal(64, (await space.McAsync("audit", "exports", "remove", "no-id")).Code);
        using var nobody = new Workspace();
        Assert.Equal(3, (await nobody.McAsync("audit", "exports", "list")).Code);
    }

    [Fact]
    public async Task Who_operates_the_server_has_it_look_at_its_logs_and_is_told_what_is_gone()
    {
        using var space = here.Workspace();
        string[] fsck = ["audit", "fsck", "--reason", "The test looks", "--output", "json"];
        var page = await space.RunAsync("bash", "-e", "-c", Assert.Single(CliPageTests.Blocks("mc audit fsck")));
        Assert.True(page.Code == 0, page.Error + page.Said);
        Assert.StartsWith("Good: ", page.Said, StringComparison.Ordinal);
        var logs = JsonNode.Parse(page.Said[page.Said.IndexOf('{', StringComparison.Ordinal)..])!["logs"]!.AsArray();
        Assert.Contains(logs, log => (string)log!["id"]! == "ad0940e4-8bac-50e2-4af3-89c966b76ba8" && (long)log["checkedSize"]! > 0);
        Assert.All(logs, log => Assert.Null(log!["problem"]));

        // A name goes without an entry that says so: what an operator of the database could do.
        await using (var scope = here.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await db.BeginWriteAsync();
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("DELETE FROM audit_log_personal WHERE rowid IN (SELECT rowid FROM audit_log_personal ORDER BY rowid LIMIT 1)"));
            await transaction.CommitAsync();
        }

        var damaged = await space.McAsync(fsck);
        Assert.True(damaged.Code == 2, damaged.Error + damaged.Said);
        Assert.Equal("inconsistent", (string)JsonNode.Parse(damaged.Said)!["verdict"]!);
        Assert.Single(JsonNode.Parse(damaged.Said)!["logs"]!.AsArray(), log => log!["problem"] is not null);
        Assert.Equal(64, (await space.McAsync("audit", "fsck", "--reason", "x")).Code);
        using var nobody = new Workspace();
        Assert.Equal(3, (await nobody.McAsync(fsck)).Code);
    }
}
