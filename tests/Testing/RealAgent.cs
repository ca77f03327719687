using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.ClusterAgent.Log;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Testing;

/// <summary>The agent that customers run, over a directory of its own; only its machine is made up, and the way to the host can be disturbed.</summary>
public sealed class RealAgent : IClusterSource, IDisposable
{
    private readonly Uri address;
    private readonly TimeProvider time;
    private readonly string directory;
    private readonly bool ownsDirectory;
    private readonly bool witness;
    private readonly HttpClient http;
    private DiskSpool spool = null!;

    /// <summary>One that calls a host in this process.</summary>
    /// <param name="host">The host that it calls.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="directory">Where its files are.</param>
    /// <param name="witness">It cosigns audit logs.</param>
    public RealAgent(ControlPlane host, TimeProvider? time = null, string? directory = null, bool witness = false)
        : this((host ?? throw new ArgumentNullException(nameof(host))).CallHome, host.CaFile, time, directory, witness)
    {
    }

    /// <summary>Over a new directory, or one that another left behind.</summary>
    /// <param name="address">Where it calls.</param>
    /// <param name="caFile">Whose certificates it believes there.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="directory">Where its files are.</param>
    /// <param name="witness">It cosigns audit logs.</param>
    public RealAgent(Uri address, string caFile, TimeProvider? time = null, string? directory = null, bool witness = false)
    {
        (this.address, this.witness) = (address, witness);
        this.time = time ?? TimeProvider.System;
        ownsDirectory = directory is null;
        this.directory = directory ?? System.IO.Directory.CreateTempSubdirectory("mc-agent-").FullName;
        Way = new Wire(Transport.Handler(caFile, null));
        http = new HttpClient(Way) { BaseAddress = address };
        Start();
    }

    /// <summary>The agent.</summary>
    public Agent Agent { get; private set; } = null!;

    /// <summary>Its identity.</summary>
    public FileIdentity Identity { get; private set; } = null!;

    /// <summary>Its cluster's own log; null: it keeps none, as agents of before.</summary>
    public CounterLog? Log { get; private set; }

    /// <summary>Holds its licence.</summary>
    public LicenseKeeper License { get; private set; } = null!;

    /// <summary>Where its files are.</summary>
    public string Directory => directory;

    /// <summary>The kinds of events that it was told of itself.</summary>
    public ConcurrentQueue<string> Told { get; } = new();

    /// <summary>The way to the host.</summary>
    public Wire Way { get; }

    /// <summary>Its cluster.</summary>
    public Guid Id => Identity.Enrollment!.ClusterId;

    /// <summary>Id of the key that it signs by.</summary>
    public string KeyId => KeyIds.Of(Identity.Key.ExportSubjectPublicKeyInfo());

    /// <inheritdoc />
    public IReadOnlyList<Happened> Events => [];

    /// <summary>Enrols one with a token made for a customer.</summary>
    public static async Task<RealAgent> EnrollAsync(ControlPlane host, Guid customer, TimeProvider? time = null, bool witness = false)
    {
        ArgumentNullException.ThrowIfNull(host);
        var agent = new RealAgent(host, time, witness: witness);
        await agent.EnrollAsync(await host.CreateEnrollmentTokenAsync(customer));
        return agent;
    }

    /// <summary>Enrols with a token.</summary>
    public Task EnrollAsync(CreatedEnrollmentToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return new Enroller(Identity, this, new CallHomeClient(http, Identity, time), Log).EnrollAsync(address, token.Token, token.AnchorsSha256, trustFirstContact: false, CancellationToken.None);
    }

    /// <summary>Checks in once.</summary>
    public Task<CheckInResult> CheckInAsync() => Agent.CheckInAsync(CancellationToken.None);

    /// <summary>Checks in until something holds.</summary>
    public Task CheckInUntilAsync(Func<Task<bool>> holds, string what) => Eventually.TrueAsync(async () =>
    {
        await CheckInAsync();
        return await holds();
    }, what);

