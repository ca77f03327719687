using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Portal.Pages.Audit;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A customer finds its log, an entry's proof and the receipt to keep, and is told what a page of the vendor cannot show.</summary>
public sealed class AuditLogPageTests(PortalFixture portal)
{
    [Fact]
    public async Task A_customer_goes_from_its_log_to_the_receipt_of_an_entry_that_proves_it_without_the_page()
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken);
        await window.GoAsync("/audit");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Logs", Exact = true }).ClickAsync();
        var rows = window.Page.Locator("#list tbody tr");
        await rows.First.WaitForAsync();

        // Its own and the fleet's, where there is one; nobody else's.
        Assert.DoesNotContain("Operators", await window.Page.Locator("#list").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await rows.Filter(new LocatorFilterOptions { HasText = "Northwind Retail" }).CountAsync());
        Assert.Equal(0, await rows.Filter(new LocatorFilterOptions { HasText = "Harbour Bank" }).CountAsync());
        var log = (await portal.Host.Admin.GetFromJsonAsync<AuditLogItem>($"/api/v1/audit/logs/{portal.Logged.Log}"))!;
        Assert.Contains($"log {log.Keys[^1]}", await window.Page.Locator("ol.proof-steps").InnerTextAsync(), StringComparison.Ordinal);

        await window.GoAsync("/audit?log=customer&sort=occurredAt&limit=1");
        await window.Page.GetByText("Changes", new() { Exact = true }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "entry 0, and its proof" }).ClickAsync();
        await window.AtAsync(url => url.EndsWith($"/audit/logs/{portal.Logged.Log}/{portal.Logged.Entry}", StringComparison.Ordinal));
        Assert.Equal("Stands in the signed log", await window.Page.Locator("#badge").InnerTextAsync());
        var download = await window.Page.RunAndWaitForDownloadAsync(() => window.Page.Locator("#receipt").ClickAsync());
        Assert.Equal($"{portal.Logged.Entry}.tlog-proof", download.SuggestedFilename);
        using var receipt = new StreamReader(await download.CreateReadStreamAsync());
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(await receipt.ReadToEndAsync()));
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        Assert.True(proof.Verify(proof.Extra.Span, policy).Checkpoint.Size > proof.Index);
        Assert.Contains(portal.Logged.Entry.ToString(), Encoding.UTF8.GetString(proof.Extra.Span), StringComparison.Ordinal);

        await window.GoAsync("/audit/logs");
        var bundle = await window.Page.RunAndWaitForDownloadAsync(() => window.Page.Locator($"#l{log.Id:N}").GetByRole(AriaRole.Link, new() { Name = "Bundle of Northwind Retail" }).ClickAsync());
        Assert.Equal($"audit-log-{log.Id:N}.zip", bundle.SuggestedFilename);
        await using var zip = await ZipArchive.CreateAsync(await bundle.CreateReadStreamAsync(), ZipArchiveMode.Read, leaveOpen: false, null);
        using var note = new MemoryStream();
        await using (var checkpoint = await zip.GetEntry("checkpoint")!.OpenAsync())
        {
            await checkpoint.CopyToAsync(note);
        }

        Assert.Equal(log.Origin, policy.Judge(SignedNote.Parse(note.ToArray())).Checkpoint.Origin);
        Assert.Equal(400, (await window.FetchAsync($"/audit/logs/{log.Id}/bundle.zip?from={long.MaxValue}")).Status);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Nobody_sees_the_proof_of_anothers_entry()
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken);
        var others = (await portal.Host.Admin.GetFromJsonAsync<Contracts.Api.Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.Where(log => log.Kind == "operator" || log.CustomerId == portal.OtherCustomer).ToList();

        Assert.Equal(2, others.Count);
        foreach (var log in others)
        {
            Assert.Equal(404, await window.GoAsync($"/audit/logs/{log.Id}/{portal.Logged.Entry}"));
            Assert.Equal(404, (await window.FetchAsync($"/audit/logs/{log.Id}/{portal.Logged.Entry}.tlog-proof")).Status);
            Assert.Equal(404, (await window.FetchAsync($"/audit/logs/{log.Id}/bundle.zip")).Status);
        }
    }

    [Fact]
    public async Task A_receipt_that_was_changed_is_told_from_one_that_holds()
    {
        var log = (await portal.Host.Admin.GetFromJsonAsync<AuditLogItem>($"/api/v1/audit/logs/{portal.Logged.Log}"))!;
        var receipt = await portal.Host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{log.Id}/proofs/{portal.Logged.Entry}", UriKind.Relative));
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(receipt));
        Assert.True(Of(receipt, log) is { IsGood: true, SignedBy.Count: 1 });

        // Another entry, another place, another log's key, another log's name.
        var other = Encoding.UTF8.GetString(proof.Extra.Span).Replace("\"success\"", "\"denied\"", StringComparison.Ordinal);
        Assert.False(Of((proof with { Extra = Encoding.UTF8.GetBytes(other) }).ToString(), log).IsIncluded);
        Assert.False(Of((proof with { Index = proof.Index + 1 }).ToString(), log).IsIncluded);
        Assert.Empty(Of(receipt, log with { Keys = [] }).SignedBy);
        Assert.False(Of(receipt, log with { Origin = log.Origin + "0" }).IsIncluded);

        // A good receipt, and of another entry than was asked for.
        Assert.False(EntryProof.Of(receipt, log, Guid.Empty).IsGood);

        EntryProof Of(string text, AuditLogItem of) => EntryProof.Of(text, of, portal.Logged.Entry);
    }
}
