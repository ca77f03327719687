namespace MissionControl.Security.Tests.Fuzz;

/// <summary>Bends valid bytes, the same way for the same seed: a failure names the seed and can be had again.</summary>
internal sealed class Mutator(int seed)
{
    private static readonly byte[][] Tokens =
    [
        [0], [0xff], [0x7f], [0x80], "\""u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), "["u8.ToArray(), "]"u8.ToArray(), ","u8.ToArray(), ":"u8.ToArray(), "\\"u8.ToArray(), "\\ud800"u8.ToArray(), "\\u0000"u8.ToArray(),
        "null"u8.ToArray(), "true"u8.ToArray(), "NaN"u8.ToArray(), "1e999"u8.ToArray(), "-0"u8.ToArray(), "9223372036854775808"u8.ToArray(), "."u8.ToArray(), "="u8.ToArray(), "_"u8.ToArray(),
        [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0xff, 0xff, 0xff, 0xff, 0x0f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0x0b], [0x0c], [0x2a, 0x00], [0x1f, 0x8b, 0x08],
    ];

    private readonly Random random = new(seed);

    /// <summary>How often a target is tried: seconds in every run, minutes with <c>infra/dev test --long</c>.</summary>
    public static int Rounds(int few) => Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1" ? few * 100 : few;

    /// <summary>A copy of one of the samples, bent in one to four places.</summary>
    public byte[] Next(IReadOnlyList<byte[]> corpus)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
        for (var edits = random.Next(1, 5); edits > 0; edits--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(8))
            {
                case 0 when bytes.Count > 0:
                    bytes[Math.Min(at, bytes.Count - 1)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when bytes.Count > 0:
                    bytes[Math.Min(at, bytes.Count - 1)] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5 when bytes.Count > 0:
                    // A piece twice: keys, fields and list entries that may stand once.
                    var length = Math.Min(random.Next(1, 40), bytes.Count - Math.Min(at, bytes.Count - 1));
                    bytes.InsertRange(at, bytes.GetRange(Math.Min(at, bytes.Count - 1), length));
                    break;
                case 6:
                    // The end of another sample.
                    var other = corpus[random.Next(corpus.Count)];
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other[random.Next(other.Length + 1)..]);
                    break;
                default:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(1, 20)));
                    break;
            }
        }

        return [.. bytes];
    }
}
