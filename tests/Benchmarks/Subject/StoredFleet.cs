using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Microsoft.EntityFrameworkCore.Migrations;
using MissionControl.Benchmarks.Load;
using MissionControl.Protocol.CallHome;
using MissionControl.Storage.Sqlite;

namespace MissionControl.Benchmarks.Subject;

/// <summary>
/// A data directory that holds a fleet, enrolled through the product's doors once and copied for each benchmark. Kept below
/// artifacts/bench until the product's schema changes.
/// </summary>
internal static class StoredFleet
{
    private const string KeysFile = "benchmark-clusters.json";

    /// <summary>A cluster of a stored fleet.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Key">Its private key, PKCS #8.</param>
    internal sealed record StoredCluster(Guid Id, byte[] Key);

    /// <summary>A copy of a data directory with so many clusters; the caller deletes it.</summary>
    public static async Task<string> CopyAsync(int clusters)
    {
        var schema = typeof(SqliteStorage).Assembly.GetTypes().Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id).Max();
        var kept = Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "bench", $"fleet-{clusters}-{schema}");
        if (!File.Exists(Path.Combine(kept, KeysFile)))
        {
            await MakeAsync(kept, clusters);
        }

        var copy = Directory.CreateTempSubdirectory("mc-bench-").FullName;
        using var process = Process.Start("cp", ["-a", kept + "/.", copy]);
        await process.WaitForExitAsync();
        return copy;
    }

    /// <summary>The clusters of a copy.</summary>
    public static IReadOnlyList<StoredCluster> ClustersOf(string data) => JsonSerializer.Deserialize<List<StoredCluster>>(File.ReadAllBytes(Path.Combine(data, KeysFile)))!;

    private static async Task MakeAsync(string kept, int clusters)
    {
        Directory.CreateDirectory(kept);
        await using var host = new HostProcess(kept);
        await host.StartAsync();
        try
        {
            await FillAsync(host, kept, clusters);
        }
        catch
        {
            foreach (var complaint in host.Complaints.Take(5))
            {
                Console.WriteLine("  " + complaint);
            }

            throw;
        }
    }

    private static async Task FillAsync(HostProcess host, string kept, int clusters)
    {
        var fleet = await FleetSeed.EnrollAsync(host, clusters);
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(fleet, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (cluster, cancellationToken) =>
        {
            var health = new Item { Seq = 1, Type = "health", AtMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), Body = Google.Protobuf.ByteString.CopyFrom(Sample.Bytes(cluster.Id)) };
            await cluster.Client.CheckInAsync(new CheckInRequest { ClusterId = cluster.Id.ToString("D"), Epoch = 1, LowestKept = 1, Items = { health } }, cancellationToken);
        });
        Console.WriteLine($"  (each checked in once: {clock.Elapsed.TotalSeconds:0.0} s)");
        using (var database = new Database(host))
        {
            await database.DrainAsync();
        }

        await host.StopAsync();
        await File.WriteAllBytesAsync(Path.Combine(kept, KeysFile), JsonSerializer.SerializeToUtf8Bytes(fleet.Select(cluster => new StoredCluster(cluster.Id, cluster.Identity.Key.ExportPkcs8PrivateKey()))));
    }
}
