using System.Numerics;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// All that a log has to remember of its tree to go on: the roots of the complete subtrees from which its leaves fill it, largest first,
/// one for each set bit of its size. Adding a leaf and taking the root need nothing else. Not safe for use by several threads.
/// </summary>
public sealed class CompactRange
{
    // A size has 63 bits at most.
    private readonly TreeHash[] nodes = new TreeHash[63];
    private int count;

    /// <summary>The range of no leaves.</summary>
    public CompactRange()
    {
    }

    /// <summary>Takes up a stored range.</summary>
    /// <param name="size">How many leaves it covers.</param>
    /// <param name="hashes">What <see cref="ToArray"/> gave for them.</param>
    /// <exception cref="ArgumentException">The hashes are not as many as the size has set bits, or the size is negative.</exception>
    public CompactRange(long size, ReadOnlySpan<byte> hashes)
    {
        if (size < 0 || hashes.Length != BitOperations.PopCount((ulong)size) * TreeHash.Size)
        {
            throw new ArgumentException($"A range over {size} leaves has another number of hashes.", nameof(hashes));
        }

        Size = size;
        for (; !hashes.IsEmpty; hashes = hashes[TreeHash.Size..])
        {
            nodes[count++] = new TreeHash(hashes[..TreeHash.Size]);
        }
    }

    /// <summary>How many leaves it covers.</summary>
    public long Size { get; private set; }

    /// <summary>Root of the tree (RFC 6962 §2.1).</summary>
    public TreeHash Root
    {
        get
        {
            if (count == 0)
            {
                return TreeHash.Empty;
            }

            var root = nodes[count - 1];
            for (var i = count - 2; i >= 0; i--)
            {
                root = TreeHash.OfChildren(nodes[i], root);
            }

            return root;
        }
    }

    /// <summary>Adds a leaf behind the last one.</summary>
    public void Append(in TreeHash leaf)
    {
        // Every subtree that the new leaf makes complete: as many as its index has set bits at the low end.
        var node = leaf;
        for (var rest = Size; (rest & 1) == 1; rest >>= 1)
        {
            node = TreeHash.OfChildren(nodes[--count], node);
        }

        nodes[count++] = node;
        Size++;
    }

    /// <summary>Its hashes one after the other, 32 bytes each, largest subtree first.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[count * TreeHash.Size];
        for (var i = 0; i < count; i++)
        {
            nodes[i].Span.CopyTo(bytes.AsSpan(i * TreeHash.Size));
        }

        return bytes;
    }
}
