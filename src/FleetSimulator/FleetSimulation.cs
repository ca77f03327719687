using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.FleetSimulator;

/// <summary>
/// Many agents in one process. They enrol with tokens like anybody and have no other way in; they share connections, because a process
/// may open only so many files.
/// </summary>
public sealed class FleetSimulation(SimulationOptions options, TimeProvider time) : IDisposable
{
    private const string Prefix = "Demo ";

    /// <summary>So many enrol at once.</summary>
    private const int EnrollingAtOnce = 32;

    /// <summary>In a larger fleet the first check-ins are spread over a minute.</summary>
    private const int SpreadAbove = 1_000;

    // Simulated clusters are heard of all the time; a long backlog of health would only cost memory.
    private const int MostHealth = 60;
    private static readonly string[] Customers = ["Demo Aurora Bank", "Demo Borealis Energy", "Demo Cumulus Retail", "Demo Delta Rail", "Demo Ember Health"];
    private static readonly string[] Places = ["Oslo", "Lisbon", "Vienna", "Osaka", "Lima", "Nairobi", "Toronto", "Perth", "Riga", "Cork", "Quito", "Malmö", "Turin", "Leeds", "Gent", "Brno", "Split", "Tartu", "Basel", "Nantes", "Porto", "Graz", "Bergen", "Aarhus", "Gdańsk"];
    private readonly SocketsHttpHandler handler = Shared(options);
    private readonly Schedule schedule = new(Math.Min(options.Connections, options.Clusters), time);
    private readonly List<IDisposable> owned = [];
    private readonly SemaphoreSlim oneAtATime = new(1);
    private IReadOnlyList<Guid>? customers;
    private HttpClient? door;
    private int enrolled;

    /// <summary>Agents that are enrolled.</summary>
    public int Enrolled => enrolled;

