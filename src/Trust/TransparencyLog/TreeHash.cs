using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>A hash of a Merkle tree as RFC 6962 §2.1 (and RFC 9162 §2.1.1) makes it, with SHA-256: of a leaf, of two subtrees, or of no leaf at all.</summary>
public readonly struct TreeHash : IEquatable<TreeHash>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 32;

    /// <summary>Length of its base64, as checkpoints and proofs write it.</summary>
    public const int TextSize = 44;

    /// <summary>The longest entry that a log takes, in bytes: its length must fit into the two bytes in front of it (C2SP tlog-tiles, "Log entries").</summary>
    public const int MaxEntry = 65_535;

    // Different first bytes, so that no leaf can pass for an inner node (RFC 6962 §2.1).
    private const byte LeafMark = 0;
    private const byte NodeMark = 1;
    private const int OnStack = 1024;
    private readonly Bytes bytes;

    /// <summary>Takes 32 bytes.</summary>
    /// <exception cref="ArgumentException">They are not 32.</exception>
    public TreeHash(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Size)
        {
            throw new ArgumentException($"A tree hash has {Size} bytes.", nameof(hash));
        }

        hash.CopyTo(bytes);
    }

    /// <summary>Root of the tree without a leaf: the hash of nothing.</summary>
    public static TreeHash Empty { get; } = new(SHA256.HashData([]));

    /// <summary>Its 32 bytes.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Span => bytes;

    /// <summary>Whether two are the same.</summary>
    public static bool operator ==(TreeHash left, TreeHash right) => left.Equals(right);

    /// <summary>Whether two differ.</summary>
    public static bool operator !=(TreeHash left, TreeHash right) => !left.Equals(right);

    /// <summary>Hash of a leaf: <c>SHA-256(0x00 || entry)</c>.</summary>
    public static TreeHash OfLeaf(ReadOnlySpan<byte> entry)
    {
        byte[]? rented = null;
        var input = entry.Length < OnStack ? stackalloc byte[OnStack] : rented = ArrayPool<byte>.Shared.Rent(entry.Length + 1);
        input[0] = LeafMark;
        entry.CopyTo(input[1..]);
        var hash = Of(input[..(entry.Length + 1)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return hash;
    }

    /// <summary>Hash of an inner node: <c>SHA-256(0x01 || left || right)</c>.</summary>
    public static TreeHash OfChildren(in TreeHash left, in TreeHash right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * Size)];
        input[0] = NodeMark;
        left.Span.CopyTo(input[1..]);
        right.Span.CopyTo(input[(1 + Size)..]);
        return Of(input);
    }

    /// <summary>Reads base64 as RFC 4648 §4 writes it and no other way: one hash has one text.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TreeHash hash)
    {
        Span<byte> decoded = stackalloc byte[Size];
        Span<char> again = stackalloc char[TextSize];
        if (text.Length == TextSize && Convert.TryFromBase64Chars(text, decoded, out var length) && length == Size
            && Convert.TryToBase64Chars(decoded, again, out _) && text.SequenceEqual(again))
        {
            hash = new TreeHash(decoded);
            return true;
        }

        hash = default;
        return false;
    }

    /// <inheritdoc />
    public bool Equals(TreeHash other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is TreeHash other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => BitConverter.ToInt32(Span);

    /// <summary>Its base64.</summary>
    public override string ToString() => Convert.ToBase64String(Span);

    private static TreeHash Of(ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(input, hash);
        return new TreeHash(hash);
    }

    [InlineArray(Size)]
    private struct Bytes
    {
        private byte first;
    }
}
