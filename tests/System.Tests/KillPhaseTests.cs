using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>kill -9 while the host is not yet, or no longer, in full swing: a first start, its migration, its keys, and the drain at the end.</summary>
public sealed class KillPhaseTests
{
    /// <summary>What a first start leaves behind one after the other, and how large it is when the process is killed.</summary>
    [Theory]
    [InlineData("certificates/ca.key.pem", 1)]
    [InlineData("certificates/server.pem", 1)]
    [InlineData("missioncontrol.db", 1)]
    [InlineData("missioncontrol.db-wal", 200_000)]
    [InlineData("keys/user-token.pem", 1)]
    [InlineData("admin.token", 1)]
    public async Task A_first_start_that_was_killed_is_made_good_by_the_next(string file, long bytes)
    {
        await using var host = new HostProcess();
        host.Launch();
        var path = Path.Combine(host.Data, file);
        await Eventually.TrueAsync(() => new FileInfo(path) is { Exists: true } found && found.Length >= bytes, $"{file} has {bytes} bytes");
        await host.KillAsync();

        await host.StartAsync();

        using var admin = host.Client(host.Portal, host.AdminToken);
        await Eventually.TrueAsync(async () => (await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Acme", "eu"))).IsSuccessStatusCode, "the administrator's token opens the API");
        using var door = host.Client(host.CallHome);
        Assert.True((await door.GetAsync(new Uri("/callhome/v1/ping", UriKind.Relative))).IsSuccessStatusCode);
        Assert.Empty(host.Errors);
    }

    [Fact]
    public async Task What_was_acknowledged_before_a_drain_that_was_killed_is_stored()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var identity = new MemoryIdentity();
        var client = await EnrollAsync(host, identity);
        var acknowledged = new ConcurrentDictionary<string, bool>();
        using var stop = new CancellationTokenSource();
        var running = SendAsync(client, identity.Enrollment!.ClusterId, acknowledged, stop.Token);
        await Eventually.TrueAsync(() => acknowledged.Count > 100, "traffic flows");

        host.Terminate();
        await host.KillAsync();
        await stop.CancelAsync();
        await running;
        await host.StartAsync();

        using var admin = host.Client(host.Portal, host.AdminToken);
        HashSet<string> stored = [];
        await Eventually.TrueAsync(async () => acknowledged.Keys.All((stored = await EventsAsync(admin, identity.Enrollment!.ClusterId)).Contains), "every acknowledged event is stored");
    }

    [Fact]
    public async Task What_was_begun_before_a_drain_is_ended_however_long_that_takes_within_its_limit()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var admin = host.Client(host.Portal, host.AdminToken);
        using var slow = SlowBody.Of(new CreateCustomerRequest("Acme", "eu"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/licensing/customers") { Content = slow };
        request.Headers.ExpectContinue = true;
        var answer = admin.SendAsync(request);
        await slow.Asked.WaitAsync(TimeSpan.FromMinutes(1));

        host.Terminate();
        var ended = host.ExitAsync();

        // Longer than a library would let a command live that was told to end.
        await Assert.ThrowsAsync<TimeoutException>(() => ended.WaitAsync(TimeSpan.FromSeconds(3)));
        slow.Finish();
        using var taken = await answer;
        Assert.Equal(HttpStatusCode.Created, taken.StatusCode);
        Assert.Equal(0, await ended);
    }

    /// <summary>Half of a body, and the rest when it is told to.</summary>
    private sealed class SlowBody(byte[] body) : HttpContent
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static SlowBody Of<T>(T value) => new(JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web)) { Headers = { ContentType = new("application/json") } };

        /// <summary>The host has begun to read it.</summary>
        public Task Asked => asked.Task;

        public void Finish() => finish.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(body.AsMemory(..(body.Length / 2)));
            await stream.FlushAsync();
            asked.TrySetResult();
            await finish.Task;
            await stream.WriteAsync(body.AsMemory((body.Length / 2)..));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }

    private static async Task<CallHomeClient> EnrollAsync(HostProcess host, MemoryIdentity identity)
    {
        using var admin = host.Client(host.Portal, host.AdminToken);
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Acme", "eu"))).IsSuccessStatusCode, "a customer can be created");
        var customer = (await response!.Content.ReadFromJsonAsync<CustomerItem>())!;
        await Eventually.TrueAsync(async () => (response = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer.Id))).IsSuccessStatusCode, "a token can be made");
        var token = (await response!.Content.ReadFromJsonAsync<CreatedEnrollmentToken>())!;
        var client = new CallHomeClient(host.Client(host.CallHome), identity, TimeProvider.System);
        var enrolled = await client.EnrollAsync(token.Token, new Facts { Name = "sender" }, true, CancellationToken.None);
        identity.Enrollment = new Enrollment(host.CallHome, Guid.Parse(enrolled.ClusterId), enrolled.Epoch, "", true, 60, 10);
        return client;
    }

    private static async Task SendAsync(CallHomeClient client, Guid cluster, ConcurrentDictionary<string, bool> acknowledged, CancellationToken stop)
    {
        for (var seq = 1L; !stop.IsCancellationRequested;)
        {
            try
            {
                var item = new Item { Seq = seq, Type = "event", AtMs = seq, Body = new Event { Id = $"e{seq}", Kind = "test", Severity = "info", Text = "x" }.ToByteString() };
                var answer = await client.CheckInAsync(new CheckInRequest { ClusterId = cluster.ToString(), Epoch = 1, Items = { item } }, stop);
                Assert.True(answer.Ack >= seq);
                acknowledged[$"e{seq++}"] = true;
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException or CallHomeException { Status: 503 or 401 })
            {
                // Killed under us.
            }
        }
    }

    private static async Task<HashSet<string>> EventsAsync(HttpClient admin, Guid cluster)
    {
        var ids = new HashSet<string>();
        for (var next = $"/api/v1/fleet/clusters/{cluster}/events?limit=500"; next is not null;)
        {
            using var response = await admin.GetAsync(new Uri(next, UriKind.Relative));
            if (!response.IsSuccessStatusCode)
            {
                return [];
            }

            var page = (await response.Content.ReadFromJsonAsync<Page<EventItem>>())!;
            ids.UnionWith(page.Items.Select(item => item.Id));
            next = page.Next!;
        }

        return ids;
    }
}
