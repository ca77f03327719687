using System.Numerics;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// Judges proofs, in constant memory and never longer than the proof is: the loops of RFC 9162 §2.1.3.2 and §2.1.4.2. Whatever does not
/// follow from them is no proof; nothing is thrown for anything that somebody may send.
/// </summary>
public static class MerkleProof
{
    /// <summary>No proof has more hashes: one for each bit of a size, and one more when it begins in the middle of the tree.</summary>
    public const int MaxLength = 64;

    /// <summary>Whether a leaf stands at an index of the tree of that size and root.</summary>
    public static bool VerifyInclusion(in TreeHash leaf, long index, long size, ReadOnlySpan<TreeHash> path, in TreeHash root)
    {
        if (index < 0 || index >= size)
        {
            return false;
        }

        var node = leaf;
        var (at, last) = (index, size - 1);
        foreach (ref readonly var sibling in path)
        {
            if (last == 0)
            {
                return false;
            }

            if ((at & 1) == 1 || at == last)
            {
                node = TreeHash.OfChildren(sibling, node);
                SkipLevelsWithoutSibling(ref at, ref last);
            }
            else
            {
                node = TreeHash.OfChildren(node, sibling);
            }

            (at, last) = (at >> 1, last >> 1);
        }

        return last == 0 && node == root;
    }

    /// <summary>
    /// Whether the tree of the second size and root begins with all of the first. The empty tree is the beginning of every one
    /// (which C2SP tlog-witness relies on); two of one size are consistent when their roots are the same.
    /// </summary>
    public static bool VerifyConsistency(long size1, in TreeHash root1, long size2, in TreeHash root2, ReadOnlySpan<TreeHash> path)
    {
        if (size1 < 0 || size1 > size2 || (size1 == 0 && root1 != TreeHash.Empty) || (size2 == 0 && root2 != TreeHash.Empty))
        {
            return false;
        }

        if (size1 == 0 || size1 == size2)
        {
            return path.IsEmpty && (size1 == 0 || root1 == root2);
        }

        // A first tree that is one complete subtree of the second is known by its root already, and the path leaves it out.
        var isWhole = BitOperations.IsPow2(size1);
        if (path.IsEmpty)
        {
            return false;
        }

        var (old, whole) = isWhole ? (root1, root1) : (path[0], path[0]);
        var shift = BitOperations.TrailingZeroCount(size1);
        var (at, last) = ((size1 - 1) >> shift, (size2 - 1) >> shift);
        foreach (ref readonly var node in isWhole ? path : path[1..])
        {
            if (last == 0)
            {
                return false;
            }

            if ((at & 1) == 1 || at == last)
            {
                old = TreeHash.OfChildren(node, old);
                whole = TreeHash.OfChildren(node, whole);
                SkipLevelsWithoutSibling(ref at, ref last);
            }
            else
            {
                whole = TreeHash.OfChildren(whole, node);
            }

            (at, last) = (at >> 1, last >> 1);
        }

        return last == 0 && old == root1 && whole == root2;
    }

    // At the right edge a node without a sibling is its own parent; the path holds nothing for those levels.
    private static void SkipLevelsWithoutSibling(ref long at, ref long last)
    {
        while ((at & 1) == 0 && at != 0)
        {
            (at, last) = (at >> 1, last >> 1);
        }
    }
}
