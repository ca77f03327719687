using System.Buffers;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

public sealed class LogWalkTests
{
    private const string Name = "example.com/log";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(600)]
    [InlineData(1024)]
    public async Task A_log_that_holds_what_it_has_signed_is_good_and_every_tile_of_it_was_held_against_its_entries(int size)
    {
        var log = new Served(size);
        var told = new List<long>();
        var found = await LogWalk.RunAsync(log.Head, null, log.ReadAsync, told.Add, CancellationToken.None);

        Assert.Equal(new WalkFinding(WalkResult.Good, size, TileId.AllOf(size).Count()), found);
        Assert.Equal(TileId.AllOf(size).ToHashSet(), log.Asked.ToHashSet());
        Assert.Equal(Enumerable.Range(1, (size + 255) / 256).Select(tile => Math.Min(tile * 256L, size)), told);
    }

    [Fact]
    public async Task Whatever_was_seen_before_of_the_same_log_is_found_to_be_its_beginning_and_nothing_else_is()
    {
        const int size = 70;
        var log = new Served(size);
        for (var seen = 0; seen <= size; seen++)
        {
            var pinned = new Checkpoint(Name, seen, log.Tree.Root(seen));
            Assert.Equal(WalkResult.Good, (await WalkAsync(log, pinned)).Result);
            if (seen > 0)
            {
                var found = await WalkAsync(log, pinned with { Root = TreeHash.Empty });
                Assert.Equal((WalkResult.Inconsistent, null, null), (found.Result, found.Tile, found.Index));
                Assert.Equal(seen == size ? 0 : seen, found.Entries);
            }
        }

        Assert.Equal("The log had 71 entries and has 70 now: entries that were there are gone.", (await WalkAsync(log, new Checkpoint(Name, 71, TreeHash.Empty))).Problem);
        Assert.StartsWith("The log has signed two roots for its first 70 entries: ", (await WalkAsync(log, log.Head with { Root = TreeHash.Empty })).Problem, StringComparison.Ordinal);
        Assert.Equal($"The log that was seen before is other, and this one says it is {Name}.", (await WalkAsync(log, log.Head with { Origin = "other" })).Problem);
        Assert.Equal(WalkResult.Inconsistent, (await WalkAsync(log with { Head = log.Head with { Root = TreeHash.Empty } }, null)).Result);
    }

    [Fact]
    public async Task A_changed_byte_of_any_tile_is_found_in_that_tile_or_in_the_entry_whose_hash_it_was()
    {
        const int size = 520;
        foreach (var id in TileId.AllOf(size))
        {
            var log = new Served(size);
            var good = log.Content(id);
            for (var at = 0; at < good.Length; at += 97)
            {
                var bad = good.ToArray();
                bad[at] ^= 1;
                log.Instead[id] = bad;
                var found = await WalkAsync(log, null);
                Assert.Equal((WalkResult.Inconsistent, id with { Level = id.Level < 1 ? TileId.Entries : id.Level }), (found.Result, found.Tile));
                Assert.Equal(id.Level == 0 ? (id.Index * 256) + (at / 32) : id.Level > 0 ? null : found.Index, found.Index);
                Assert.Equal(bad, (id.Level == 0 ? found.Beside : found.Content)!.Value.ToArray());
                Assert.NotEqual(found.Content!.Value.ToArray(), found.Beside!.Value.ToArray());
            }
        }
    }

    [Fact]
    public async Task A_tile_of_another_length_is_found_and_one_that_is_not_there_proves_nothing()
    {
        const int size = 520;
        foreach (var id in TileId.AllOf(size))
        {
            var log = new Served(size);
            foreach (var bent in new[] { [], log.Content(id)[..^1], [.. log.Content(id), 0] })
            {
                log.Instead[id] = bent;
                var found = await WalkAsync(log, null);
                Assert.Equal((WalkResult.Inconsistent, id), (found.Result, found.Tile));
            }

            log.Instead[id] = null;
            Assert.Equal((WalkResult.Incomplete, id, $"{id} is not there."), await WalkAsync(log, null) is var missing ? (missing.Result, missing.Tile, missing.Problem) : default);
        }
    }

    [Fact]
    public async Task A_tile_that_was_filled_meanwhile_stands_for_the_one_that_was_not_full()
    {
        var grown = new Served(1024);
        var log = new Served(520);
        foreach (var id in TileId.AllOf(520).Where(id => !id.IsFull))
        {
            log.Instead[id] = null;
            log.Instead[id with { Width = TileId.FullWidth }] = id.Level == 1 ? [.. log.Content(id), .. new byte[254 * TreeHash.Size]] : grown.Content(id with { Width = TileId.FullWidth });
        }

        Assert.Equal(WalkResult.Good, (await WalkAsync(log, null)).Result);

        var last = new TileId(TileId.Entries, 2, 8);
        log.Instead[last with { Width = TileId.FullWidth }] = log.Content(last)[..^1];
        Assert.Equal((WalkResult.Inconsistent, last, 519L), await WalkAsync(log, null) is var found ? (found.Result, found.Tile, found.Index) : default);
        log.Instead[new TileId(0, 2, 256)] = new byte[10];
        Assert.Equal(WalkResult.Inconsistent, (await WalkAsync(log, null)).Result);
    }

    [Fact]
    public async Task A_source_that_fails_and_one_that_does_not_end_end_the_walk_and_nothing_is_asked_behind_it()
    {
        var log = new Served(5000);
        var running = 0;
        await Assert.ThrowsAsync<IOException>(() => LogWalk.RunAsync(log.Head, null, (id, end) => CountAsync(id, end, id is { Level: TileId.Entries, Index: 2 }), null, CancellationToken.None));
        Assert.Equal(0, running);

        using var stop = new CancellationTokenSource();
        var walk = LogWalk.RunAsync(log.Head, null, (id, end) => CountAsync(id, end, false), entries => stop.Cancel(), stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => walk);
        Assert.Equal(0, running);

        // The first tiles are there; all behind them take until they are not wanted any more.
        async Task<ReadOnlyMemory<byte>?> CountAsync(TileId id, CancellationToken end, bool fails)
        {
            Interlocked.Increment(ref running);
            try
            {
                if (fails)
                {
                    throw new IOException("gone");
                }

                if (id.Index > 2 || (id.Index == 2 && id.Level == 0))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, end);
                }

                return await log.ReadAsync(id, end);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }
    }

    private static Task<WalkFinding> WalkAsync(Served log, Checkpoint? pinned) => LogWalk.RunAsync(log.Head, pinned, log.ReadAsync, null, CancellationToken.None);

    /// <summary>A log by the definition, and what is served in place of one of its tiles.</summary>
    private sealed record Served(int Size)
    {
        public NaiveTree Tree { get; } = NaiveTree.Of(Size);

        public Checkpoint Head { get; init; } = new(Name, Size, NaiveTree.Of(Size).Root(Size));

        public Dictionary<TileId, byte[]?> Instead { get; } = [];

        public List<TileId> Asked { get; } = [];

        public byte[] Content(TileId id)
        {
            if (id.Level >= 0)
            {
                return Tree.Tile(id);
            }

            var bundle = new ArrayBufferWriter<byte>();
            for (var i = 0; i < id.Width; i++)
            {
                EntryBundle.Write(bundle, BitConverter.GetBytes((int)(id.Index * 256) + i));
            }

            return bundle.WrittenSpan.ToArray();
        }

        public Task<ReadOnlyMemory<byte>?> ReadAsync(TileId id, CancellationToken cancellationToken)
        {
            Asked.Add(id);
            var content = Instead.TryGetValue(id, out var other) ? other : TileId.AllOf(Size).Contains(id) ? Content(id) : null;
            return Task.FromResult(content is null ? default(ReadOnlyMemory<byte>?) : content);
        }
    }
}
