using System.Text.Json.Nodes;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>Price sheets by <c>mc price-books</c>, with the commands and the sheet of the documentation.</summary>
[Collection(SignedIn.Name)]
public sealed class PriceBooksTests(SignedInHost here)
{
    [Fact]
    public async Task Every_command_of_the_page_on_price_sheets_works_and_a_wrong_sheet_is_told_as_compilers_do()
    {
        using var space = here.Workspace();
        var book = (string)JsonNode.Parse((await space.McAsync("api", "POST", "/api/v1/licensing/price-books", "--data", """{"name": "By mc", "currency": "EUR"}""")).Said)!["id"]!;
        var page = await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "billing.md"));
        var from = page.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;
        var sheet = page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
        space.Write("prices.yaml", sheet);
        space.Write("wrong.yaml", sheet.Replace("sku: host-hours", "sku: host hours", StringComparison.Ordinal).Replace("price: 990", "price: -990", StringComparison.Ordinal));

        var wrong = new[] { await space.McAsync("price-books", "check", book, "wrong.yaml"), await space.McAsync("price-books", "import", book, "wrong.yaml") };
        Assert.All(wrong, result => Assert.Equal((1, ""), (result.Code, result.Said)));
        Assert.All(wrong, result => Assert.Matches(@"\Awrong\.yaml:4:10: invalid-sku: .+\nwrong\.yaml:\d+:\d+: negative: .+\n2 errors", result.Error));
        var json = await space.McAsync("price-books", "check", book, "wrong.yaml", "--output", "json");
        Assert.Equal(["4", "2"], new[] { JsonNode.Parse(json.Said)!["errors"]![0]!["line"]!.ToString(), JsonNode.Parse(json.Said)!["errors"]!.AsArray().Count.ToString(System.Globalization.CultureInfo.InvariantCulture) });
        Assert.Equal(2, (await space.McAsync("price-books", "check", book, "prices.txt")).Code);
        Assert.Equal(2, (await space.McAsync("price-books", "check", book, "absent.csv")).Code);
        Assert.Equal(2, (await space.McAsync("price-books", "import", book, "prices.yaml", "--replace", "1")).Code);

        var (code, said, error) = await space.RunAsync("bash", "-e", "-c", Assert.Single(CliPageTests.Blocks("mc price-books")).Replace("BOOK", book, StringComparison.Ordinal));

        Assert.True(code == 0, error + said);
        Assert.StartsWith("prices.yaml is right: 4 rates.\nVersion 1, draft: 4 rates, in force from 2026-12-01 (UTC). Its ETag is 1.\n", said, StringComparison.Ordinal);
        Assert.Contains("\"state\": \"published\"", said, StringComparison.Ordinal);
        Assert.StartsWith("currency,effectiveFrom,sku", await File.ReadAllTextAsync(space.PathOf("prices.csv")), StringComparison.Ordinal);
        var again = await space.McAsync("price-books", "publish", book, "1", "--if-match", "3");
        Assert.Equal(1, again.Code);
        Assert.Contains("409 version-published", again.Error, StringComparison.Ordinal);
    }
}
