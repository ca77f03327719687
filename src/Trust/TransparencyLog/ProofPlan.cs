using System.Numerics;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>A node of the tree that all its leaves are there for.</summary>
/// <param name="Level">Height above the leaves, 0 to 62.</param>
/// <param name="Index">Which one of its level, from the left.</param>
public readonly record struct TreeNode(int Level, long Index);

/// <summary>
/// What a proof (RFC 6962 §2.1.1, §2.1.2) consists of, before any hash is read: whoever keeps the tiles fetches those that it
/// names, in one round, and has the hashes put together.
/// </summary>
public sealed class ProofPlan
{
    private readonly long size;
    private readonly List<TreeNode[]> parts = [];

    private ProofPlan(long size) => this.size = size;

    /// <summary>How many hashes the proof has.</summary>
    public int Length => parts.Count;

    /// <summary>The tiles of the tree that its hashes come from, each once.</summary>
    public IReadOnlyCollection<TileId> Tiles => [.. parts.SelectMany(part => part).Select(node => TileId.Of(node, size)).Distinct()];

    /// <summary>The path that proves a leaf in a tree: <c>PATH(m, D[n])</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf in a tree of this size.</exception>
    public static ProofPlan Inclusion(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var plan = new ProofPlan(size);
        var (from, to) = (0L, size);
        while (to - from > 1)
        {
            var middle = from + Split(to - from);
            if (index < middle)
            {
                plan.Add(middle, to);
                to = middle;
            }
            else
            {
                plan.Add(from, middle);
                from = middle;
            }
        }

        plan.parts.Reverse();
        return plan;
    }

    /// <summary>The path that proves one tree the beginning of another: <c>PROOF(m, D[n])</c>; none for equal sizes and for the empty tree.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The first size is negative or the larger one.</exception>
    public static ProofPlan Consistency(long size1, long size2)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size1, size2);
        var plan = new ProofPlan(size2);
        if (size1 == 0 || size1 == size2)
        {
            return plan;
        }

        var (from, to) = (0L, size2);
        while (to != size1)
        {
            var middle = from + Split(to - from);
            if (size1 <= middle)
            {
                plan.Add(middle, to);
                to = middle;
            }
            else
            {
                plan.Add(from, middle);
                from = middle;
            }
        }

        // Whoever knows the first root knows it already when it is a node of the second tree.
        if (from > 0)
        {
            plan.Add(from, to);
        }

        plan.parts.Reverse();
        return plan;
    }

    /// <summary>The root of a tree, as one hash.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive.</exception>
    public static ProofPlan Root(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        var plan = new ProofPlan(size);
        plan.Add(0, size);
        return plan;
    }

    /// <summary>Puts the hashes together from the tiles.</summary>
    /// <param name="tile">Gives the hashes of a tile that was asked for, 32 bytes each.</param>
    /// <exception cref="ArgumentException">A tile has another width than it was asked for.</exception>
    public TreeHash[] Resolve(Func<TileId, ReadOnlyMemory<byte>> tile)
    {
        ArgumentNullException.ThrowIfNull(tile);
        var read = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        var hashes = new TreeHash[parts.Count];
        for (var i = 0; i < hashes.Length; i++)
        {
            var nodes = parts[i];
            hashes[i] = Read(nodes[^1]);
            for (var left = nodes.Length - 2; left >= 0; left--)
            {
                hashes[i] = TreeHash.OfChildren(Read(nodes[left]), hashes[i]);
            }
        }

        return hashes;

        TreeHash Read(TreeNode node)
        {
            var id = TileId.Of(node, size);
            if (!read.TryGetValue(id, out var content))
            {
                read[id] = content = tile(id);
            }

            return content.Length == id.Width * TreeHash.Size ? id.Read(content.Span, node) : throw new ArgumentException($"{id} has another width.", nameof(tile));
        }
    }

    /// <summary>The largest power of two below a size: where RFC 6962 divides a tree.</summary>
    private static long Split(long size) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(size - 1)));

    // A range that reaches the right edge has no node of its own; it is the complete subtrees that fill it.
    private void Add(long from, long to)
    {
        var nodes = new List<TreeNode>();
        while (from < to)
        {
            var level = BitOperations.Log2((ulong)(to - from));
            nodes.Add(new TreeNode(level, from >> level));
            from += 1L << level;
        }

        parts.Add([.. nodes]);
    }
}
