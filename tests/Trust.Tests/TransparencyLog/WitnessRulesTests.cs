using System.Text;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

/// <summary>What a witness says of a checkpoint (C2SP tlog-witness), held against trees made by the definition.</summary>
public sealed class WitnessRulesTests
{
    private const string Origin = "example.com/log";
    private const int Most = 18;
    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly NaiveTree Tree = NaiveTree.Of(Most);

    [Fact]
    public void Every_growth_is_consistent_from_where_it_was_seen_and_from_nowhere_else()
    {
        using var log = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Seed);
        for (var size = 0; size <= Most; size++)
        {
            for (var seen = 0; seen <= Most; seen++)
            {
                var held = new Checkpoint(Origin, seen, Tree.Root(seen));
                for (var old = 0; old <= size; old++)
                {
                    var expected = size < seen ? WitnessFinding.Rollback : size == seen || old == seen ? WitnessFinding.Consistent : WitnessFinding.Conflict;
                    Assert.Equal(expected, Judge(held, new AddCheckpoint(old, Tree.Proof(old, size), Note(log, size, Tree.Root(size))), log));
                }
            }
        }
    }

    [Fact]
    public void What_is_not_the_log_that_was_seen_is_none_of_its_growths()
    {
        using var log = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Seed);
        using var stranger = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        using var other = NoteSigner.FromSeed("example.com/other", NoteKeyType.Ed25519, Seed);
        var held = new Checkpoint(Origin, 7, Tree.Root(7));
        var honest = new AddCheckpoint(7, Tree.Proof(7, 11), Note(log, 11, Tree.Root(11)));
        Assert.Equal(WitnessFinding.Consistent, Judge(held, honest, log));
        Assert.Equal(WitnessFinding.Fork, Judge(held, honest with { Note = Note(log, 7, Tree.Root(8)) }, log));
        Assert.Equal(WitnessFinding.Inconsistent, Judge(held, honest with { Note = Note(log, 11, Tree.Root(12)) }, log));
        Assert.Equal(WitnessFinding.Inconsistent, Judge(held, honest with { Proof = [.. honest.Proof.Skip(1)] }, log));
        Assert.Equal(WitnessFinding.Inconsistent, Judge(held, honest with { Proof = [.. honest.Proof, honest.Proof[0]] }, log));
        Assert.Equal(WitnessFinding.Signature, Judge(held, honest with { Note = Note(stranger, 11, Tree.Root(11)) }, log));
        Assert.Equal(WitnessFinding.OtherLog, Judge(held, honest with { Note = Note(other, 11, Tree.Root(11)) }, log));

        // Nobody proves anything to whoever has seen nothing.
        Assert.Equal(WitnessFinding.Conflict, Judge(null, honest, log));
        Assert.Equal(WitnessFinding.Consistent, Judge(null, honest with { Old = 0, Proof = [] }, log));

        // A good signature beside a bad one of a key that is known is worth nothing.
        var both = honest.Note.With(new NoteSignature(stranger.Key.Name, stranger.Key.Id, new byte[64]));
        Assert.Equal(WitnessFinding.Signature, WitnessRules.Judge(held, honest with { Note = both }, [log.Key.PublicKey, stranger.Key.PublicKey], out _));
        Assert.Equal(WitnessFinding.Consistent, Judge(held, honest with { Note = both }, log));
    }

    [Fact]
    public void A_cosignature_is_that_of_the_standard_and_its_name_is_made_of_the_key()
    {
        using var key = Ed25519Key.FromSeed(Seed);
        var name = WitnessRules.NameOf(key.PublicKey.Span);
        Assert.Equal("mc-witness-56475aa75463474c", name);
        using var signer = NoteSigner.FromSeed(name, NoteKeyType.Cosignature, Seed);
        using var log = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Seed);
        var note = Note(log, 5, Tree.Root(5));
        var line = WitnessRules.Cosign(key.PublicKey.Span, key.Sign, note.Text, 1_764_000_000);
        Assert.Equal(signer.Sign(Encoding.UTF8.GetBytes(note.Text), 1_764_000_000).ToString(), line.ToString());
        using var policy = LogPolicy.Parse($"log {log.Key}\nwitness w {signer.Key}\nquorum w\n");
        Assert.Equal((true, 1_764_000_000L), (policy.Judge(note.With(line)).HasQuorum, policy.Judge(note.With(line)).Witnesses["w"]));
        Assert.False(policy.Judge(note).HasQuorum);
    }

    [Fact]
    public void A_request_is_read_as_it_is_written_and_nothing_else_is()
    {
        using var log = NoteSigner.FromSeed(Origin, NoteKeyType.Ed25519, Seed);
        var request = new AddCheckpoint(7, Tree.Proof(7, 11), Note(log, 11, Tree.Root(11)));
        var text = request.ToString();
        Assert.Equal(text, AddCheckpoint.Parse(request.ToBytes()).ToString());
        Assert.Equal($"old 0\n\n{request.Note}", (request with { Old = 0, Proof = [] }).ToString());
        var hash = $"{request.Proof[0]}\n";
        foreach (var wrong in new[]
        {
            "", "\n\n", text.Replace("old 7", "old 07", StringComparison.Ordinal), text.Replace("old 7", "old -7", StringComparison.Ordinal), text.Replace("old 7", "Old 7", StringComparison.Ordinal), text.Replace("old 7", "old 9223372036854775808", StringComparison.Ordinal),
            text.Replace("\n\n", "\n", StringComparison.Ordinal), text.Replace("\n", "\r\n", StringComparison.Ordinal), text.Replace(hash, $" {hash}", StringComparison.Ordinal), text.Replace(hash, "AAAA\n", StringComparison.Ordinal),
            text.Replace(hash, string.Concat(Enumerable.Repeat(hash, AddCheckpoint.MaxProof + 1)), StringComparison.Ordinal),
        })
        {
            Assert.Throws<FormatException>(() => AddCheckpoint.Parse(Encoding.UTF8.GetBytes(wrong)));
        }

        // Whatever is changed in it, it is read or refused, and nothing else is thrown.
        var random = new Random(7);
        for (var round = 0; round < 5_000; round++)
        {
            var bytes = request.ToBytes();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                Judge(new Checkpoint(Origin, 7, Tree.Root(7)), AddCheckpoint.Parse(bytes.AsSpan(0, random.Next(bytes.Length + 1))), log);
            }
            catch (FormatException)
            {
                // As it should be.
            }
        }
    }

    private static WitnessFinding Judge(Checkpoint? seen, AddCheckpoint request, NoteSigner log) => WitnessRules.Judge(seen, request, [log.Key.PublicKey], out _);

    private static SignedNote Note(NoteSigner log, int size, TreeHash root)
    {
        var text = new Checkpoint(log.Key.Name, size, root).ToString();
        return new SignedNote(text, [log.Sign(Encoding.UTF8.GetBytes(text))]);
    }
}
