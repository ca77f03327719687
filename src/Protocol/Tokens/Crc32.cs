namespace MissionControl.Protocol.Tokens;

/// <summary>CRC-32 (IEEE 802.3), for telling a token from a look-alike without a database; never authentication.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(i =>
    {
        var value = (uint)i;
        for (var bit = 0; bit < 8; bit++)
        {
            value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
        }

        return value;
    })];

    /// <summary>The CRC of ASCII text.</summary>
    public static uint Of(ReadOnlySpan<char> ascii)
    {
        var crc = uint.MaxValue;
        foreach (var c in ascii)
        {
            crc = Table[(crc ^ c) & 0xFF] ^ (crc >> 8);
        }

        return ~crc;
    }
}
