using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;

namespace MissionControl.FleetSimulator;

/// <summary>What to simulate.</summary>
public sealed record SimulationOptions
{
    /// <summary>Address of the REST API.</summary>
    public required Uri Api { get; init; }

    /// <summary>Address of call-home.</summary>
    public required Uri CallHome { get; init; }

    /// <summary>PEM of the CA of both.</summary>
    public string? CaFile { get; init; }

    /// <summary>API token with licensing:write and callhome:write.</summary>
    public required string ApiToken { get; init; }

    /// <summary>How many clusters.</summary>
    public int Clusters { get; init; } = 25;

    /// <summary>Seed: the same seed gives the same fleet.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Where identities are kept, so that a restart goes on with the same clusters; null: nowhere.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Hours of usage that a new cluster reports at once, as one does that was offline: so that there is something to see.</summary>
    public int HistoryHours { get; init; }

    /// <summary>Connections shared by all clusters.</summary>
    public int Connections { get; init; } = 256;
}

/// <summary>The installation holds customers that are not of the demo.</summary>
public sealed class NotADemoException(string customer) : Exception($"The customer '{customer}' is not of the demo. The demo is refused beside real customers; start without --demo.");

/// <summary>
/// Many agents in one process. They enrol with tokens like anybody and have no other way in; they share connections, because a process
/// may open only so many files.
/// </summary>
public sealed class FleetSimulation(SimulationOptions options, TimeProvider time) : IDisposable
{
    private const string Prefix = "Demo ";
    private static readonly string[] Customers = ["Demo Aurora Bank", "Demo Borealis Energy", "Demo Cumulus Retail", "Demo Delta Rail", "Demo Ember Health"];
    private static readonly string[] Places = ["Oslo", "Lisbon", "Vienna", "Osaka", "Lima", "Nairobi", "Toronto", "Perth", "Riga", "Cork", "Quito", "Malmö", "Turin", "Leeds", "Gent", "Brno", "Split", "Tartu", "Basel", "Nantes", "Porto", "Graz", "Bergen", "Aarhus", "Gdańsk"];
    private readonly SocketsHttpHandler handler = Shared(options);
    private readonly List<IDisposable> owned = [];
    private readonly SemaphoreSlim oneAtATime = new(1);
    private IReadOnlyList<Guid>? customers;

    /// <summary>Agents that are enrolled.</summary>
    public int Enrolled { get; private set; }

    /// <summary>Enrols what is not enrolled yet and runs all agents until cancelled.</summary>
    /// <exception cref="NotADemoException">There are real customers.</exception>
    public async Task RunAsync(Action<string>? report, CancellationToken cancellationToken)
    {
        using var api = new HttpClient(handler, disposeHandler: false) { BaseAddress = options.Api };
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiToken);
        var tenants = await CustomersAsync(api, cancellationToken);
        var running = new List<Task>();
        for (var i = 0; i < options.Clusters; i++)
        {
            var mood = (Mood)(i % 6 == 5 ? 5 : i % 12 < 5 ? i % 12 : 0);
            var name = i < Places.Length ? Places[i] : $"{Places[i % Places.Length]} {i / Places.Length}";
            var source = new SimulatedCluster(name, mood, options.Seed + i, time);
            var spool = Spool($"cluster-{i}");
            var (identity, usage) = Usage($"cluster-{i}", source, spool);
            var agent = await EnrollAsync(api, identity, tenants[i % tenants.Count], source, spool, usage, cancellationToken);
            running.Add(Task.Run(() => RunAgentAsync(agent, usage, mood, cancellationToken), cancellationToken));
        }