    /// <summary>Ends as a killed process does and starts anew: only its files are left.</summary>
    public void Restart()
    {
        End();
        Start();
    }

    /// <inheritdoc />
    public Facts Facts() => new() { Name = "Trondheim", AgentVersion = "test", ProductVersion = "1.0.0", InstallFingerprint = Google.Protobuf.ByteString.CopyFromUtf8(directory) };

    /// <inheritdoc />
    public Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Inventory Inventory() => new() { ProductVersion = "1.0.0", AgentVersion = "test", Nodes = { new Node { Id = "n1", Role = "server" } } };

    /// <inheritdoc />
    public Health Health(int intervalSeconds, TimeSpan? clockOffset) => new() { IntervalS = intervalSeconds, ExpectedNodes = 1, Nodes = { new NodeHealth { Id = "n1", Role = "server", State = "running" } } };

    /// <inheritdoc />
    public void Tell(string kind, string severity, string text) => Told.Enqueue(kind);

    /// <inheritdoc />
    public void EventsKept()
    {
    }

    /// <inheritdoc />
    public void Dispose()
    {
        End();
        http.Dispose();
        if (ownsDirectory)
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
    }

    private void Start()
    {
        Identity = new FileIdentity(directory);
        spool = new DiskSpool(Path.Combine(directory, "spool"));
        Log = witness ? new CounterLog(Identity, directory) : null;
        License = new LicenseKeeper(directory, Identity, time);
        Agent = new Agent(Identity, spool, this, new CallHomeClient(http, Identity, time), time, new Random(1), seen: witness ? new WitnessBook(directory) : null, log: Log, license: License);
    }

    private void End()
    {
        spool.Dispose();
        Identity.Dispose();
    }

    /// <summary>A way that sees what is sent, refuses and loses what a test wants refused and lost.</summary>
    /// <param name="inner">The way itself.</param>
    public sealed class Wire(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly ConcurrentDictionary<string, int> asked = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, int> items = new(StringComparer.Ordinal);

        /// <summary>Routes that are answered 503 before they reach the host.</summary>
        public ConcurrentDictionary<string, TimeSpan?> Unavailable { get; } = new(StringComparer.Ordinal);

        /// <summary>Routes of which the next good answer is lost on its way back.</summary>
        public ConcurrentDictionary<string, bool> LosesAnswer { get; } = new(StringComparer.Ordinal);

        /// <summary>How often a route was asked.</summary>
        public int Asked(string route) => asked.GetValueOrDefault(route);

        /// <summary>How many items of a type were sent.</summary>
        public int Items(string type) => items.GetValueOrDefault(type);

        /// <inheritdoc />
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            ArgumentNullException.ThrowIfNull(request);
            var route = request.RequestUri!.Segments[^1];
            asked.AddOrUpdate(route, 1, (_, count) => count + 1);
            if (Unavailable.TryGetValue(route, out var retryAfter))
            {
                var refusal = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("""{"code":"overloaded","detail":"Come back later."}""") };
                refusal.Headers.RetryAfter = retryAfter is { } after ? new RetryConditionHeaderValue(after) : null;
                return refusal;
            }

            if (route == "checkin")
            {
                await CountAsync(request, cancellationToken);
            }

            var answer = await base.SendAsync(request, cancellationToken);
            if (answer.IsSuccessStatusCode && LosesAnswer.TryRemove(route, out _))
            {
                answer.Dispose();
                throw new HttpRequestException("The answer was lost.");
            }

            return answer;
        }

        private async Task CountAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await using var body = new MemoryStream(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
            await using var inflated = request.Content.Headers.ContentEncoding.Contains("gzip") ? new GZipStream(body, CompressionMode.Decompress) : (Stream)body;
            foreach (var item in CheckInRequest.Parser.ParseFrom(inflated).Items)
            {
                items.AddOrUpdate(item.Type, 1, (_, count) => count + 1);
            }
        }
    }
}
