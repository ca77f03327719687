using System.Diagnostics;
using System.Security.Cryptography;
using MissionControl.Benchmarks.Load;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Benchmarks.Subject;

/// <summary>The clusters of a stored fleet, made to speak again.</summary>
internal static class StoredClients
{
    private static readonly TimeSpan Renewal = TimeSpan.FromMinutes(7);

    /// <summary>Gets access for the share of the fleet that will have its turn, and what each is to send.</summary>
    public static async Task<IReadOnlyList<CheckInRequests>> AuthorizeAsync(HostProcess host, double share = 1)
    {
        var stored = StoredFleet.ClustersOf(host.Data);
        var requests = new CheckInRequests[(int)Math.Ceiling(stored.Count * Math.Min(1, share))];
        var http = host.Client(host.CallHome);
        await Parallel.ForAsync(0, requests.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
        {
            using var identity = new StoredIdentity(stored[i]) { Enrollment = new Enrollment(host.CallHome, stored[i].Id, 1, "", true, 60, 10) };
            var client = new CallHomeClient(http, identity, TimeProvider.System);
            var bearer = await client.AuthorizeAsync(cancellationToken);
            var hello = await client.CheckInAsync(new CheckInRequest { ClusterId = stored[i].Id.ToString("D"), Epoch = 1, LowestKept = 2, Sections = { CheckInRequests.Understood } }, cancellationToken);
            requests[i] = new CheckInRequests(stored[i].Id, 1, bearer, hello.Desired?.Etag ?? "d0", hello.Ack + 1);
        });
        return requests;
    }

    /// <summary>Gets new access for each in turn, as agents do before a token of ten minutes ends; until cancelled. How many that were.</summary>
    public static async Task<int> KeepAuthorizedAsync(HostProcess host, IReadOnlyList<CheckInRequests> requests, int atOnce, CancellationToken cancellationToken)
    {
        var stored = StoredFleet.ClustersOf(host.Data);
        var http = host.Client(host.CallHome);
        var clock = Stopwatch.StartNew();
        var renewed = 0;
        try
        {
            for (var round = 0; ; round++)
            {
                var begun = clock.Elapsed;
                await Parallel.ForAsync(0, requests.Count, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken }, async (i, token) =>
                {
                    var due = begun + (Renewal * i / requests.Count);
                    while (clock.Elapsed < due)
                    {
                        await Task.Delay(due - clock.Elapsed + TimeSpan.FromMilliseconds(1), token);
                    }

                    using var identity = new StoredIdentity(stored[i]) { Enrollment = new Enrollment(host.CallHome, stored[i].Id, 1, "", true, 60, 10) };
                    requests[i].Renew(await new CallHomeClient(http, identity, TimeProvider.System).AuthorizeAsync(token));
                    Interlocked.Increment(ref renewed);
                });
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return renewed;
        }
    }

    private sealed class StoredIdentity : IAgentIdentity, IDisposable
    {
        public StoredIdentity(StoredFleet.StoredCluster cluster)
        {
            Key = ECDsa.Create();
            Key.ImportPkcs8PrivateKey(cluster.Key, out _);
        }

        public ECDsa Key { get; }

        public Enrollment? Enrollment { get; set; }

        /// <summary>Enrolled without one.</summary>
        public ReadOnlyMemory<byte> WitnessSpki => default;

        public byte[] SignAsWitness(ReadOnlySpan<byte> data) => throw new NotSupportedException("Enrolled without a witness key.");

        public ECDsa NextKey() => throw new NotSupportedException("Stored clients keep their keys.");

        public void TakeNextKey() => throw new NotSupportedException("Stored clients keep their keys.");

        public void Dispose() => Key.Dispose();
    }
}