    /// <summary>Enrols what is not enrolled yet and runs all agents until cancelled.</summary>
    /// <exception cref="NotADemoException">There are real customers.</exception>
    public async Task RunAsync(Action<string>? report, CancellationToken cancellationToken)
    {
        using var api = Api();
        var tenants = await CustomersAsync(api, cancellationToken);
        door = Own(new HttpClient(handler, disposeHandler: false) { BaseAddress = options.CallHome });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = schedule.RunAsync(stop.Token);
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, options.Clusters), new ParallelOptions { MaxDegreeOfParallelism = EnrollingAtOnce, CancellationToken = cancellationToken },
                async (i, enrolling) => await BeginAsync(api, i, tenants[i % tenants.Count], enrolling));
            report?.Invoke($"{Enrolled} simulated clusters call home.");
        }
        catch
        {
            await stop.CancelAsync();
            await Task.WhenAny(running);
            throw;
        }

        await running;
    }

    /// <summary>Enrols and runs one real agent on the machine this process runs on.</summary>
    public async Task RunRealAgentAsync(string directory, CancellationToken cancellationToken)
    {
        using var api = Api();
        var tenants = await CustomersAsync(api, cancellationToken);
        using var spool = new DiskSpool(Path.Combine(directory, "spool"));
        using var machine = new LocalCluster("This machine", new LinuxMachine(time), new CertificateFiles([]), null, Masking.In(directory, new PrivacySettings()), time);
        using var http = new HttpClient(handler, disposeHandler: false) { BaseAddress = options.CallHome };
        var identity = Identity("this-machine");
        var client = new CallHomeClient(http, identity, time);
        var agent = new Agent(identity, spool, machine, client, time, new Random(options.Seed), reserve: new DiskReserve(directory));
        await EnrollAsync(api, identity, new Enroller(identity, machine, client), tenants[0], cancellationToken);
        await agent.RunAsync(null, cancellationToken);
    }

    /// <summary>The name of a simulated cluster, by its place in the fleet from 0.</summary>
    public static string NameOf(int index) => index < Places.Length ? Places[index] : $"{Places[index % Places.Length]} {index / Places.Length}";

    /// <inheritdoc />
    public void Dispose()
    {
        owned.ForEach(thing => thing.Dispose());
        oneAtATime.Dispose();
        schedule.Dispose();
        handler.Dispose();
    }

    private async Task BeginAsync(HttpClient api, int i, Guid customer, CancellationToken cancellationToken)
    {
        var mood = (Mood)(i % 6 == 5 ? 5 : i % 12 < 5 ? i % 12 : 0);
        var name = NameOf(i);
        var random = new Random(options.Seed + i);
        var clock = options.Faults.ClockSkewSeconds == 0 ? time : new SkewedTime(time, TimeSpan.FromSeconds(((random.NextDouble() * 2) - 1) * options.Faults.ClockSkewSeconds));
        var source = new SimulatedCluster(name, mood, options.Seed + i, clock);
        var slot = $"cluster-{i}";
        var identity = Identity(slot);

        // Each draws from a sequence of its own: how often an agent waited must not decide which of its requests get lost.
        var http = Way(new Random(random.Next()));
        var agent = Agent(identity, Spool(slot), Store(slot), source, http, clock, mood, random, isCopied: i < options.Faults.Clones);
        var isNew = identity.Enrollment is null;
        await EnrollAsync(api, identity, new Enroller(identity, source, new CallHomeClient(http, identity, clock)), customer, cancellationToken);
        if (isNew && i < DemoLicenses.Count)
        {
            // Beside the fleet: whether it calls home does not hang on licences.
            _ = LicenseAsync(api, i, customer, identity.Enrollment!.ClusterId, cancellationToken);
        }

        agent.CatchUp(options.HistoryHours, clock.GetUtcNow());
        schedule.Add(agent, options.Clusters > SpreadAbove ? TimeSpan.FromSeconds(60 * random.NextDouble()) : TimeSpan.Zero);
    }

    private SimulatedAgent Agent(IAgentIdentity identity, ISpool spool, IUsageStore store, SimulatedCluster source, HttpClient http, TimeProvider clock, Mood mood, Random random, bool isCopied)
    {
        var usage = Own(new UsageRecorder(store, source, identity, spool));
        var agent = new SimulatedAgent(() => new Agent(identity, spool, source, new CallHomeClient(http, identity, clock), clock, random, usage), usage, mood, options.Faults.Restarts, new Random(random.Next()));
        if (isCopied)
        {
            // The machine is copied once it has spoken: both go on with the same key and the same numbers.
            agent.Stepped = () =>
            {
                var (copy, its) = (Own(new CopiedIdentity(identity)), new Random(random.Next()));
                schedule.Add(Agent(copy, ((MemorySpool)spool).Copy(), new MemoryUsageStore(), source, Way(new Random(its.Next())), clock, mood, its, isCopied: false), TimeSpan.FromSeconds(1));
            };
        }

        return agent;
    }

    private HttpClient Way(Random random)
    {
        if (options.OwnConnections)
        {
            var own = Transport.Handler(options.CaFile, null);
            return Own(new HttpClient(options.Faults.OnTheWay ? new FaultyNetwork(own, isOwn: true, options.Faults, random, time) : own) { BaseAddress = options.CallHome });
        }

        return options.Faults.OnTheWay ? Own(new HttpClient(new FaultyNetwork(handler, isOwn: false, options.Faults, random, time)) { BaseAddress = options.CallHome }) : door!;
    }

    // With identities kept, numbers must be kept too, or a restart would use them twice.
    private ISpool Spool(string slot) => options.StateDirectory is null ? new MemorySpool(MostHealth) : Own(new DiskSpool(Path.Combine(options.StateDirectory, slot, "spool")));

    private IUsageStore Store(string slot) => options.StateDirectory is null ? new MemoryUsageStore() : new DiskUsageStore(Path.Combine(options.StateDirectory, slot, "usage"));

    private IAgentIdentity Identity(string slot) => options.StateDirectory is null ? Own(new MemoryIdentity()) : Own(new FileIdentity(Path.Combine(options.StateDirectory, slot)));

    private T Own<T>(T thing)
        where T : IDisposable
    {
        lock (owned)
        {
            owned.Add(thing);
        }

        return thing;
    }

    private HttpClient Api() => new(handler, disposeHandler: false) { BaseAddress = options.Api, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", options.ApiToken) } };

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

        // The demo has a handful: a second page cannot be its own.
        if (page.Next is not null)
        {
            throw new NotADemoException("one of more than 500");
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

    private async Task EnrollAsync(HttpClient api, IAgentIdentity identity, Enroller enroller, Guid customer, CancellationToken cancellationToken)
    {
        if (identity.Enrollment is null)
        {
            var token = await RetryAsync(async () =>
            {
                using var response = await api.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer), cancellationToken);
                response.EnsureSuccessStatusCode();
                return (await response.Content.ReadFromJsonAsync<CreatedEnrollmentToken>(cancellationToken))!;
            }, cancellationToken);

            // The same token again: a lost answer must not make a second cluster.
            await RetryAsync(async () =>
            {
                await enroller.EnrollAsync(options.CallHome, token.Token, token.AnchorsSha256, false, cancellationToken);
                return true;
            }, cancellationToken);
        }

        Interlocked.Increment(ref enrolled);
    }

    // Licensing hears of a cluster a moment after it is enrolled. A demo without a licence is one all the same.
    private async Task LicenseAsync(HttpClient api, int i, Guid customer, Guid cluster, CancellationToken cancellationToken)
    {
        try
        {
            await RetryAsync(() => DemoLicenses.IssueAsync(api, i, customer, cluster, time.GetUtcNow(), cancellationToken), cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    /// <summary>Tries until the other side is up and its limits allow; a demo starts beside its server.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (true)
        {
            try
            {
                return await act();
            }
            catch (CallHomeException busy) when (busy.Status is 429 or 503)
            {
                await Task.Delay(busy.RetryAfter ?? TimeSpan.FromSeconds(1), time, cancellationToken);
            }
            catch (HttpRequestException busy) when (busy.StatusCode is HttpStatusCode.TooManyRequests)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
            }
            catch (Exception exception) when (exception is HttpRequestException or JsonException && ++failures < 240)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
            }
        }
    }

    private static SocketsHttpHandler Shared(SimulationOptions options)
    {
        var handler = Transport.Handler(options.CaFile, null);
        handler.MaxConnectionsPerServer = options.Connections;
        return handler;
    }

    /// <summary>The identity of a copied machine: the same key, and from now on an enrolment of its own. It keeps that key: a copy that nobody knows of rotates nothing.</summary>
    private sealed class CopiedIdentity(IAgentIdentity original) : IAgentIdentity, IDisposable
    {
        public ECDsa Key { get; } = ECDsa.Create(original.Key.ExportParameters(includePrivateParameters: true));

        public ReadOnlyMemory<byte> WitnessSpki => original.WitnessSpki;

        public byte[] SignAsWitness(ReadOnlySpan<byte> data) => original.SignAsWitness(data);

        public Enrollment? Enrollment { get; set; } = original.Enrollment;

        public ECDsa NextKey() => throw new IOException("A copy keeps its key.");

        public void TakeNextKey() => throw new IOException("A copy keeps its key.");

        public void Dispose() => Key.Dispose();
    }
}
