using System.Text;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

/// <summary>Epochs, the slots that they bind and the proofs of that.</summary>
public sealed class EpochTests : IDisposable
{
    private const string Vector = "mc-epoch/v1\n1\n1764000000\n1\n5Q/V/XMrElym3SPyJ59sLCek2EE1Sr5aldNFTAdyNh4=\n70xJnhqkLfzJt26peKSUSihaqiiv7cScOLCUzsTsZ8A=\n";
    private readonly NoteSigner log = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());

    private static byte[] Key => [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public void Dispose() => log.Dispose();

    [Fact]
    public void The_vectors_of_the_documentation_hold()
    {
        // Computed from the words of docs/audit-log.md by another program.
        var head = new Checkpoint("example.com/log", 3, Hash("SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I="));
        Assert.Equal("dd12e3f09e85b8f1646d96744e4ecc0468d4e071ac6be42f731dd79a3bb857e2", Convert.ToHexStringLower(Epoch.Blind(Key, 7)));
        var leaf = Epoch.SlotOf(7, head, Epoch.Blind(Key, 7));
        Assert.Equal("e50fd5fd732b125ca6dd23f2279f6c2c27a4d841354abe5a95d3454c0772361e", Convert.ToHexStringLower(leaf.Span));
        var epoch = new Epoch(1, 1_764_000_000, 1, leaf, Epoch.HashOf(new Checkpoint("example.com/anchor", 0, TreeHash.Empty)));
        Assert.Equal(Vector, Encoding.ASCII.GetString(epoch.ToBytes()));
        Assert.Equal("2510d64a5e3ce9d69dc3d8529c8e2d03e7798eeee141b24ad2f5395c6df3e87d", Convert.ToHexStringLower(TreeHash.OfLeaf(epoch.ToBytes()).Span));
    }

    [Fact]
    public void An_epoch_is_read_as_it_was_written_and_in_one_form_only()
    {
        Assert.Equal(new Epoch(1, 1_764_000_000, 1, Hash("5Q/V/XMrElym3SPyJ59sLCek2EE1Sr5aldNFTAdyNh4="), Hash("70xJnhqkLfzJt26peKSUSihaqiiv7cScOLCUzsTsZ8A=")), Epoch.Parse(Encoding.ASCII.GetBytes(Vector)));
        foreach (var bent in new[] { Vector + "\n", Vector[..^1], Vector.Replace("h/v1", "h/v2", StringComparison.Ordinal), Vector.Replace("v1\n1\n", "v1\n01\n", StringComparison.Ordinal), Vector.Replace("v1\n1\n", "v1\n0\n", StringComparison.Ordinal), Vector.Replace("\n", "\r\n", StringComparison.Ordinal), Vector.Replace("\n1764000000\n", "\n", StringComparison.Ordinal), "" })
        {
            Assert.Throws<FormatException>(() => Epoch.Parse(Encoding.UTF8.GetBytes(bent)));
        }
    }

    [Fact]
    public void The_tree_over_the_slots_is_the_tree_of_the_standard()
    {
        for (var size = 0; size <= 70; size++)
        {
            var naive = NaiveTree.Of(size);
            var tree = new SlotTree([.. Enumerable.Range(0, size).Select(naive.Leaf)]);
            Assert.Equal((size, naive.Root(size)), (tree.Size, tree.Root));
            for (var slot = 0; slot < size; slot++)
            {
                Assert.Equal(naive.Path(slot, size), tree.Path(slot));
            }
        }
    }

    [Fact]
    public void Of_two_views_of_a_log_in_one_epoch_one_alone_has_a_proof()
    {
        var (shown, other) = (Signed(5, 1), Signed(5, 2));
        var (epoch, tree) = Close(7, slot: 3, shown);
        var proof = new SlotProof(7, 3, tree.Size, Epoch.Blind(Key, 7), tree.Path(3), shown);
        proof.Verify(epoch);
        SlotProof.Parse(proof.ToBytes()).Verify(epoch);

        // Whatever whoever holds all keys may say of the other one: another slot, another blinding, another epoch.
        foreach (var lie in new[] { proof with { Note = other }, proof with { Note = Signed(4, 1) }, proof with { Note = other, Slot = 2, Path = tree.Path(2) }, proof with { Note = other, Blinding = Epoch.Blind(Key, 8) }, proof with { Epoch = 8 }, proof with { Slots = 9 }, proof with { Slot = 2 }, proof with { Path = [.. proof.Path, TreeHash.Empty] } })
        {
            Assert.Throws<FormatException>(() => lie.Verify(epoch));
        }

        // It would be bound by another epoch only, or in another slot, which are others' in the anchor and in the log of the fleet.
        Assert.Throws<FormatException>(() => proof.Verify(Close(7, slot: 3, other).Epoch));
        Assert.Throws<FormatException>(() => proof.Verify(epoch with { Number = 8 }));
    }

    [Fact]
    public void Neighbours_see_neither_what_a_log_is_nor_that_it_rests()
    {
        var mine = Signed(5, 1);
        var (first, second) = (Close(7, slot: 3, mine).Tree, Close(8, slot: 3, mine).Tree);

        // Nobody has grown between the two, and no hash of any proof is the same.
        for (var slot = 0; slot < first.Size; slot++)
        {
            Assert.Empty(first.Path(slot).Intersect(second.Path(slot)));
        }

        // Bits of what is shown of a log at rest are as those of a coin: half of them change from epoch to epoch.
        var head = Checkpoint.Parse(mine.Text);
        var leaves = Enumerable.Range(1, 400).Select(number => Epoch.SlotOf(number, head, Epoch.Blind(Key, number))).ToList();
        var changed = leaves.Zip(leaves.Skip(1), (one, next) => one.Span.ToArray().Zip(next.Span.ToArray(), (left, right) => System.Numerics.BitOperations.PopCount((uint)(left ^ right))).Sum()).Average();
        Assert.InRange(changed, 124, 132);

        // Who has only the numbers tries them all in vain.
        var seen = first[3];
        Assert.All(Enumerable.Range(0, 1000), size => Assert.NotEqual(seen, Epoch.SlotOf(7, head with { Size = size }, new byte[Epoch.BlindingSize])));
    }

    [Theory]
    [InlineData("epoch 7", "epoch 07")]
    [InlineData("slot 3\n", "slot 3 \n")]
    [InlineData("slots 8\n", "")]
    [InlineData("blinding ", "blinding A")]
    [InlineData("mc-slot-proof/v1", "mc-slot-proof/v2")]
    [InlineData("\n\nexample", "\nexample")]
    public void A_proof_of_a_slot_has_one_form(string part, string bent)
    {
        var (_, tree) = Close(7, slot: 3, Signed(5, 1));
        var text = new SlotProof(7, 3, 8, Epoch.Blind(Key, 7), tree.Path(3), Signed(5, 1)).ToString();
        Assert.Equal(text, SlotProof.Parse(Encoding.UTF8.GetBytes(text)).ToString());
        Assert.Contains(part, text, StringComparison.Ordinal);

        Assert.Throws<FormatException>(() => SlotProof.Parse(Encoding.UTF8.GetBytes(text.Replace(part, bent, StringComparison.Ordinal))));
    }

    private static TreeHash Hash(string text) => TreeHash.TryParse(text, out var hash) ? hash : throw new FormatException(text);

    // Eight slots, of which the others never grow.
    private static (Epoch Epoch, SlotTree Tree) Close(long number, int slot, SignedNote note)
    {
        var tree = new SlotTree([.. Enumerable.Range(0, 8).Select(i => Epoch.SlotOf(number, i == slot ? Checkpoint.Parse(note.Text) : new Checkpoint($"example.com/{i}", 1, NaiveTree.Of(1).Root(1)), Epoch.Blind(i == slot ? Key : [.. Key.Select(one => (byte)(one + i + 1))], number)))]);
        return (new Epoch(number, 1_764_000_000 + number, tree.Size, tree.Root, TreeHash.Empty), tree);
    }

    private SignedNote Signed(int size, byte story)
    {
        var text = new Checkpoint(log.Key.Name, size, new NaiveTree([.. Enumerable.Range(0, size).Select(i => new byte[] { (byte)i, story })]).Root(size)).ToString();
        return new SignedNote(text, [log.Sign(Encoding.UTF8.GetBytes(text))]);
    }
}
