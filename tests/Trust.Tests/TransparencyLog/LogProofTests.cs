using System.Text;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

public sealed class LogProofTests : IDisposable
{
    private const int Size = 11;
    private static readonly NaiveTree Tree = NaiveTree.Of(Size);
    private readonly NoteSigner log = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());
    private readonly NoteSigner[] witnesses = [.. Enumerable.Range(1, 3).Select(i => NoteSigner.FromSeed($"w{i}", NoteKeyType.Cosignature, Ed25519Key.NewSeed()))];

    public void Dispose()
    {
        log.Dispose();
        Array.ForEach(witnesses, witness => witness.Dispose());
    }

    [Fact]
    public void A_receipt_proves_its_entry_and_no_other_at_its_place_and_no_other()
    {
        using var policy = Policy("quorum none");
        for (var index = 0; index < Size; index++)
        {
            var sent = Proof(index) with { Extra = new byte[] { 1, 2, 3 } };
            var proof = LogProof.Parse(sent.ToBytes());
            Assert.Equal(sent.ToString(), proof.ToString());
            Assert.Equal([1, 2, 3], proof.Extra.ToArray());
            var seen = proof.Verify(BitConverter.GetBytes(index), policy);
            Assert.Equal((Size, log.Key.Id), (seen.Checkpoint.Size, seen.Log.Id));
            Assert.Throws<FormatException>(() => proof.Verify(BitConverter.GetBytes(index + 1), policy));
            Assert.Throws<FormatException>(() => (proof with { Index = (index + 1) % Size }).Verify(BitConverter.GetBytes(index), policy));
            Assert.Throws<FormatException>(() => (proof with { Index = Size }).Verify(BitConverter.GetBytes(index), policy));
        }
    }

    [Fact]
    public void It_is_worth_nothing_from_a_log_by_another_key_or_name_or_with_too_few_witnesses()
    {
        using var two = Policy("group both 2 one two three\nquorum both");
        Assert.Throws<FormatException>(() => Proof(3).Verify(BitConverter.GetBytes(3), two));
        Assert.Throws<FormatException>(() => Proof(3, 1).Verify(BitConverter.GetBytes(3), two));
        Assert.Equal(["one", "two"], Proof(3, 2).Verify(BitConverter.GetBytes(3), two).Witnesses.Keys.Order());
        Assert.Equal([1001L, 1002L], Proof(3, 2).Verify(BitConverter.GetBytes(3), two).Witnesses.Values.Order());

        using var other = NoteSigner.FromSeed("example.com/log", NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        using var foreign = LogPolicy.Parse($"log {other.Key}\nquorum none");
        Assert.Throws<FormatException>(() => Proof(3).Verify(BitConverter.GetBytes(3), foreign));

        // A known log speaks for itself alone: its key under the head of another one proves nothing.
        var text = new Checkpoint("example.com/other", Size, Tree.Root(Size)).ToString();
        using var policy = Policy("quorum none");
        Assert.Throws<FormatException>(() => (Proof(3) with { Note = new SignedNote(text, [log.Sign(Encoding.UTF8.GetBytes(text))]) }).Verify(BitConverter.GetBytes(3), policy));
    }

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v2\nindex 0\n\n")]
    [InlineData("index 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 00\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex -1\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0 \n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nextra\nindex 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nextra AA\nindex 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nindex 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\r\nindex 0\n\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\n")]
    public void Another_form_is_refused_in_words(string head) =>
        Assert.NotEmpty(Assert.Throws<FormatException>(() => LogProof.Parse([.. Encoding.UTF8.GetBytes(head), .. Proof(0).Note.ToBytes()])).Message);

    [Fact]
    public void A_path_longer_than_any_tree_is_deep_is_refused_before_it_is_walked()
    {
        var proof = Proof(0) with { Path = [.. Enumerable.Repeat(Tree.Leaf(0), 65)] };
        Assert.Throws<FormatException>(() => LogProof.Parse(proof.ToBytes()));
        Assert.Equal(64, LogProof.Parse((proof with { Path = [.. proof.Path.Skip(1)] }).ToBytes()).Path.Count);
    }

    [Fact]
    public void A_quorum_counts_groups_of_groups()
    {
        var keys = Enumerable.Range(1, 6).Select(i => NoteSigner.FromSeed($"k{i}", NoteKeyType.Cosignature, Ed25519Key.NewSeed())).ToList();
        try
        {
            var lines = keys.Select((key, i) => $"witness {"XY"[i / 3]}{(i % 3) + 1}\t{key.Key} https://witness.example/{i}");
            using var policy = LogPolicy.Parse($"  # who counts\n\nlog {log.Key} https://logs.example/one\n{string.Join('\n', lines)}\ngroup X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n");
            Assert.True(policy.HasQuorum(["X1", "X3", "Y2"]));
            Assert.True(policy.HasQuorum(["X1", "X2", "X3", "Y1", "Y2", "Y3"]));
            Assert.False(policy.HasQuorum(["X1", "X2", "X3"]));
            Assert.False(policy.HasQuorum(["X1", "Y1", "Y2", "Y3"]));
            Assert.False(policy.HasQuorum(["X1", "X1", "Y1"]));
            Assert.False(policy.HasQuorum([]));
            Assert.Equal("https://logs.example/one", Assert.Single(policy.Logs).Url);
            Assert.Equal("https://witness.example/5", policy.Witnesses["Y3"].Url);
        }
        finally
        {
            keys.ForEach(key => key.Dispose());
        }
    }

    [Fact]
    public void A_policy_that_is_none_says_in_which_line()
    {
        var (key, own) = (witnesses[0].Key.ToString(), log.Key.ToString());
        foreach (var (text, line) in new (string, int)[]
        {
            ("", 1), ($"log {own}", 1), ("log\nquorum none", 1), ("nonsense", 1), ($"log {key}\nquorum none", 1), ($"log {own}\nlog {own}\nquorum none", 2), ($"log {own} a b\nquorum none", 1),
            ($"witness a {own}\nquorum a", 1), ($"witness none {key}\nquorum none", 1), ($"witness a {key}\nwitness b {key}\nquorum a", 2), ($"witness a {key}\nwitness a {witnesses[1].Key}\nquorum a", 2),
            ($"witness a {key}\ngroup g 0 a\nquorum g", 2), ($"witness a {key}\ngroup g 2 a\nquorum g", 2), ($"witness a {key}\ngroup g 01 a\nquorum g", 2), ($"witness a {key}\ngroup g one a\nquorum g", 2), ($"witness a {key}\ngroup g any\nquorum g", 2),
            ($"witness a {key}\ngroup g all a a\nquorum g", 2), ($"witness a {key}\ngroup g all a\ngroup h all a\nquorum h", 3), ($"witness a {key}\ngroup g all g\nquorum g", 2), ($"group g all none\nquorum g", 1), ($"witness a {key}\ngroup a all a\nquorum a", 2),
            ("quorum a", 1), ("quorum none\nquorum none", 2), ($"quorum a\nwitness a {key}", 1), ("quorum none\r\n", 1), ("quorum none\0", 1), ("quorum none extra", 1),
        })
        {
            Assert.StartsWith($"Line {line} of the policy: ", Assert.Throws<FormatException>(() => LogPolicy.Parse(text)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_commitment_is_to_one_field_and_value_and_equal_values_do_not_look_equal()
    {
        var (salt, other) = (Commitment.NewSalt(), Commitment.NewSalt());
        var commitment = Commitment.Of(salt, "email", "ada@vendor.example");
        Assert.True(Commitment.Verify(commitment, salt, "email", "ada@vendor.example"));
        Assert.False(Commitment.Verify(commitment, other, "email", "ada@vendor.example"));
        Assert.False(Commitment.Verify(commitment, salt, "name", "ada@vendor.example"));
        Assert.False(Commitment.Verify(commitment, salt, "email", "ada@vendor.example "));
        Assert.False(Commitment.Verify(commitment, salt.AsSpan(1), "email", "ada@vendor.example"));
        Assert.NotEqual(commitment, Commitment.Of(other, "email", "ada@vendor.example"));
        Assert.Throws<ArgumentException>(() => Commitment.Of(salt, "a\0b", "c"));
        Assert.NotEqual(Commitment.Of(salt, "a", "b\0c"), Commitment.Of(salt, "a", "bc"));
    }

    private LogPolicy Policy(string quorum) => LogPolicy.Parse($"log {log.Key}\nwitness one {witnesses[0].Key}\nwitness two {witnesses[1].Key}\nwitness three {witnesses[2].Key}\n{quorum}\n");

    private LogProof Proof(int index, int seenBy = 0)
    {
        var text = new Checkpoint(log.Key.Name, Size, Tree.Root(Size)).ToString();
        var bytes = Encoding.UTF8.GetBytes(text);
        return new LogProof(index, Tree.Path(index, Size), new SignedNote(text, [log.Sign(bytes), .. witnesses.Take(seenBy).Select((witness, i) => witness.Sign(bytes, 1001 + i))]));
    }
}
