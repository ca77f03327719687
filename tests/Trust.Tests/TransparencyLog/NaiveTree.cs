using System.Security.Cryptography;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Trust.Tests.TransparencyLog;

/// <summary>The tree as RFC 6962 §2.1 defines it, word for word and as slow: what the product's is held against.</summary>
internal sealed class NaiveTree(IReadOnlyList<byte[]> entries)
{
    public static NaiveTree Of(int size) => new([.. Enumerable.Range(0, size).Select(i => BitConverter.GetBytes(i))]);

    public TreeHash Leaf(int index) => new(SHA256.HashData([0, .. entries[index]]));

    public TreeHash Root(int size) => Mth(0, size);

    public TreeHash[] Path(int index, int size) => [.. Path(index, 0, size)];

    public TreeHash[] Proof(int size1, int size2) => size1 == 0 || size1 == size2 ? [] : [.. SubProof(size1, 0, size2, true)];

    /// <summary>The bytes of a tile, from the definition in C2SP tlog-tiles.</summary>
    public byte[] Tile(TileId id)
    {
        var span = (int)Math.Pow(256, id.Level);
        return [.. Enumerable.Range(0, id.Width).SelectMany(i => Mth((int)((id.Index * 256) + i) * span, (int)((id.Index * 256) + i + 1) * span).Span.ToArray())];
    }

    private TreeHash Mth(int from, int to) => (to - from) switch
    {
        0 => new(SHA256.HashData([])),
        1 => Leaf(from),
        var n => new(SHA256.HashData([1, .. Mth(from, from + K(n)).Span, .. Mth(from + K(n), to).Span])),
    };

    private IEnumerable<TreeHash> Path(int m, int from, int to)
    {
        var n = to - from;
        return n == 1 ? [] : m < K(n) ? Path(m, from, from + K(n)).Append(Mth(from + K(n), to)) : Path(m - K(n), from + K(n), to).Append(Mth(from, from + K(n)));
    }

    private IEnumerable<TreeHash> SubProof(int m, int from, int to, bool isKnown)
    {
        var n = to - from;
        return m == n ? isKnown ? [] : [Mth(from, to)]
            : m <= K(n) ? SubProof(m, from, from + K(n), isKnown).Append(Mth(from + K(n), to))
            : SubProof(m - K(n), from + K(n), to, false).Append(Mth(from, from + K(n)));
    }

    private static int K(int n)
    {
        var k = 1;
        while (k * 2 < n)
        {
            k *= 2;
        }

        return k;
    }
}
