namespace MissionControl.Protocol.Tokens;

/// <summary>Base 62 with the digits 0-9A-Za-z, most significant first.</summary>
internal static class Base62
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Writes a number padded with zeros to <paramref name="destination"/>'s length; the number must fit.</summary>
    public static void Write(UInt128 value, Span<char> destination)
    {
        for (var i = destination.Length - 1; i >= 0; i--)
        {
            (value, var digit) = UInt128.DivRem(value, 62);
            destination[i] = Digits[(int)digit];
        }
    }

    public static int DigitOf(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'A' and <= 'Z' => c - 'A' + 10,
        >= 'a' and <= 'z' => c - 'a' + 36,
        _ => -1,
    };

    public static bool IsText(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (DigitOf(c) < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Characters that a block of bytes takes: 8 bytes become 11 characters, a rest its share, rounded up.</summary>
    public static int LengthOf(int bytes) => (bytes / 8 * 11) + RestLength(bytes % 8);

    /// <summary>Encodes block by block, so that the cost is linear in the length.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[LengthOf(bytes.Length)];
        var at = 0;
        for (var i = 0; i < bytes.Length; i += 8)
        {
            var block = bytes.Slice(i, Math.Min(8, bytes.Length - i));
            var length = block.Length == 8 ? 11 : RestLength(block.Length);
            ulong value = 0;
            foreach (var b in block)
            {
                value = (value << 8) | b;
            }

            Write(value, text.AsSpan(at, length));
            at += length;
        }

        return new string(text);
    }

    /// <summary>Decodes; false for other digits, impossible lengths, and texts that encode more than their bytes hold.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        var rest = text.Length % 11;
        var restBytes = rest == 0 ? 0 : Enumerable.Range(1, 7).FirstOrDefault(count => RestLength(count) == rest);
        if (rest != 0 && restBytes == 0)
        {
            return false;
        }

        var result = new byte[(text.Length / 11 * 8) + restBytes];
        var at = 0;
        for (var i = 0; i < text.Length; i += 11)
        {
            var chars = text.Slice(i, Math.Min(11, text.Length - i));
            var count = chars.Length == 11 ? 8 : restBytes;
            UInt128 value = 0;
            foreach (var c in chars)
            {
                var digit = DigitOf(c);
                if (digit < 0)
                {
                    return false;
                }

                value = (value * 62) + (uint)digit;
            }

            if (value >> (count * 8) != UInt128.Zero)
            {
                return false;
            }

            for (var b = count - 1; b >= 0; b--)
            {
                result[at + b] = (byte)value;
                value >>= 8;
            }

            at += count;
        }

        bytes = result;
        return true;
    }

    private static int RestLength(int bytes) => bytes == 0 ? 0 : (int)Math.Ceiling(bytes * 8 / BitsPerDigit);

    private const double BitsPerDigit = 5.954196310386875;
}
