using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Tests.Agreement;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Billing;

/// <summary>A contract from its first window to its third statement, through the doors that a cluster and a billing system use.</summary>
public sealed class PeriodTests(Agreed agreed) : IClassFixture<Agreed>
{
    private static readonly int First = UsageWindow.HourOf(Agreed.At("2026-12-01T00:00:00Z"));

    [Fact]
    public async Task A_month_is_closed_once_with_what_was_looked_at_and_what_comes_later_is_booked_in_the_next()
    {
        using var cluster = await TestCluster.EnrollAsync(agreed.Host, agreed.Customer, "Trondheim");
        var terms = agreed.Terms([Guid.Parse(cluster.Id)]) with { Missing = "zero" };
        ContractDetail? drafted = null;
        await Eventually.TrueAsync(async () =>
        {
            using var made = await agreed.SendAsync(HttpMethod.Post, "contracts", agreed.Draft(terms));
            drafted = made.IsSuccessStatusCode ? await made.Content.ReadFromJsonAsync<ContractDetail>() : null;
            return drafted is not null;
        }, "licensing knows the cluster");
        var contract = drafted!.Contract.Id;
        await agreed.MadeAsync<ContractDetail>($"contracts/{contract}/activate", new { }, "*");
        await ToAsync(cluster, "2026-12-02T00:20:00Z");
        await SendAsync(cluster, cluster.Window(First, quantity: "7200"), cluster.Window(First + 1, quantity: "3601"));

        // A month that is not over cannot be closed, and can be looked at.
        var december = await PeriodAsync(contract, "2026-12");
        Assert.Equal("open", december.State);
        var (running, tag) = await PreviewAsync(december.Id);
        Assert.Equal(("0.15", "EUR"), (running.Payable.Amount, running.Payable.Currency));
        Assert.Equal("409 period-not-ready", await CloseAsync(december.Id, tag));

        // The grace is over only three days after its end; whoever cannot wait says why.
        await ToAsync(cluster, "2027-01-02T00:20:00Z");
        (var preview, tag) = await PreviewAsync(december.Id);
        Assert.Equal([("grace", 1L), ("missing-hours", 742L)], preview.Checks.Where(check => check.Count > 0).Select(check => (check.Code, check.Count)));
        Assert.Equal("409 period-not-ready grace:waivable", await CloseAsync(december.Id, tag));
        Assert.Equal("422 invalid /waive:not-waivable /reason:required", await CloseAsync(december.Id, tag, new ClosePeriodRequest(["grace", "disputed-hours"])));
        Assert.Equal("428 precondition-required", await CloseAsync(december.Id, null));
        Assert.Equal("400 idempotency-key-required", await CloseAsync(december.Id, tag, key: null));
        Assert.Equal("412 precondition-failed", await CloseAsync(december.Id, "\"somethingelse\""));
        await ToAsync(cluster, "2027-01-04T01:20:00Z");

        // What comes in while somebody looks is seen before it is closed.
        await SendAsync(cluster, cluster.Window(First + 2, quantity: "36000"));
        Assert.Equal("412 precondition-failed", await CloseAsync(december.Id, tag));
        (preview, tag) = await PreviewAsync(december.Id);
        Assert.Equal("0.65", preview.Payable.Amount);
        var key = Guid.CreateVersion7().ToString();
        using var closed = await agreed.SendAsync(HttpMethod.Post, $"periods/{december.Id}/close", new ClosePeriodRequest(), tag, key);
        var bill = (await closed.Content.ReadFromJsonAsync<StatementItem>())!;
        using var again = await agreed.SendAsync(HttpMethod.Post, $"periods/{december.Id}/close", new ClosePeriodRequest(), tag, key);
        Assert.Equal(bill, await again.Content.ReadFromJsonAsync<StatementItem>());
        Assert.Equal("409 period-closed", await CloseAsync(december.Id, tag));
        Assert.Equal(($"S-{drafted.Contract.Number}-2026-12", "bill", "0.65"), (bill.Number, bill.Kind, bill.Payable.Amount));

        // The statement is the preview, to the byte, and its digest is that of its bytes.
        var bytes = await BytesAsync(bill);
        Assert.Equal(preview.Statement.GetRawText(), System.Text.Encoding.UTF8.GetString(bytes));

        // Later: an hour that had not come, and one that was too high. Neither changes what was billed; both are booked in January.
        await SendAsync(cluster, cluster.Window(First + 3, quantity: "720000"), cluster.Window(First + 2, revision: 2, quantity: "0"), cluster.Window(UsageWindow.HourOf(Agreed.At("2027-01-03T00:00:00Z")), quantity: "3600"));
        Assert.Equal(bytes, await BytesAsync(bill));
        await agreed.MadeAsync<AdjustmentItem>("adjustments", new CreateAdjustmentRequest(contract, "-1.50", "Outage of 5 January", "As promised by phone", bill.Id));
        using (var odd = await agreed.SendAsync(HttpMethod.Post, "adjustments", new CreateAdjustmentRequest(contract, "1.505", "x", "y", contract)))
        {
            Assert.Equal("422 invalid /amount:too-precise /statementId:unknown-statement", await Agreed.ProblemAsync(odd));
        }

        using (var vast = await agreed.SendAsync(HttpMethod.Post, "adjustments", new CreateAdjustmentRequest(contract, "999999999999999.99", "x", "y")))
        {
            Assert.Equal("422 invalid /amount:too-large", await Agreed.ProblemAsync(vast));
        }

        await ToAsync(cluster, "2027-02-05T00:20:00Z");
        var january = await PeriodAsync(contract, "2027-01");
        (preview, tag) = await PreviewAsync(january.Id);
        Assert.Equal((1L, true), preview.Checks.Where(check => check.Code == "lowered-hours").Select(check => (check.Count, check.Detail.EndsWith("1 in 2026-12.", StringComparison.Ordinal))).Single());
        Assert.Equal("422 invalid /waive:not-waivable", await CloseAsync(january.Id, tag, new ClosePeriodRequest(["grace"], "It is over")));
        Assert.Equal([("2026-12", "9.50")], preview.Restated.Select(one => (one.Name, one.Difference.Amount)));
        Assert.Equal(("8.05", "0.65"), (preview.Payable.Amount, preview.Before!.Amount));
        var next = await ClosedAsync(january.Id, tag);
        var lines = (await agreed.GetAsync<Page<StatementLineItem>>($"statements/{next.Id}/lines")).Items;
        Assert.Equal([("line", "0.05", (string?)null), ("correction", "9.50", bill.Number), ("adjustment", "-1.50", lines[2].Reference)], lines.Select(line => (line.Part, line.Amount.Amount, line.Reference)));
        Assert.Equal(Agreed.At("2026-12-01T00:00:00Z"), lines[1].From);
        var notes = (await agreed.GetAsync<Page<AdjustmentItem>>($"adjustments?contract={contract}")).Items;
        Assert.Equal([("debit-note", "restatement", "9.50"), ("credit-note", "decided", "-1.50")], notes.Select(note => (note.Kind, note.Cause, note.Amount.Amount)));
        Assert.All(notes, note => Assert.Equal(next.Id, note.StatementId));
        Assert.Equal("10.15", (await agreed.GetAsync<StatementItem>($"statements/{notes[0].RestatedStatementId}")).Payable.Amount);

        // Nothing new: nothing is corrected again. Then all of it is taken back: a credit note, and over all time what it comes to by now.
        await ToAsync(cluster, "2027-03-05T00:20:00Z");
        var february = await PeriodAsync(contract, "2027-02");
        Assert.Empty((await PreviewAsync(february.Id)).Preview.Restated);
        await SendAsync(cluster, cluster.Window(First + 3, revision: 2, quantity: "0"), cluster.Window(First, revision: 2, quantity: "0"), cluster.Window(First + 1, revision: 2, quantity: "0"));
        (preview, tag) = await PreviewAsync(february.Id);
        Assert.Equal("-10.15", preview.Payable.Amount);
        // Of several who close at once one does; all others are told that it is done.
        var closers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => agreed.SendAsync(HttpMethod.Post, $"periods/{february.Id}/close", new ClosePeriodRequest(), tag)));
        var third = (await Assert.Single(closers, answer => answer.IsSuccessStatusCode).Content.ReadFromJsonAsync<StatementItem>())!;
        Assert.All(closers.Where(answer => !answer.IsSuccessStatusCode), answer => Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.Conflict, HttpStatusCode.PreconditionFailed }));
        Array.ForEach(closers, answer => answer.Dispose());
        Assert.Equal(["credit-note"], (await agreed.GetAsync<Page<AdjustmentItem>>($"adjustments?statement={third.Id}")).Items.Select(note => note.Kind));

        // From a line to the cells, the window and the signed document.
        var sources = (await agreed.GetAsync<Page<LineSourceItem>>($"statements/{bill.Id}/lines/1/sources?limit=2")).Items;
        Assert.Equal(["7200", "3601"], sources.Select(source => source.Quantity));
        var window = await agreed.GetAsync<UsageWindowDetail>($"windows/{cluster.Id}/{UsageWindow.Text(sources[0].Window)}");
        Assert.Contains(window.Documents, document => document.Sha256 == sources[0].Sha256 && document.Signature is not null);
        Assert.Equal(["36000"], (await agreed.GetAsync<Page<LineSourceItem>>($"statements/{bill.Id}/lines/1/sources?limit=2&cursor={await CursorAsync(bill)}")).Items.Select(source => source.Quantity));

        // All of it stands in the feed, and the customer reads its own, as nobody else does.
        var kinds = (await agreed.GetAsync<ChangeFeed>($"changes?customer={agreed.Customer}&limit=500")).Items.Select(item => item.Kind).ToList();
        Assert.Equal((3, 5, 4), (kinds.Count(kind => kind == "period.closed"), kinds.Count(kind => kind == "statement.created"), kinds.Count(kind => kind == "adjustment.changed")));
        Assert.Equal(bytes, await agreed.Own.GetByteArrayAsync(new Uri($"{Agreed.Base}/statements/{bill.Id}/content", UriKind.Relative)));
        foreach (var path in new[] { $"statements/{bill.Id}/content", $"statements/{bill.Id}/lines", $"statements/{bill.Id}/lines/1/sources", $"periods/{december.Id}/preview", $"adjustments/{notes[0].Id}" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await agreed.Stranger.GetAsync(new Uri($"{Agreed.Base}/{path}", UriKind.Relative))).StatusCode);
        }

        Assert.Empty((await agreed.GetAsync<Page<StatementItem>>("statements", agreed.Stranger)).Items);
    }

    private async Task ToAsync(TestCluster cluster, string instant)
    {
        agreed.Time.Advance(Agreed.At(instant) - agreed.Time.GetUtcNow());
        await cluster.AuthorizeAsync();
    }

    private static async Task SendAsync(TestCluster cluster, params UsageWindow[] windows)
    {
        await cluster.CheckInAsync([.. windows.Select(window => cluster.Usage(window))]);
        var receipt = await cluster.ReceiptAsync(receipt => windows.All(window => receipt.Results.Any(result => result.Window == window.Window && result.Revision == window.Revision)));
        Assert.All(receipt.Results, result => Assert.Equal("accepted", result.Verdict));
    }

    private async Task<PeriodItem> PeriodAsync(Guid contract, string name)
    {
        PeriodItem? found = null;
        await Eventually.TrueAsync(async () => (found = (await agreed.GetAsync<Page<PeriodItem>>($"periods?contract={contract}")).Items.FirstOrDefault(period => period.Name == name)) is not null, $"there is a period {name}");
        return found!;
    }

    private async Task<(PeriodPreview Preview, string Tag)> PreviewAsync(Guid period)
    {
        using var answer = await agreed.SendAsync(HttpMethod.Get, $"periods/{period}/preview", key: null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return ((await answer.Content.ReadFromJsonAsync<PeriodPreview>())!, answer.Headers.ETag!.ToString());
    }

    private async Task<string> CloseAsync(Guid period, string? tag, ClosePeriodRequest? request = null, string? key = "")
    {
        using var answer = await agreed.SendAsync(HttpMethod.Post, $"periods/{period}/close", request ?? new ClosePeriodRequest(), tag, key);
        return await Agreed.ProblemAsync(answer);
    }

    private async Task<StatementItem> ClosedAsync(Guid period, string tag)
    {
        using var answer = await agreed.SendAsync(HttpMethod.Post, $"periods/{period}/close", new ClosePeriodRequest(), tag);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<StatementItem>())!;
    }

    private async Task<byte[]> BytesAsync(StatementItem statement)
    {
        using var answer = await agreed.SendAsync(HttpMethod.Get, $"statements/{statement.Id}/content", key: null);
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}", statement.ContentSha256);
        Assert.Equal($"\"{statement.ContentSha256}\"", answer.Headers.ETag!.ToString());
        return bytes;
    }

    private async Task<string> CursorAsync(StatementItem statement)
    {
        var page = await agreed.GetAsync<Page<LineSourceItem>>($"statements/{statement.Id}/lines/1/sources?limit=2");
        return page.Next!.Split("cursor=")[1].Split('&')[0];
    }
}
