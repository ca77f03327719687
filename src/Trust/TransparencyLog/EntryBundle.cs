using System.Buffers;
using System.Buffers.Binary;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>Up to 256 entries as a log serves them: each behind its length in two bytes, big end first (C2SP tlog-tiles, "Log entries").</summary>
public static class EntryBundle
{
    /// <summary>Adds an entry.</summary>
    /// <exception cref="ArgumentException">It is longer than 65,535 bytes.</exception>
    public static void Write(IBufferWriter<byte> bundle, ReadOnlySpan<byte> entry)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        if (entry.Length > TreeHash.MaxEntry)
        {
            throw new ArgumentException($"An entry has {TreeHash.MaxEntry} bytes at most.", nameof(entry));
        }

        BinaryPrimitives.WriteUInt16BigEndian(bundle.GetSpan(2), (ushort)entry.Length);
        bundle.Advance(2);
        bundle.Write(entry);
    }

    /// <summary>Takes the next entry off the front.</summary>
    /// <param name="bundle">What is left of the bundle; what is left after it.</param>
    /// <param name="entry">The entry.</param>
    /// <returns>False when there is no whole entry at the front: at the end, where nothing is left, or because the bundle is broken.</returns>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> bundle, out ReadOnlySpan<byte> entry)
    {
        if (bundle.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(bundle) is var length && bundle.Length - 2 < length)
        {
            entry = default;
            return false;
        }

        entry = bundle.Slice(2, length);
        bundle = bundle[(2 + length)..];
        return true;
    }
}
