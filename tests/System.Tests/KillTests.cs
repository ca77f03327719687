using System.Collections.Concurrent;
using System.Net.Http.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.System.Tests;

public sealed class KillTests
{
    private const int Rounds = 8;
    private const int Senders = 8;

    [Fact]
    public async Task Whatever_was_acknowledged_before_kill_9_is_stored_exactly_once()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var senders = await EnrollAsync(host);
        for (var round = 0; round < Rounds; round++)
        {
            using var load = new CancellationTokenSource();
            var running = senders.Select(sender => sender.SendUntilAsync(load.Token)).ToList();
            var target = senders.Sum(sender => sender.Acknowledged.Count) + 200 + (37 * round);
            await Eventually.TrueAsync(() => senders.Sum(sender => sender.Acknowledged.Count) >= target, "enough was acknowledged in this round");
            await host.KillAsync();
            await load.CancelAsync();
            await Task.WhenAll(running);
            Assert.True(host.Errors.Count == 0, string.Join("\n", host.Errors));
            await host.StartAsync();
        }

        using var admin = host.Client(host.Portal, host.AdminToken);
        foreach (var sender in senders)
        {
            // Delivery goes on after the restart; what is missing then is lost.
            IReadOnlyList<string> stored = [];
            await Eventually.TrueAsync(async () => sender.Acknowledged.Keys.All((stored = await EventsAsync(admin, sender.ClusterId)).ToHashSet().Contains), "every acknowledged event is stored");
            Assert.Equal(stored.Count, stored.Distinct().Count());
            Assert.Empty(stored.Except(sender.Offered.Keys));

            // One window an hour, one data point each: the sum is the number of windows, however often each was offered.
            HashSet<int> hours = [];
            await Eventually.TrueAsync(async () => sender.AcknowledgedHours.Keys.All((hours = await HoursAsync(admin, sender.ClusterId)).Contains), "every acknowledged window is in the ledger");
            Assert.Empty(hours.Except(sender.OfferedHours.Keys));
            Assert.Equal(hours.Count, await DataPointsAsync(admin, sender.ClusterId));
        }
    }

    private static async Task<HashSet<int>> HoursAsync(HttpClient admin, Guid cluster)
    {
        var hours = new List<int>();
        var next = $"/api/v1/licensing/windows?cluster={cluster}&state=received&limit=500";
        while (next is not null)
        {
            var page = (await admin.GetFromJsonAsync<Page<UsageWindowItem>>(next))!;
            hours.AddRange(page.Items.Select(item => UsageWindow.HourOf(item.From)));
            next = page.Next;
        }

        Assert.Equal(hours.Count, hours.Distinct().Count());
        return [.. hours];
    }

    private static async Task<decimal> DataPointsAsync(HttpClient admin, Guid cluster)
    {
        var report = await admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?cluster={cluster}&from=2000-01-01T00:00:00Z&to=2030-01-01T00:00:00Z&granularity=month");
        Assert.Equal(0, report!.Completeness.DisputedHours);
        return decimal.Parse(report.Series.SingleOrDefault()?.Total ?? "0", global::System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task An_agent_whose_machine_was_killed_goes_on_where_it_was()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var admin = host.Client(host.Portal, host.AdminToken);
        var customer = await CustomerAsync(admin);
        var token = await TokenAsync(admin, customer);
        var data = Path.Combine(host.Data, "agent");
        var (enrolled, output) = await AgentAsync(token.Token, "enroll", "--data", data, "--ca", host.CaFile, "--server", host.CallHome.ToString(), "--token-file", "-", "--anchors", token.AnchorsSha256, "--name", "Real", "--output", "json");
        Assert.True(enrolled == 0, output);
        var (wrong, _) = await AgentAsync(token.Token, "enroll", "--data", data + "2", "--ca", host.CaFile, "--server", host.CallHome.ToString(), "--token-file", "-", "--anchors", "sha256:00");
        Assert.Equal(3, wrong);
        var (checkedConnection, said) = await AgentAsync(null, "check-connection", "--data", data, "--ca", host.CaFile);
        Assert.True(checkedConnection == 0, said);

        for (var i = 0; i < 2; i++)
        {
            var before = await ContactAsync(admin);
            using var agent = StartAgent("run", "--data", data, "--ca", host.CaFile);
            await Eventually.TrueAsync(async () => await ContactAsync(admin) is { } contact && (before is null || contact > before), "the agent was heard of");
            var (asked, status) = await AgentAsync(null, "status", "--data", data);
            var (second, inUse) = await AgentAsync(null, "run", "--data", data, "--ca", host.CaFile);
            Assert.True(asked == 0 && status.Contains("epoch 1", StringComparison.Ordinal), status);
            Assert.True(second == 2 && inUse.Contains("Another mc-agent", StringComparison.Ordinal), inUse);
            agent.Kill();
            await agent.WaitForExitAsync();
        }

        var (shown, sent) = await AgentAsync(null, "show-sent", "--data", data, "--bodies");
        Assert.True(shown == 0 && sent.Contains("/callhome/v1/checkin", StringComparison.Ordinal) && sent.Contains("\"health\"", StringComparison.Ordinal), sent);
        Assert.DoesNotContain(token.Token, sent, StringComparison.Ordinal);

        var cluster = Assert.Single((await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items);
        Assert.False(cluster.CloneSuspected);
        Assert.Equal(1, cluster.NodesUp);
    }

    private static async Task<DateTimeOffset?> ContactAsync(HttpClient admin) =>
        (await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items.SingleOrDefault()?.LastContact;

    private static async Task<(int ExitCode, string Output)> AgentAsync(string? input, params string[] arguments)
    {
        using var process = StartAgent(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteLineAsync(input);
        }

        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    private static global::System.Diagnostics.Process StartAgent(params string[] arguments)
    {
        var start = new global::System.Diagnostics.ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc-agent")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return global::System.Diagnostics.Process.Start(start)!;
    }

    private static async Task<IReadOnlyList<string>> EventsAsync(HttpClient admin, Guid cluster)
    {
        var ids = new List<string>();
        var next = $"/api/v1/fleet/clusters/{cluster}/events?limit=500";
        while (next is not null)
        {
            using var response = await admin.GetAsync(new Uri(next, UriKind.Relative));
            if (!response.IsSuccessStatusCode)
            {
                return [];
            }

            var page = (await response.Content.ReadFromJsonAsync<Page<EventItem>>())!;
            ids.AddRange(page.Items.Select(item => item.Id));
            next = page.Next;
        }

        return ids;
    }

    private static async Task<List<Sender>> EnrollAsync(HostProcess host)
    {
        using var admin = host.Client(host.Portal, host.AdminToken);
        var customer = await CustomerAsync(admin);
        var senders = new List<Sender>();
        for (var i = 0; i < Senders; i++)
        {
            var sender = new Sender(host);
            await sender.EnrollAsync((await TokenAsync(admin, customer)).Token);
            senders.Add(sender);
        }

        return senders;
    }

    private static async Task<Guid> CustomerAsync(HttpClient admin)
    {
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Acme", "eu"))).IsSuccessStatusCode, "a customer can be created");
        return (await response!.Content.ReadFromJsonAsync<CustomerItem>())!.Id;
    }

    private static async Task<CreatedEnrollmentToken> TokenAsync(HttpClient admin, Guid customer)
    {
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer))).IsSuccessStatusCode, "a token can be made");
        return (await response!.Content.ReadFromJsonAsync<CreatedEnrollmentToken>())!;
    }

    /// <summary>A cluster that sends events as fast as it is answered and remembers which were acknowledged.</summary>
    private sealed class Sender(HostProcess host)
    {
        private static readonly int Newest = UsageWindow.HourOf(TimeProvider.System.GetUtcNow()) - 1;
        private readonly MemoryIdentity identity = new();
        private readonly SortedDictionary<long, Item> waiting = [];
        private CallHomeClient? client;
        private long next = 1;

        public Guid ClusterId => identity.Enrollment!.ClusterId;

        public ConcurrentDictionary<string, bool> Offered { get; } = new();

        public ConcurrentDictionary<string, bool> Acknowledged { get; } = new();

        public ConcurrentDictionary<int, bool> OfferedHours { get; } = new();

        public ConcurrentDictionary<int, bool> AcknowledgedHours { get; } = new();

        public async Task EnrollAsync(string token)
        {
            client = new CallHomeClient(host.Client(host.CallHome), identity, TimeProvider.System);
            var response = await client.EnrollAsync(token, new Facts { Name = "sender" }, true, CancellationToken.None);
            identity.Enrollment = new Enrollment(host.CallHome, Guid.Parse(response.ClusterId), response.Epoch, "", true, 60, 10);
        }

        private ByteString Window(int hour)
        {
            using var signer = EcdsaSigner.From(identity.Key);
            var start = UsageWindow.StartOf(hour);
            var window = new UsageWindow(
                1, ClusterId.ToString("D"), 1, UsageWindow.Text(start), 3600, 1, UsageWindow.Text(start.AddHours(1)), true, [new UsageCell("data_points", 1, new Dictionary<string, string>(), "1")]);
            return ByteString.CopyFrom(Dsse.Sign(UsageWindow.PayloadType, window.ToBytes(), signer));
        }

        public async Task SendUntilAsync(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                for (var i = waiting.Count; i < 5; i++)
                {
                    if (next % 5 == 0)
                    {
                        var hour = Newest - (int)(next / 5);
                        OfferedHours[hour] = true;
                        waiting[next] = new Item { Seq = next, Type = "usage", AtMs = next, Body = Window(hour) };
                        next++;
                        continue;
                    }

                    var id = $"e{next}";
                    Offered[id] = true;
                    waiting[next] = new Item { Seq = next, Type = "event", AtMs = next, Body = new Event { Id = id, Kind = "test", Severity = "info", Text = "x" }.ToByteString() };
                    next++;
                }

                try
                {
                    var response = await client!.CheckInAsync(new CheckInRequest { ClusterId = ClusterId.ToString(), Epoch = 1, LowestKept = waiting.Keys.First(), Items = { waiting.Values } }, stop);
                    foreach (var seq in waiting.Keys.Where(seq => seq <= response.Ack || response.AcceptedAboveAck.Contains(seq)).ToList())
                    {
                        if (seq % 5 == 0)
                        {
                            AcknowledgedHours[Newest - (int)(seq / 5)] = true;
                        }
                        else
                        {
                            Acknowledged[$"e{seq}"] = true;
                        }

                        waiting.Remove(seq);
                    }
                }
                catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException or CallHomeException { Status: 503 or 401 })
                {
                    // Killed under us: the same items are offered again after the restart.
                }
            }
        }
    }
}
