using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>docs/verify-your-audit-log.md as it is written, from nothing to a verified log, and what is erased beside one.</summary>
[Collection(SignedIn.Name)]
public sealed partial class AuditPageTests(SignedInHost here)
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "verify-your-audit-log.md"));

    [Fact]
    public async Task Every_command_of_the_page_works_and_what_was_changed_in_a_bundle_is_found_without_a_program_of_ours()
    {
        using var space = here.Workspace();
        var (id, key) = await BoundAsync(space, "Contoso");
        string[] blocks = [.. Block().Matches(Page).Select(match => match.Groups["text"].Value.Replace("https://control.example.com", here.Server, StringComparison.Ordinal).Replace("/ID", $"/{id}", StringComparison.Ordinal))];
        Assert.Equal(8, blocks.Length);
        var given = ExampleKey().Match(blocks[1]);
        Assert.True(given.Success);
        blocks[1] = blocks[1].Replace(given.Value, key, StringComparison.Ordinal);

        var (code, said, error) = await space.RunAsync("bash", "-e", "-o", "pipefail", "-c", string.Concat(blocks));
        Assert.True(code == 0, error + said);
        Assert.Contains("Signature Verified Successfully", said, StringComparison.Ordinal);
        Assert.Matches("\n[0-9]+ entries are what was signed.\n$", said);
        Assert.Equal(4, Good().Count(said));
        Assert.Contains("slot ", said, StringComparison.Ordinal);

        // The same by hand, of a file in which a letter is another one.
        var bundle = Directory.EnumerateFiles(space.PathOf("bundle/tile/entries"), "*", SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(bundle);
        bytes[40] ^= 1;
        await File.WriteAllBytesAsync(bundle, bytes);
        var changed = await space.RunAsync("bash", "-e", "-c", blocks[7]);
        Assert.True(changed.Code != 0 && !changed.Said.Contains("are what was signed", StringComparison.Ordinal), changed.Said);
        await File.AppendAllTextAsync(space.PathOf("said"), "\n");
        Assert.NotEqual(0, (await space.RunAsync("bash", "-e", "-c", blocks[6].Split('\n')[^2])).Code);
    }

    [Fact]
    public async Task What_is_erased_beside_a_log_is_confirmed_by_whoever_erases_it()
    {
        using var space = here.Workspace();
        var (_, _, customer) = await SignedAsync(space, "Fabrikam");
        var (found, listed, _) = await space.McAsync("api", "GET", $"/api/v1/audit/entries?customer={customer}&type=licensing.customer-created");
        Assert.Equal(0, found);
        var entry = (string)JsonNode.Parse(listed)!["items"]![0]!["id"]!;
        string[] erase = ["POST", "/api/v1/audit/erasures", "--data", $$"""{"customerId": "{{customer}}", "entryId": "{{entry}}", "reason": "asked for by mail"}"""];

        Assert.Equal(1, (await here.ApiAsync(space, confirms: false, erase)).Code);
        var (code, said, error) = await here.ApiAsync(space, confirms: true, erase);
        Assert.True(code == 0, error);
        Assert.Equal((1, 1), ((int)JsonNode.Parse(said)!["entries"]!, (int)JsonNode.Parse(said)!["fields"]!["address"]!));
    }

    private async Task<(string Id, string Key)> BoundAsync(Workspace space, string name)
    {
        var (id, key, _) = await SignedAsync(space, name);
        space.Write("first.policy", $"log {key}\nquorum none\n");
        await Eventually.TrueAsync(async () => (await space.McAsync("audit", "verify", $"{here.Server}/api/v1/audit/logs/{id}", "--policy", "first.policy")).Code == 0, "an epoch binds the log");
        return (id, key);
    }

    private static async Task<(string Id, string Key, string Customer)> SignedAsync(Workspace space, string name)
    {
        var customer = (string)JsonNode.Parse((await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", $$"""{"name": "{{name}}", "region": "eu"}""")).Said)!["id"]!;
        JsonNode? log = null;
        await Eventually.TrueAsync(async () =>
        {
            log = JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/audit/logs?limit=500")).Said)!["items"]!.AsArray().FirstOrDefault(item => (string?)item!["customerId"] == customer && (long)item["signedSize"]! > 0);
            return log is not null;
        }, "the customer's log is signed");
        return ((string)log!["id"]!, (string)log["keys"]![0]!, customer);
    }

    [GeneratedRegex("^```sh\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("mission-control/[0-9a-f]{32}\\+1234abcd\\+AQ…")]
    private static partial Regex ExampleKey();

    [GeneratedRegex("^Good: ", RegexOptions.Multiline)]
    private static partial Regex Good();
}
