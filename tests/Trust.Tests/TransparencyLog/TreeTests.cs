using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

public sealed class TreeTests
{
    private const int Most = 70;
    private static readonly NaiveTree Small = NaiveTree.Of(Most);

    [Fact]
    public void A_range_that_grows_leaf_by_leaf_has_the_roots_of_the_definition_and_goes_on_from_what_was_stored()
    {
        var range = new CompactRange();
        for (var size = 0; size < Most; size++)
        {
            Assert.Equal(Small.Root(size), range.Root);
            range = new CompactRange(range.Size, range.ToArray());
            range.Append(Small.Leaf(size));
        }

        Assert.Equal(Most, range.Size);
        Assert.Throws<ArgumentException>(() => new CompactRange(3, new byte[TreeHash.Size]));
        Assert.Throws<ArgumentException>(() => new CompactRange(-1, []));
    }

    [Fact]
    public void Every_proof_of_inclusion_is_the_one_of_the_definition_verifies_and_no_other_leaf_place_or_tree_does()
    {
        for (var size = 1; size <= Most; size++)
        {
            var root = Small.Root(size);
            for (var index = 0; index < size; index++)
            {
                var path = ProofPlan.Inclusion(index, size).Resolve(id => Small.Tile(id));
                Assert.Equal(Small.Path(index, size), path);
                Assert.True(MerkleProof.VerifyInclusion(Small.Leaf(index), index, size, path, root));

                Assert.False(MerkleProof.VerifyInclusion(Small.Leaf(index), index, size, path, Small.Root(size - 1)));
                Assert.False(MerkleProof.VerifyInclusion(Small.Leaf((index + 1) % Most), index, size, path, root));
                Assert.False(MerkleProof.VerifyInclusion(Small.Leaf(index), index, size, [.. path, root], root));
                Assert.False(path.Length > 0 && MerkleProof.VerifyInclusion(Small.Leaf(index), index, size, path.AsSpan(1), root));
                Assert.False(path.Length > 0 && MerkleProof.VerifyInclusion(Small.Leaf(index), index, size, path.AsSpan(..^1), root));
                for (var other = 0; other < size; other++)
                {
                    Assert.Equal(other == index, MerkleProof.VerifyInclusion(Small.Leaf(index), other, size, path, root));
                }
            }
        }
    }

    [Fact]
    public void Every_proof_of_consistency_is_the_one_of_the_definition_verifies_and_no_other_beginning_does()
    {
        for (var size2 = 0; size2 <= Most; size2++)
        {
            for (var size1 = 0; size1 <= size2; size1++)
            {
                var (root1, root2) = (Small.Root(size1), Small.Root(size2));
                var path = ProofPlan.Consistency(size1, size2).Resolve(id => Small.Tile(id));
                Assert.Equal(Small.Proof(size1, size2), path);
                Assert.True(MerkleProof.VerifyConsistency(size1, root1, size2, root2, path));

                var wrong = Small.Leaf(0) == root1 ? Small.Leaf(1) : Small.Leaf(0);
                Assert.False(MerkleProof.VerifyConsistency(size1, wrong, size2, root2, path));
                Assert.False(size1 > 0 && MerkleProof.VerifyConsistency(size1, root1, size2, wrong == root2 ? Small.Leaf(2) : wrong, path));
                Assert.False(MerkleProof.VerifyConsistency(size1, root1, size2, root2, [.. path, wrong]));
                Assert.False(path.Length > 0 && MerkleProof.VerifyConsistency(size1, root1, size2, root2, path.AsSpan(1)));
                Assert.False(path.Length > 0 && MerkleProof.VerifyConsistency(size1, root1, size2, root2, path.AsSpan(..^1)));
                Assert.False(size1 < size2 && MerkleProof.VerifyConsistency(size2, root2, size1, root1, path));
            }
        }
    }

