using System.Globalization;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// A tile of a log (C2SP tlog-tiles): up to 256 hashes of every eighth level of the tree, or, at level <see cref="Entries"/>, the
/// entries themselves. A full tile never changes; one that is not full belongs to a tree of a certain size.
/// </summary>
/// <param name="Level">0 to 63: its hashes are of the nodes 8 × level above the leaves; <see cref="Entries"/>: a bundle of entries.</param>
/// <param name="Index">Which one of its level, from the left.</param>
/// <param name="Width">How many hashes or entries it has, 1 to 256.</param>
public readonly record struct TileId(int Level, long Index, int Width)
{
    /// <summary>Hashes of a full tile.</summary>
    public const int FullWidth = 256;

    /// <summary>The level of bundles of entries.</summary>
    public const int Entries = -1;

    /// <summary>Levels of the tree in a tile.</summary>
    internal const int Height = 8;
    private const int MaxLevel = 63;
    private const string Root = "tile/";
    private const string EntriesName = "entries";

    /// <summary>Whether it is full, and so for ever.</summary>
    public bool IsFull => Width == FullWidth;

    /// <summary>The tile that holds what a node is made of, as wide as it is in a tree of a size.</summary>
    public static TileId Of(TreeNode node, long size)
    {
        var (level, within) = Math.DivRem(node.Level, Height);
        return At(level, node.Index >> (Height - within), size);
    }

    /// <summary>A tile as wide as it is in a tree of a size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tile in a tree of that size.</exception>
    public static TileId At(int level, long index, long size)
    {
        var width = HashesOf(level, size) - (index * FullWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width, nameof(size));
        return new TileId(level, index, (int)Math.Min(width, FullWidth));
    }

    /// <summary>Whether a tree of a size has all that is in it.</summary>
    public bool IsWithin(long size) => Index <= long.MaxValue / FullWidth - 1 && (Index * FullWidth) + Width <= HashesOf(Level, size);

    /// <summary>Every tile of a tree, bundles of entries first and then level by level: what a mirror holds.</summary>
    public static IEnumerable<TileId> AllOf(long size)
    {
        for (var level = Entries; level <= MaxLevel; level++)
        {
            var hashes = HashesOf(level, size);
            if (hashes == 0)
            {
                yield break;
            }

            for (long index = 0; index * FullWidth < hashes; index++)
            {
                yield return new TileId(level, index, (int)Math.Min(hashes - (index * FullWidth), FullWidth));
            }
        }
    }

    /// <summary>Reads the path that <see cref="ToString"/> writes, and no other one.</summary>
    public static bool TryParse(string path, out TileId id)
    {
        id = default;
        var parts = path?.Split('/') ?? [];
        if (parts.Length < 3 || parts[0] != "tile" || parts.Length > 10)
        {
            return false;
        }

        var level = parts[1] == EntriesName ? Entries : Decimal(parts[1], 2, 0, MaxLevel);
        if (level < Entries)
        {
            return false;
        }

        var end = parts.Length;
        var width = FullWidth;
        if (end >= 4 && parts[end - 2].EndsWith(".p", StringComparison.Ordinal))
        {
            width = Decimal(parts[end - 1], 3, 1, FullWidth - 1);
            parts[end - 2] = parts[end - 2][..^2];
            end--;
        }

        long index = 0;
        for (var i = 2; i < end; i++)
        {
            var digits = i < end - 1 && parts[i].StartsWith('x') ? parts[i][1..] : i == end - 1 ? parts[i] : "";
            if (digits.Length != 3 || !digits.All(char.IsAsciiDigit))
            {
                return false;
            }

            index = (index * 1000) + int.Parse(digits, CultureInfo.InvariantCulture);
        }

        id = new TileId(level, index, width);
        // Written another way (a group of zeros in front), it would be a second name of the same tile.
        return width > 0 && index <= long.MaxValue / FullWidth && id.ToString() == path;
    }

    /// <summary>Its path below the address of a log: <c>tile/0/x001/x234/067.p/112</c>.</summary>
    public override string ToString()
    {
        var path = $"{Index % 1000:000}";
        for (var rest = Index / 1000; rest > 0; rest /= 1000)
        {
            path = $"x{rest % 1000:000}/{path}";
        }

        return $"{Root}{(Level == Entries ? EntriesName : Level.ToString(CultureInfo.InvariantCulture))}/{path}{(IsFull ? "" : $".p/{Width}")}";
    }

    /// <summary>The hash of a node whose leaves, or nodes of this tile's level, are in it.</summary>
    internal TreeHash Read(ReadOnlySpan<byte> hashes, TreeNode node)
    {
        var within = node.Level % Height;
        var first = (int)((node.Index << within) & (FullWidth - 1));
        Span<TreeHash> nodes = stackalloc TreeHash[1 << within];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = new TreeHash(hashes.Slice((first + i) * TreeHash.Size, TreeHash.Size));
        }

        for (var width = nodes.Length; width > 1; width >>= 1)
        {
            for (var i = 0; i < width; i += 2)
            {
                nodes[i >> 1] = TreeHash.OfChildren(nodes[i], nodes[i + 1]);
            }
        }

        return nodes[0];
    }

    // No tree has a node 64 levels above its leaves, and the machine's shift would begin anew there.
    private static long HashesOf(int level, long size) => level == Entries ? size : Height * level > 62 ? 0 : size >> (Height * level);

    private static int Decimal(string text, int digits, int least, int most) =>
        text.Length > 0 && text.Length <= digits && text.All(char.IsAsciiDigit) && (text[0] != '0' || text.Length == 1) && int.Parse(text, CultureInfo.InvariantCulture) is var value && value >= least && value <= most ? value : -2;
}