        report?.Invoke($"{Enrolled} simulated clusters call home.");
        await Task.WhenAll(running);
    }

    /// <summary>Enrols and runs one real agent on the machine this process runs on.</summary>
    public async Task RunRealAgentAsync(ClusterAgent.Machine.IHealthSource machine, string directory, CancellationToken cancellationToken)
    {
        using var api = new HttpClient(handler, disposeHandler: false) { BaseAddress = options.Api };
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiToken);
        var tenants = await CustomersAsync(api, cancellationToken);
        using var spool = new DiskSpool(Path.Combine(directory, "spool"));
        var agent = await EnrollAsync(api, Identity("this-machine"), tenants[0], machine, spool, null, cancellationToken);
        await agent.RunAsync(null, cancellationToken);
    }

    // With identities kept, numbers must be kept too, or a restart would use them twice.
    private ISpool Spool(string slot)
    {
        if (options.StateDirectory is null)
        {
            return new MemorySpool();
        }

        var spool = new DiskSpool(Path.Combine(options.StateDirectory, slot, "spool"));
        owned.Add(spool);
        return spool;
    }

    private (IAgentIdentity Identity, UsageRecorder Usage) Usage(string slot, SimulatedCluster source, ISpool spool)
    {
        var identity = Identity(slot);
        IUsageStore store = options.StateDirectory is null ? new MemoryUsageStore() : new DiskUsageStore(Path.Combine(options.StateDirectory, slot, "usage"));
        var usage = new UsageRecorder(store, source, identity, spool);
        owned.Add(usage);
        return (identity, usage);
    }

    private IAgentIdentity Identity(string slot)
    {
        IAgentIdentity identity = options.StateDirectory is null ? new MemoryIdentity() : new FileIdentity(Path.Combine(options.StateDirectory, slot));
        owned.Add((IDisposable)identity);
        return identity;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        owned.ForEach(thing => thing.Dispose());
        oneAtATime.Dispose();
        handler.Dispose();
    }

    private async Task<IReadOnlyList<Guid>> CustomersAsync(HttpClient api, CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return customers ??= await FindOrCreateCustomersAsync(api, cancellationToken);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private async Task<IReadOnlyList<Guid>> FindOrCreateCustomersAsync(HttpClient api, CancellationToken cancellationToken)
    {
        var page = await RetryAsync(() => api.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?limit=500", cancellationToken), cancellationToken);
        if (page!.Items.FirstOrDefault(customer => !customer.Name.StartsWith(Prefix, StringComparison.Ordinal)) is { } real)
        {
            throw new NotADemoException(real.Name);
        }

        var ids = new List<Guid>();
        foreach (var name in Customers)
        {
            var known = page.Items.FirstOrDefault(customer => customer.Name == name);
            if (known is null)
            {
                using var response = await api.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest(name, "eu"), cancellationToken);
                response.EnsureSuccessStatusCode();
                known = await response.Content.ReadFromJsonAsync<CustomerItem>(cancellationToken);
            }

            ids.Add(known!.Id);
        }

        return ids;
    }

    private async Task<Agent> EnrollAsync(
        HttpClient api, IAgentIdentity identity, Guid customer, ClusterAgent.Machine.IHealthSource source, ISpool spool, UsageRecorder? usage, CancellationToken cancellationToken)
    {
        var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = options.CallHome };
        owned.Add(http);
        var client = new CallHomeClient(http, identity, time);
        var agent = new Agent(identity, spool, source, client, time, new Random(options.Seed), usage);
        if (identity.Enrollment is null)
        {
            await RetryAsync(async () =>
            {
                using var response = await api.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer), cancellationToken);
                response.EnsureSuccessStatusCode();
                var token = (await response.Content.ReadFromJsonAsync<CreatedEnrollmentToken>(cancellationToken))!;
                await agent.EnrollAsync(options.CallHome, token.Token, token.AnchorsSha256, false, cancellationToken);
                return true;
            }, cancellationToken);
        }

        Enrolled++;
        return agent;
    }

    private async Task RunAgentAsync(Agent agent, UsageRecorder usage, Mood mood, CancellationToken cancellationToken)
    {
        if (options.HistoryHours > 0 && usage.ObservedAt is null)
        {
            var hour = UsageWindow.HourOf(time.GetUtcNow());
            for (var past = hour - options.HistoryHours; past <= hour; past++)
            {
                usage.Observe(UsageWindow.StartOf(past));
            }
        }

        if (mood == Mood.Silent)
        {
            await agent.CheckInAsync(cancellationToken);
            return;
        }

        await agent.RunAsync(null, cancellationToken);
    }

    /// <summary>Tries until the other side is up and its limits allow; a demo starts beside its server.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await act();
            }
            catch (Exception exception) when (attempt < 60 && exception is HttpRequestException or CallHomeException { Status: 429 or 503 } or JsonException)
            {
                var wait = exception is CallHomeException { RetryAfter: { } wish } ? wish : TimeSpan.FromMilliseconds(250);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private static SocketsHttpHandler Shared(SimulationOptions options)
    {
        var handler = Transport.Handler(options.CaFile, null);
        handler.MaxConnectionsPerServer = options.Connections;
        return handler;
    }
}
