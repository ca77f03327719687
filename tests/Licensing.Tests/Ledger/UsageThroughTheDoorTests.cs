using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

/// <summary>From a signed window at the door to the number that billing reads, and the receipt that goes back.</summary>
public sealed class UsageThroughTheDoorTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 3, 10, 0, 20, 0, TimeSpan.Zero));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time);

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_window_is_acknowledged_counted_and_receipted()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _ = cluster;
        var hour = await PassAsync(cluster, 3);

        var answer = await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour, quantity: "7200")), cluster.Usage(cluster.Window(hour + 1, quantity: "1800")));
        var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Count == 2);
        var report = await UsageAsync($"customer={customer}&from={Text(hour)}&to={Text(hour + 3)}");

        Assert.Empty(answer.Refusals);
        Assert.Equal(2, answer.Ack);
        Assert.All(receipt.Results, result => Assert.Equal("accepted", result.Verdict));
        Assert.Equal(Text(hour + 2), receipt.CompleteThrough);
        Assert.Empty(receipt.Gaps);
        var series = Assert.Single(report.Series);
        Assert.Equal(["7200", "1800", null], series.Values);
        Assert.Equal("9000", series.Total);
        Assert.Equal(2, report.Completeness.ReceivedHours);
        var counted = await host.Admin.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?cluster={cluster.Id}&limit=1&count=exact");
        Assert.Equal((1, 2), (counted!.Items.Count, counted.Total));
        foreach (var large in new[] { "count=exact", $"cluster={cluster.Id}&count=all", $"cluster={cluster.Id}&state=missing&count=exact" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await host.Admin.GetAsync(new Uri($"/api/v1/licensing/windows?{large}", UriKind.Relative))).StatusCode);
        }
    }

    [Fact]
    public async Task A_report_agrees_with_itself_while_windows_come_in()
    {
        const int Hours = 30;
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, Hours + 1);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Hours; i++)
            {
                await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour + i, quantity: "1")));
            }
        }, TestContext.Current.CancellationToken);
        long received = 0;
        while (received < Hours)
        {
            var report = await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + Hours)}");
            received = report.Completeness.ReceivedHours;
            Assert.Equal($"{received}", report.Series.SingleOrDefault()?.Total ?? "0");
            Assert.False(sending.IsFaulted, $"{sending.Exception}");
        }

        await sending;
    }

    [Fact]
    public async Task Every_verdict_is_told_and_only_the_highest_revision_counts()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _ = cluster;
        var hour = await PassAsync(cluster, 4);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var second = cluster.Window(hour, revision: 2, quantity: "20");

        await cluster.CheckInAsync(
            cluster.Usage(second), cluster.Usage(second), cluster.Usage(cluster.Window(hour, revision: 1, quantity: "10")), cluster.Usage(cluster.Window(hour, revision: 2, quantity: "21")),
            cluster.Usage(cluster.Window(hour + 1, meter: "teapots", quantity: "3")), cluster.Usage(cluster.Window(hour + 2, quantity: "1.5")));
        var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Count == 6);
        var report = await UsageAsync($"customer={customer}&from={Text(hour)}&to={Text(hour + 4)}");
        var disputed = await host.Admin.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?cluster={cluster.Id}&state=disputed");

        Assert.Equal(
            [("accepted", null), ("conflict", "revision-conflict"), ("duplicate", null), ("parked", "unknown-meter"), ("rejected", "quantity-out-of-scale"), ("superseded", null)],
            receipt.Results.Select(result => (result.Verdict, result.Problem)).Order());
        Assert.Equal(["20", "0", null, null], Assert.Single(report.Series).Values);
        Assert.Equal(new UsageCompleteness(2, 0, 0, 1, 1), report.Completeness);
        Assert.Equal(Text(hour), UsageWindow.Text(Assert.Single(disputed!.Items).From));
    }

    [Fact]
    public async Task A_dispute_ends_by_a_higher_revision_or_by_a_person()
    {
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 3);
        await cluster.CheckInAsync(
            cluster.Usage(cluster.Window(hour, quantity: "1")), cluster.Usage(cluster.Window(hour, quantity: "2")),
            cluster.Usage(cluster.Window(hour + 1, quantity: "3")), cluster.Usage(cluster.Window(hour + 1, quantity: "4")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count(result => result.Verdict == "conflict") == 2);
        var detail = await host.Admin.GetFromJsonAsync<UsageWindowDetail>($"/api/v1/licensing/windows/{cluster.Id}/{Text(hour)}");

        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour + 1, revision: 2, quantity: "5")));
        using var dismissed = await host.Admin.PostAsJsonAsync(
            $"/api/v1/licensing/windows/{cluster.Id}/{Text(hour)}/dismiss", new DismissDocumentRequest(detail!.Documents.Single(document => document.Verdict == "conflict").Sha256, "the copy was a test machine"));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 5);

        Assert.Equal(("disputed", "1"), (detail.State, Assert.Single(detail.Cells).Quantity));
        Assert.Equal(HttpStatusCode.NoContent, dismissed.StatusCode);
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?cluster={cluster.Id}&state=disputed"))!.Items);
        var report = await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}");
        Assert.Equal(["1", "5"], Assert.Single(report.Series).Values);
    }

    [Fact]
    public async Task A_stored_document_can_be_verified_by_anybody_who_has_the_clusters_key()
    {
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 2);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour)));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 1);

        var document = Assert.Single((await host.Admin.GetFromJsonAsync<UsageWindowDetail>($"/api/v1/licensing/windows/{cluster.Id}/{Text(hour)}"))!.Documents);
        var payload = Convert.FromBase64String(document.Payload!);
        var signed = Encoding.UTF8.GetBytes($"DSSEv1 {UsageWindow.PayloadType.Length} {UsageWindow.PayloadType} {payload.Length} ").Concat(payload).ToArray();

        Assert.True(cluster.Key.VerifyData(signed, Convert.FromBase64String(document.Signature!), HashAlgorithmName.SHA256));
        Assert.Equal(document.Sha256, UsageWindow.Digest(payload));
    }

    [Fact]
    public async Task Parked_quantities_count_from_the_day_their_meter_is_defined()
    {
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 3);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour, meter: "kettles", quantity: "2.25")), cluster.Usage(cluster.Window(hour + 1, meter: "kettles", quantity: "2.255")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count(result => result.Verdict == "parked") == 2);

        using var defined = await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("kettles", 1, "kettle", 2, "sum"));
        using var again = await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("kettles", 1, "kettle", 3, "sum"));
        UsageReport? report = null;
        await Eventually.TrueAsync(async () => (report = await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}")).Series.Count == 1, "the parked quantity counts");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict), (defined.StatusCode, again.StatusCode));
        Assert.Equal(["2.25", "0.00"], report!.Series[0].Values);
        Assert.Equal(1, report.Completeness.ParkedHours);
    }

    [Fact]
    public async Task Missing_hours_are_named_to_the_vendor_and_to_the_cluster()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _ = cluster;
        var hour = await PassAsync(cluster, 10);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour)), cluster.Usage(cluster.Window(hour + 3)));

        var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Count == 2);
        var missing = (await host.Admin.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?customer={customer}&state=missing"))!.Items;
        var report = await UsageAsync($"customer={customer}&from={Text(hour)}&to={Text(hour + 10)}&granularity=day");

        Assert.Equal([new WindowGap(Text(hour + 1), Text(hour + 3))], receipt.Gaps);
        Assert.Equal(Text(hour + 1), receipt.CompleteThrough);
        Assert.Equal([(Text(hour + 1), Text(hour + 3)), (Text(hour + 4), Text(hour + 8))], missing.Select(item => (UsageWindow.Text(item.From), UsageWindow.Text(item.To))));
        Assert.Equal(6, report.Completeness.MissingHours);
        Assert.Equal(UsageWindow.StartOf(hour + 1), report.CompleteThrough);
    }

    [Theory]
    [InlineData("foreign-key", "key-unknown", false)]
    [InlineData("foreign-signature", "signature-invalid", true)]
    [InlineData("other-cluster", "window-of-another-cluster", true)]
    [InlineData("next-epoch", "window-epoch-unknown", false)]
    [InlineData("future", "window-in-future", false)]
    [InlineData("half-hour", "window-misaligned", true)]
    [InlineData("garbage", "window-malformed", true)]
    public async Task What_can_be_seen_at_the_door_is_refused_at_the_door(string fault, string code, bool final)
    {
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 2);
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = cluster.Window(hour);
        var item = fault switch
        {
            "foreign-key" => cluster.Usage(good, key: foreign),
            "foreign-signature" => WithSignatureOf(cluster.Usage(good), cluster.Usage(cluster.Window(hour + 1))),
            "other-cluster" => cluster.Usage(good with { Cluster = Guid.CreateVersion7().ToString("D") }),
            "next-epoch" => cluster.Usage(good with { Epoch = 2 }),
            "future" => cluster.Usage(cluster.Window(hour + 2)),
            "half-hour" => cluster.Usage(good with { Window = Text(hour).Replace("00:00Z", "30:00Z", StringComparison.Ordinal) }),
            _ => cluster.Usage("{"u8.ToArray()),
        };

        var refusal = Assert.Single((await cluster.CheckInAsync(item)).Refusals);

        Assert.Equal((code, final), (refusal.Code, refusal.Final));
    }

    private static Item WithSignatureOf(Item item, Item other)
    {
        var envelope = JsonNode.Parse(item.Body.Span)!;
        envelope["signatures"] = JsonNode.Parse(other.Body.Span)!["signatures"]!.DeepClone();
        return new Item(item) { Body = ByteString.CopyFromUtf8(envelope.ToJsonString()) };
    }

    [Fact]
    public async Task A_customer_sees_only_its_own_usage()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _ = cluster;
        var hour = await PassAsync(cluster, 2);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour)));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 1);
        var other = await host.CreateCustomerAsync("Other");
        var (own, _) = await host.ClientWithTokenAsync(customer, "licensing:read");
        var (stranger, _) = await host.ClientWithTokenAsync(other.Id, "licensing:read");
        using var _1 = own;
        using var _2 = stranger;
        var path = $"/api/v1/licensing/usage?customer={customer}&from={Text(hour)}&to={Text(hour + 1)}";

        Assert.Single((await own.GetFromJsonAsync<UsageReport>(path))!.Series);
        Assert.Empty((await stranger.GetFromJsonAsync<UsageReport>(path))!.Series);
        Assert.Empty((await stranger.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?cluster={cluster.Id}"))!.Items);
        using var detail = await stranger.GetAsync(new Uri($"/api/v1/licensing/windows/{cluster.Id}/{Text(hour)}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, detail.StatusCode);
    }

    [Fact]
    public async Task While_a_clone_is_suspected_usage_waits_and_counts_once_the_true_sender_is_named()
    {
        var (_, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 3);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour, quantity: "1")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 1);
        var used = cluster.Next();
        await cluster.CheckInAsync(cluster.Event("a", used));
        using var clone = await cluster.SendAsync("checkin", cluster.Request(cluster.Event("b", used)));
        await Eventually.TrueAsync(
            async () => (await host.Admin.GetStringAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).Contains("\"cloneSuspected\":true", StringComparison.Ordinal), "the suspicion is known");

        await Eventually.TrueAsync(async () =>
        {
            await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour + 1, revision: cluster.Next(), quantity: "2")));
            return await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}") is { WaitingWindows: > 0 };
        }, "a window waits");
        using var confirmed = await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/epochs/1/confirm", new { reason = "the other one was a test" });

        Assert.Equal(HttpStatusCode.Conflict, clone.StatusCode);
        confirmed.EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () => (await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}")) is { WaitingWindows: 0, Series: [{ Total: "3" }] }, "the window counts");
    }

    [Fact]
    public async Task Of_two_that_waited_and_contradict_each_other_the_one_that_was_sent_first_counts()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 3);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour, quantity: "1")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 1);

        // By their digests they would be judged the other way round.
        var pair = new[] { "6", "7" }.Select(quantity => (Quantity: quantity, Item: cluster.Usage(cluster.Window(hour + 1, quantity: quantity)))).OrderByDescending(one => UsageWindow.Digest(one.Item.Body.Span), StringComparer.Ordinal).ToList();
        await using (var scope = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.CreateAsyncScope(host.Services))
        {
            var db = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<Platform.Data.ControlPlaneDbContext>(scope.ServiceProvider);
            var now = host.Time.GetUtcNow();
            db.AddRange(pair.Select((one, i) => new Licensing.Ledger.WaitingWindow
            {
                ClusterId = Guid.Parse(cluster.Id), CustomerId = customer, Sha256 = UsageWindow.Digest(one.Item.Body.Span), Epoch = cluster.Epoch, Seq = 1000 + i,
                Reason = Licensing.Ledger.WaitingWindow.ClusterUnknown, Due = true, ReceivedAt = now, Body = one.Item.Body.ToByteArray(),
            }));
            await db.SaveChangesAsync();
        }

        var total = (1 + int.Parse(pair[0].Quantity, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture);
        await Eventually.TrueAsync(
            async () => await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}") is { Completeness.DisputedHours: 1, Series: [{ Total: var counted }] } && counted == total, "the first one counts, and the hour is disputed");
    }

    // On servers another replica may look for what waits a moment before it is stored: nothing is told of the cluster again.
    [Fact]
    public async Task A_window_that_waits_for_a_cluster_that_is_known_by_now_counts_without_news_of_it()
    {
        var (customer, cluster) = await EnrollAsync();
        using var _1 = cluster;
        var hour = await PassAsync(cluster, 3);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour, quantity: "1")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 1);
        var late = cluster.Usage(cluster.Window(hour + 1, quantity: "4"));
        await using (var scope = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.CreateAsyncScope(host.Services))
        {
            var db = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<Platform.Data.ControlPlaneDbContext>(scope.ServiceProvider);
            db.Add(new Licensing.Ledger.WaitingWindow
            {
                ClusterId = Guid.Parse(cluster.Id), CustomerId = customer, Sha256 = UsageWindow.Digest(late.Body.Span), Epoch = cluster.Epoch, Seq = late.Seq,
                Reason = Licensing.Ledger.WaitingWindow.ClusterUnknown, Due = true, ReceivedAt = host.Time.GetUtcNow(), Body = late.Body.ToByteArray(),
            });
            await db.SaveChangesAsync();
        }

        await Eventually.TrueAsync(async () => (await UsageAsync($"cluster={cluster.Id}&from={Text(hour)}&to={Text(hour + 2)}")).Series is [{ Total: "5" }], "the window counts");
    }

    private async Task<(Guid Customer, TestCluster Cluster)> EnrollAsync()
    {
        var customer = await host.CreateCustomerAsync();
        return (customer.Id, await TestCluster.EnrollAsync(host, customer.Id));
    }

    /// <summary>Lets hours pass after enrolment; returns the first whole hour, and leaves all of them ended.</summary>
    private async Task<int> PassAsync(TestCluster cluster, int hours)
    {
        var first = UsageWindow.HourOf(time.GetUtcNow()) + 1;
        time.Advance(TimeSpan.FromHours(hours));
        await cluster.AuthorizeAsync();
        return first;
    }

    private async Task<UsageReport> UsageAsync(string query) => (await host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?{query}"))!;

    private static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