    [Fact]
    public void A_changed_hash_anywhere_in_a_proof_proves_nothing()
    {
        foreach (var size in new[] { 2, 3, 7, 8, 31, 64, 65 })
        {
            for (var at = 0; at < size; at++)
            {
                var path = Small.Path(at, size);
                for (var i = 0; i < path.Length; i++)
                {
                    var changed = path.ToArray();
                    changed[i] = Small.Leaf(at);
                    Assert.False(MerkleProof.VerifyInclusion(Small.Leaf(at), at, size, changed, Small.Root(size)));
                }

                path = Small.Proof(at, size);
                for (var i = 0; i < path.Length; i++)
                {
                    var changed = path.ToArray();
                    changed[i] = Small.Leaf(at) == changed[i] ? Small.Leaf(at - 1) : Small.Leaf(at);
                    Assert.False(MerkleProof.VerifyConsistency(at, Small.Root(at), size, Small.Root(size), changed));
                }
            }
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, long.MaxValue)]
    public void A_place_outside_of_the_tree_is_refused(long index, long size)
    {
        Assert.False(MerkleProof.VerifyInclusion(Small.Leaf(0), index, size, [], Small.Leaf(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProofPlan.Inclusion(index, size));
    }

    [Fact]
    public void Sizes_at_the_end_of_the_numbers_are_judged_in_as_many_steps_as_the_proof_has_hashes()
    {
        var path = Enumerable.Repeat(Small.Leaf(0), MerkleProof.MaxLength).ToArray();
        Assert.False(MerkleProof.VerifyInclusion(Small.Leaf(0), long.MaxValue - 1, long.MaxValue, path, Small.Leaf(0)));
        Assert.False(MerkleProof.VerifyConsistency(long.MaxValue - 1, Small.Leaf(0), long.MaxValue, Small.Leaf(0), path));
        Assert.False(MerkleProof.VerifyConsistency(1L << 62, Small.Leaf(0), long.MaxValue, Small.Leaf(0), path));
        Assert.Equal(63, ProofPlan.Inclusion(0, long.MaxValue).Length);
        Assert.All(ProofPlan.Consistency((1L << 62) + 1, long.MaxValue).Tiles, id => Assert.InRange(id.Width, 1, TileId.FullWidth));
    }

    [Fact]
    public void Trees_over_several_levels_of_tiles_are_proven_from_tiles_alone()
    {
        // 70,000 is the example of the standard: a tile of three levels, each of them partial.
        const int size = 70_000;
        var (leaves, range) = (new TreeHash[size], new CompactRange());
        var roots = new Dictionary<long, TreeHash>();
        for (var i = 0; i < size; i++)
        {
            leaves[i] = TreeHash.OfLeaf(BitConverter.GetBytes(i));
            range.Append(leaves[i]);
            roots[range.Size] = range.Root;
        }

        var levels = new List<TreeHash[]> { leaves };
        while (levels[^1].Length >= 256)
        {
            levels.Add([.. levels[^1].Chunk(256).Where(chunk => chunk.Length == 256).Select(RootOf)]);
        }

        Assert.Equal(["tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"], TileId.AllOf(size).Select(id => id.ToString()).Where(path => path.StartsWith("tile/0/27", StringComparison.Ordinal) || path[5] is '1' or '2').TakeLast(5));
        Assert.Equal((274, 274 + 2 + 1), (TileId.AllOf(size).Count(id => id.Level == TileId.Entries), TileId.AllOf(size).Count(id => id.Level >= 0)));
        Assert.Equal(range.Root, Assert.Single(ProofPlan.Root(size).Resolve(Read)));
        foreach (var (index, at) in new (long, long)[] { (0, size), (255, 256), (65_535, 65_536), (65_536, size), (69_999, size), (12_345, 54_321) })
        {
            Assert.True(MerkleProof.VerifyInclusion(leaves[index], index, at, ProofPlan.Inclusion(index, at).Resolve(Read), roots[at]));
        }

        foreach (var (from, to) in new (long, long)[] { (1, size), (256, size), (65_536, size), (65_537, 69_999), (12_345, 54_321) })
        {
            Assert.True(MerkleProof.VerifyConsistency(from, roots[from], to, roots[to], ProofPlan.Consistency(from, to).Resolve(Read)));
        }

        Assert.Throws<ArgumentException>(() => ProofPlan.Root(size).Resolve(_ => new byte[TreeHash.Size]));

        ReadOnlyMemory<byte> Read(TileId id) => levels[id.Level].AsSpan((int)id.Index * 256, id.Width).ToArray().SelectMany(hash => hash.Span.ToArray()).ToArray();

        static TreeHash RootOf(TreeHash[] hashes)
        {
            var whole = new CompactRange();
            foreach (var hash in hashes)
            {
                whole.Append(hash);
            }

            return whole.Root;
        }
    }

    [Fact]
    public void An_entry_may_be_as_long_as_its_length_can_be_written_and_is_read_back_as_it_was()
    {
        var bundle = new System.Buffers.ArrayBufferWriter<byte>();
        byte[][] entries = [[], [1], [.. Enumerable.Repeat((byte)7, TreeHash.MaxEntry)]];
        foreach (var entry in entries)
        {
            EntryBundle.Write(bundle, entry);
        }

        Assert.Throws<ArgumentException>(() => EntryBundle.Write(bundle, new byte[TreeHash.MaxEntry + 1]));
        var rest = bundle.WrittenSpan;
        foreach (var entry in entries)
        {
            Assert.True(EntryBundle.TryRead(ref rest, out var read));
            Assert.Equal(entry, read.ToArray());
            Assert.Equal(new TreeHash(System.Security.Cryptography.SHA256.HashData([0, .. entry])), TreeHash.OfLeaf(read));
        }

        Assert.True(rest.IsEmpty);
        Assert.False(EntryBundle.TryRead(ref rest, out _));
        var broken = bundle.WrittenSpan[..^1];
        while (EntryBundle.TryRead(ref broken, out _))
        {
        }

        Assert.False(broken.IsEmpty);
    }
}
