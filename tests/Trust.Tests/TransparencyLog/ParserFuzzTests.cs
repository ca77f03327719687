using System.Text;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

/// <summary>
/// Whatever somebody sends in place of a note, a proof, a policy, an epoch, a bundle or a path is read or refused in words, and what is
/// read is written again as it came: a document has one form.
/// </summary>
public sealed class ParserFuzzTests : IDisposable
{
    private const int Rounds = 20_000;
    private readonly NoteSigner log = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, new byte[32]);
    private readonly NoteSigner witness = NoteSigner.FromSeed("w", NoteKeyType.Cosignature, [.. Enumerable.Repeat((byte)1, 32)]);

    private SignedNote Note
    {
        get
        {
            var text = new Checkpoint(log.Key.Name, 2, NaiveTree.Of(2).Root(2)).ToString();
            return new SignedNote(text, [log.Sign(Encoding.UTF8.GetBytes(text)), witness.Sign(Encoding.UTF8.GetBytes(text), 5)]);
        }
    }

    public void Dispose()
    {
        log.Dispose();
        witness.Dispose();
    }

    [Fact]
    public void Notes_and_checkpoints() => Bend(Note.ToBytes(), bytes =>
    {
        var note = SignedNote.Parse(bytes);
        Assert.Equal(bytes, note.ToBytes());
        Assert.Equal(note.Text, Checkpoint.Parse(note.Text).ToString());
    });

    [Fact]
    public void Proofs()
    {
        var proof = new LogProof(1, NaiveTree.Of(2).Path(1, 2), Note) { Extra = new byte[] { 1, 2, 3, 4 } };
        Bend(proof.ToBytes(), bytes => Assert.Equal(bytes, LogProof.Parse(bytes).ToBytes()));
    }

    [Fact]
    public void Policies() => Bend(Encoding.UTF8.GetBytes($"log {log.Key} https://a\nwitness w {witness.Key}\ngroup g 1 w\nquorum g\n"), bytes => LogPolicy.Parse(Encoding.UTF8.GetString(bytes)).Dispose());

    [Fact]
    public void Epochs() => Bend(new Epoch(1, 2, 3, TreeHash.Empty, TreeHash.Empty).ToBytes(), bytes => Assert.Equal(bytes, Epoch.Parse(bytes).ToBytes()));

    [Fact]
    public void Proofs_of_slots()
    {
        var proof = new SlotProof(7, 1, 2, new byte[Epoch.BlindingSize], NaiveTree.Of(2).Path(1, 2), Note);
        Bend(proof.ToBytes(), bytes => Assert.Equal(bytes, SlotProof.Parse(bytes).ToBytes()));
    }

    [Fact]
    public void Keys() => Bend(Encoding.UTF8.GetBytes(log.Key.ToString()), bytes =>
    {
        var text = Encoding.UTF8.GetString(bytes);
        if (NoteKey.TryParse(text, out var key))
        {
            Assert.Equal(text, key.ToString());
            key.Dispose();
        }
    });

    [Fact]
    public void Paths_of_tiles() => Bend("tile/0/x001/x234/067.p/112"u8.ToArray(), bytes =>
    {
        var text = Encoding.UTF8.GetString(bytes);
        Assert.True(!TileId.TryParse(text, out var id) || id.ToString() == text, text);
    });

    [Fact]
    public void Bundles_of_entries() => Bend([0, 3, 1, 2, 3, 0, 0, 0, 1, 9], bytes =>
    {
        ReadOnlySpan<byte> rest = bytes;
        var again = new System.Buffers.ArrayBufferWriter<byte>();
        while (EntryBundle.TryRead(ref rest, out var entry))
        {
            EntryBundle.Write(again, entry);
        }

        Assert.Equal(bytes.AsSpan(), (ReadOnlySpan<byte>)[.. again.WrittenSpan, .. rest]);
    });

    private static void Bend(byte[] sample, Action<byte[]> read)
    {
        read(sample);
        var random = new Random(1);
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = sample.ToList();
            for (var changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(6))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 2:
                        bytes.RemoveAt(at);
                        break;
                    case 3:
                        bytes.Insert(at, "\n\0 +=0\u00e2"u8[random.Next(7)]);
                        break;
                    case 4:
                        bytes.RemoveRange(at, random.Next(bytes.Count - at));
                        break;
                    default:
                        bytes.InsertRange(at, bytes.Slice(at, random.Next(bytes.Count - at)));
                        break;
                }
            }

            try
            {
                read([.. bytes]);
            }
            catch (FormatException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
        }
    }
}
