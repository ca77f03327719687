using System.Text;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

public sealed class NoteTests : IDisposable
{
    private const string Text = "example.com/log\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    private readonly NoteSigner log = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());
    private readonly NoteSigner witness = NoteSigner.FromSeed("witness.example/größe", NoteKeyType.Cosignature, Ed25519Key.NewSeed());
    private readonly NoteSigner stranger = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());

    public void Dispose()
    {
        log.Dispose();
        witness.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public void What_a_log_and_a_witness_have_signed_is_read_back_with_the_witness_time()
    {
        var note = SignedNote.Parse(Signed().ToBytes());
        var opened = note.Open([log.Key, witness.Key]);
        Assert.Equal(Text, note.Text);
        Assert.Equal([(log.Key, 0L), (witness.Key, 1_679_315_147L)], opened.Verified);
        Assert.Equal(Signed().ToString(), note.ToString());
        Assert.Equal(log.Key.Id, Read(log.Key).Id);
        Assert.Equal(witness.Key.ToString(), Read(witness.Key).ToString());
    }

    [Fact]
    public void No_single_changed_bit_is_opened_as_what_was_signed()
    {
        var bytes = Signed().ToBytes();
        for (var i = 0; i < bytes.Length * 8; i++)
        {
            var changed = bytes.ToArray();
            changed[i / 8] ^= (byte)(1 << (i % 8));
            try
            {
                // A name or an id that changed makes a signature somebody else's; never does a text pass that was not signed.
                Assert.Equal(Text, SignedNote.Parse(changed).Open([log.Key, witness.Key]).Note.Text);
            }
            catch (FormatException)
            {
            }
        }
    }

    [Fact]
    public void A_bad_signature_of_a_known_key_spoils_the_note_and_those_of_strangers_say_nothing()
    {
        var bad = new NoteSignature(log.Key.Name, log.Key.Id, stranger.Sign(Encoding.UTF8.GetBytes(Text)).Bytes);
        Assert.Throws<FormatException>(() => new SignedNote(Text, [witness.Sign(Encoding.UTF8.GetBytes(Text), 1), bad]).Open([log.Key, witness.Key]));
        Assert.Throws<FormatException>(() => new SignedNote(Text, [stranger.Sign(Encoding.UTF8.GetBytes(Text))]).Open([log.Key]));
        Assert.Single(Signed().With(stranger.Sign(Encoding.UTF8.GetBytes(Text))).Open([log.Key]).Verified);

        // What a log signs is no cosignature of a witness with the same key, and the other way round.
        using var both = NoteSigner.FromSeed("a", NoteKeyType.Ed25519, new byte[32]);
        using var cosigner = NoteSigner.FromSeed("a", NoteKeyType.Cosignature, new byte[32]);
        Assert.NotEqual(both.Key.Id, cosigner.Key.Id);
        var bare = both.Sign(Encoding.UTF8.GetBytes(Text));
        Assert.False(cosigner.Key.Verify(Encoding.UTF8.GetBytes(Text), bare with { KeyId = cosigner.Key.Id, Bytes = (byte[])[.. new byte[8], .. bare.Bytes.Span] }, out _));
    }

    [Fact]
    public void A_cosignature_binds_its_time()
    {
        var signature = witness.Sign(Encoding.UTF8.GetBytes(Text), 1000);
        var later = signature.Bytes.ToArray();
        later[7]++;
        Assert.True(witness.Key.Verify(Encoding.UTF8.GetBytes(Text), signature, out var time));
        Assert.Equal(1000, time);
        Assert.False(witness.Key.Verify(Encoding.UTF8.GetBytes(Text), signature with { Bytes = later }, out _));
        later = signature.Bytes.ToArray();
        later[0] = 0x80;
        Assert.False(witness.Key.Verify(Encoding.UTF8.GetBytes(Text), signature with { Bytes = later }, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => witness.Sign(Encoding.UTF8.GetBytes(Text), -1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n\n")]
    [InlineData("text\n\n— a AAAAAAA=")]
    [InlineData("text\n\n- a AAAAAAA=\n")]
    [InlineData("text\n\n—a AAAAAAA=\n")]
    [InlineData("text\n\n— a\n")]
    [InlineData("text\n\n—  AAAAAAA=\n")]
    [InlineData("text\n\n— a AAAA\n")]
    [InlineData("text\n\n— a AAAAAA==\n")]
    [InlineData("text\n\n— a AAAAAAB=\n")]
    [InlineData("text\n\n— a AAAAAAA=\r\n")]
    [InlineData("text\r\n\r\n— a AAAAAAA=\n")]
    [InlineData("text\n\n— a+b AAAAAAA=\n")]
    [InlineData("text\n\n— a\u00a0b AAAAAAA=\n")]
    [InlineData("text\n\n— a AAAAAAA= \n")]
    [InlineData("te\u0001xt\n\n— a AAAAAAA=\n")]
    [InlineData("te\txt\n\n— a AAAAAAA=\n")]
    [InlineData("text\n\n— a AAAAAAA=\nmore\n")]
    public void What_is_no_note_is_refused_in_words(string note) =>
        Assert.NotEmpty(Assert.Throws<FormatException>(() => SignedNote.Parse(Encoding.UTF8.GetBytes(note))).Message);

    [Fact]
    public void A_note_is_utf8_has_a_hundred_signatures_and_a_megabyte_at_most()
    {
        Assert.Throws<FormatException>(() => SignedNote.Parse([0xff, .. Signed().ToBytes()]));
        var line = Signed().Signatures[0];
        Assert.Equal(100, SignedNote.Parse(new SignedNote(Text, [.. Enumerable.Repeat(line, 100)]).ToBytes()).Signatures.Count);
        Assert.Throws<FormatException>(() => SignedNote.Parse(new SignedNote(Text, [.. Enumerable.Repeat(line, 101)]).ToBytes()));
        Assert.Throws<FormatException>(() => SignedNote.Parse(Encoding.UTF8.GetBytes(new string('a', SignedNote.MaxLength) + Signed())));
        Assert.Single(new SignedNote(Text, [line, line]).Open([log.Key]).Verified);
    }

    [Fact]
    public void No_part_and_no_bent_copy_of_a_key_is_taken_for_it()
    {
        var text = log.Key.ToString();
        for (var from = 0; from <= text.Length; from++)
        {
            for (var to = from; to <= text.Length; to++)
            {
                Assert.Equal(from == 0 && to == text.Length, NoteKey.TryParse(text[from..to], out var key));
                key?.Dispose();
            }
        }

        for (var i = 0; i < text.Length; i++)
        {
            foreach (var letter in "+=AZaz09/ \n\u2014")
            {
                var bent = $"{text[..i]}{letter}{text[(i + 1)..]}";
                Assert.True(bent == text || !NoteKey.TryParse(bent, out _), bent);
            }
        }

        Assert.False(NoteKey.TryParse(null, out _));
        Assert.Throws<ArgumentException>(() => NoteKey.From("a+b", NoteKeyType.Ed25519, new byte[32]));
        Assert.Throws<ArgumentException>(() => NoteKey.From("a b", NoteKeyType.Ed25519, new byte[32]));
        Assert.DoesNotContain("+KEY+", Assert.Throws<FormatException>(() => NoteSigner.Parse("PRIVATE+KEY+a+00000000+AAAA")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", true)]
    [InlineData("o\n9223372036854775807\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", true)]
    [InlineData("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n", true)]
    [InlineData("o\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n18446744073709551616\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n+1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n1 \nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n٣\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", false)]
    [InlineData("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", false)]
    [InlineData("o\n1\nAAAA\n", false)]
    [InlineData("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", false)]
    [InlineData("o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false)]
    [InlineData("o\n1\n", false)]
    [InlineData("", false)]
    public void A_checkpoint_is_read_in_one_form_only(string text, bool isOne)
    {
        if (isOne)
        {
            Assert.Equal(text, Checkpoint.Parse(text).ToString());
        }
        else
        {
            Assert.NotEmpty(Assert.Throws<FormatException>(() => Checkpoint.Parse(text)).Message);
        }
    }

    private static NoteKey Read(NoteKey key) => NoteKey.TryParse(key.ToString(), out var read) ? read : throw new InvalidOperationException(key.ToString());

    private SignedNote Signed() => new(Text, [log.Sign(Encoding.UTF8.GetBytes(Text)), witness.Sign(Encoding.UTF8.GetBytes(Text), 1_679_315_147)]);
}
