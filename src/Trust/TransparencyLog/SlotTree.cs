namespace MissionControl.Trust.TransparencyLog;

/// <summary>The tree over the slots of an epoch (RFC 6962 §2.1), whole in memory: its root, and the path of any slot. Immutable.</summary>
public sealed class SlotTree
{
    private readonly List<TreeHash[]> levels;

    /// <summary>Makes it.</summary>
    /// <param name="leaves">Hashes of its leaves, by slot.</param>
    public SlotTree(TreeHash[] leaves)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        levels = [leaves];
        while (levels[^1] is { Length: > 1 } below)
        {
            // The last one of an odd number has no sibling, and is its own parent: the tree that RFC 6962 divides from above.
            var level = new TreeHash[(below.Length + 1) / 2];
            for (var i = 0; i < level.Length; i++)
            {
                level[i] = (2 * i) + 1 < below.Length ? TreeHash.OfChildren(below[2 * i], below[(2 * i) + 1]) : below[2 * i];
            }

            levels.Add(level);
        }
    }

    /// <summary>How many slots.</summary>
    public int Size => levels[0].Length;

    /// <summary>Root over them.</summary>
    public TreeHash Root => Size == 0 ? TreeHash.Empty : levels[^1][0];

    /// <summary>Leaf of a slot.</summary>
    public TreeHash this[int slot] => levels[0][slot];

    /// <summary>The proof of inclusion of a slot, from its sibling upwards.</summary>
    public IReadOnlyList<TreeHash> Path(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Size);
        var path = new List<TreeHash>();
        foreach (var level in levels)
        {
            if ((slot ^ 1) < level.Length)
            {
                path.Add(level[slot ^ 1]);
            }

            slot >>= 1;
        }

        return path;
    }
}
