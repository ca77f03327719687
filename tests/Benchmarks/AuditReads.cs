using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Text;
using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Benchmarks;

/// <summary>What readers of a log wait for: its verification offline, by the command line that they have, and its tiles.</summary>
internal static class AuditReads
{
    private const int EntrySize = 600;
    private const int Rounds = 3;
    private const int Connections = 8;

    public static async Task VerifyAsync(Verdict verdict, int entries)
    {
        var directory = Directory.CreateTempSubdirectory("mc-bench-");
        try
        {
            var (log, policy) = (Path.Combine(directory.FullName, "log"), Path.Combine(directory.FullName, "policy"));
            var hashed = await MakeAsync(log, policy, entries);
            Verdict.Note(AuditBenchmark.Line($"floor: {hashed:0} entries/s hashed and appended to a tree by one thread, from memory"));
            verdict.AtLeast("hashed and appended to a tree, one thread", hashed, 40_000, "/s");
            var took = new List<double>();
            for (var round = 1; round <= Rounds; round++)
            {
                var clock = Stopwatch.StartNew();
                var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc"), ["audit", "verify", log, "--policy", policy, "--output", "json"]) { RedirectStandardOutput = true };
                using var process = Process.Start(start)!;
                var said = await process.StandardOutput.ReadToEndAsync();
                await process.WaitForExitAsync();
                took.Add(clock.Elapsed.TotalSeconds);
                if (process.ExitCode != 0)
                {
                    throw new InvalidOperationException($"mc ended with {process.ExitCode}: {said}");
                }

                Verdict.Note(AuditBenchmark.Line($"round {round}: mc audit verify, {entries} entries of {EntrySize} bytes in a directory that was just written: {took[^1]:0.00} s, {entries / took[^1]:0} entries/s; ratio {entries / took[^1] / hashed:0.00}"));
            }

            verdict.AtMost("a million entries at the median rate, start of the program included (the aim is 15 s)", took.Order().ElementAt(Rounds / 2) * 1_000_000 / entries, 60, " s");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public static async Task TilesAsync(Verdict verdict, TimeSpan length)
    {
        var data = Directory.CreateTempSubdirectory("mc-bench-").FullName;
        try
        {
            var (root, token) = await FillAsync(data);
            await using var host = new HostProcess(data);
            await host.StartAsync(withFloor: true);
            var server = new IPEndPoint(IPAddress.Loopback, host.Operations.Port);
            using var empty = await LoadGenerator.ConnectAsync(server, Connections, _ => Writer($"POST {FloorHost.Path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"));
            using var load = await LoadGenerator.ConnectAsync(server, Connections, _ => Writer($"GET {root}/tile/0/000 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"));
            await empty.RunAsync(length / 4);
            await load.RunAsync(length / 4);

            // What is served must be what the entries hash to, or nothing was served.
            using var client = host.Client(host.Portal, token);
            var (tile, bundle) = (await client.GetByteArrayAsync(new Uri($"{root}/tile/0/000", UriKind.Relative)), await client.GetByteArrayAsync(new Uri($"{root}/tile/entries/000", UriKind.Relative)));
            var (floor, before, used) = (await empty.RunAsync(length), host.ReadCpu(), Cpu.Seconds(host.Id));
            var tiles = await load.RunAsync(length);
            var others = host.ReadCpu().OthersSince(before, tiles.Elapsed);
            used = Cpu.Seconds(host.Id) - used;
            if (floor.Wrong + floor.Shed.Count + tiles.Wrong + tiles.Shed.Count > 0)
            {
                throw new InvalidOperationException($"Not every answer was good: {floor.FirstWrong ?? tiles.FirstWrong}");
            }

            Verdict.Note(AuditBenchmark.Line($"a full tile of hashes by plain HTTP/1.1 with a bearer, {Connections} connections, load generator on the same cores, pages of the database in memory: {tiles.PerSecond:0}/s, p50 {tiles.Accepted.Milliseconds(0.5):0.0} ms, p99 {tiles.Accepted.Milliseconds(0.99):0.0} ms, {used * 1000 / tiles.Accepted.Count:0.00} ms of the host's processor each; floor {floor.PerSecond:0}/s, an empty POST; ratio {tiles.PerSecond / floor.PerSecond:0.000}; others used {others:0.00} cores"));
            verdict.Holds("the tile is what its entries hash to", tile.AsSpan().SequenceEqual(HashesOf(bundle)));
            verdict.AtLeast("full tiles (the aim is 10000/s)", tiles.PerSecond, 3_000, "/s");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>Lays a log out as C2SP tlog-tiles says, and signs it; entries a second that were hashed and appended to its tree.</summary>
    private static async Task<double> MakeAsync(string directory, string policy, int entries)
    {
        var (range, levels, clock) = (new CompactRange(), new List<List<TreeHash>> { new() }, new Stopwatch());
        for (var bundle = 0; bundle * TileId.FullWidth < entries; bundle++)
        {
            var id = TileId.At(TileId.Entries, bundle, entries);
            var content = Enumerable.Range(bundle * TileId.FullWidth, id.Width).Select(i => Encoding.ASCII.GetBytes($"{{\"entry\":{i},\"text\":\"".PadRight(EntrySize - 2, '.') + "\"}")).ToList();
            clock.Start();
            foreach (var entry in content)
            {
                var leaf = TreeHash.OfLeaf(entry);
                range.Append(leaf);
                levels[0].Add(leaf);
            }

            clock.Stop();
            var bytes = new ArrayBufferWriter<byte>();
            content.ForEach(entry => EntryBundle.Write(bytes, entry));
            await WriteAsync(directory, id.ToString(), bytes.WrittenMemory);
        }

        for (; levels[^1].Count >= TileId.FullWidth;)
        {
            levels.Add([.. levels[^1].Chunk(TileId.FullWidth).Where(chunk => chunk.Length == TileId.FullWidth).Select(RootOf)]);
        }

        foreach (var id in TileId.AllOf(entries).Where(id => id.Level != TileId.Entries))
        {
            await WriteAsync(directory, id.ToString(), levels[id.Level].GetRange((int)id.Index * TileId.FullWidth, id.Width).SelectMany(hash => hash.Span.ToArray()).ToArray());
        }

        using var key = NoteSigner.FromSeed("benchmark.example/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        var text = new Checkpoint(key.Key.Name, entries, range.Root).ToString();
        await WriteAsync(directory, "checkpoint", new SignedNote(text, [key.Sign(Encoding.UTF8.GetBytes(text))]).ToBytes());
        await File.WriteAllTextAsync(policy, $"log {key.Key}\nquorum none\n");
        return entries / clock.Elapsed.TotalSeconds;
    }

    private static async Task WriteAsync(string directory, string path, ReadOnlyMemory<byte> content)
    {
        var file = Path.Combine(directory, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, content);
    }

    private static TreeHash RootOf(TreeHash[] hashes)
    {
        var whole = new CompactRange();
        Array.ForEach(hashes, hash => whole.Append(hash));
        return whole.Root;
    }

    /// <summary>A customer with more than a full tile of entries, and whoever reads its log: where that is, and the token.</summary>
    private static async Task<(string Root, string Token)> FillAsync(string data)
    {
        await using var subject = await AuditSubject.StartAsync(postgres: false, data);
        var customer = await subject.Host.CreateCustomerAsync();
        var (client, token) = await subject.Host.ClientWithTokenAsync(customer.Id, "audit:read");
        client.Dispose();
        await Parallel.ForAsync(0, 2 * TileId.FullWidth, new ParallelOptions { MaxDegreeOfParallelism = TileId.FullWidth }, async (_, _) => await subject.AppendAsync(customer.Id));
        await subject.SignedAsync();
        var log = (await subject.LogsAsync())[customer.Id];
        return ($"/api/v1/audit/logs/{log.Id}", token.Token);
    }

    private static Func<Span<byte>, int> Writer(string request)
    {
        var bytes = Encoding.ASCII.GetBytes(request);
        return output =>
        {
            bytes.CopyTo(output);
            return bytes.Length;
        };
    }

    private static byte[] HashesOf(ReadOnlySpan<byte> bundle)
    {
        var hashes = new List<byte>();
        while (EntryBundle.TryRead(ref bundle, out var entry))
        {
            hashes.AddRange(TreeHash.OfLeaf(entry).Span);
        }

        return [.. hashes];
    }
}
