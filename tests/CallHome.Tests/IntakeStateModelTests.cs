using FsCheck;
using FsCheck.Fluent;
using MissionControl.CallHome.Intake;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>Intake's memory of numbers against the plainest model there is: a set.</summary>
public sealed class IntakeStateModelTests
{
    [Fact]
    public void After_any_history_it_knows_exactly_which_numbers_are_settled() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), script =>
    {
        var settled = new HashSet<long>();
        var digests = new List<(long Seq, ulong Digest)>();
        var state = IntakeState.Initial(1, 0);
        var dropped = 0L;
        var declared = new HashSet<long>();
        for (var i = 0; i + 3 < script.Length; i += 4)
        {
            // A group: up to five fresh numbers in any order, sometimes ranges declared dropped, sometimes everything below a number.
            var numbers = Enumerable.Range(0, script[i] % 6).Select(n => 1 + ((script[i + 1] + (n * 7L)) % 60)).Where(seq => !state.IsSettled(seq)).Distinct().ToList();
            var lowestKept = script[i + 2] % 5 == 0 ? script[i + 2] % 60 : 0;
            var fresh = numbers.Select(seq => (seq, (ulong)(seq * 31) + script[i])).ToList();
            var ranges = Enumerable.Range(0, script[i + 3] % 3).Select(n => new NumberRange(1 + ((script[i + 3] + (n * 11L)) % 60), 1 + ((script[i + 3] + (n * 11L)) % 60) + (script[i] % 9))).ToList();
            state = state.After(fresh, lowestKept, ranges);
            settled.UnionWith(numbers);
            digests.AddRange(fresh);
            dropped = Math.Max(dropped, lowestKept - 1);

            var ack = dropped;
            declared.UnionWith(ranges.SelectMany(range => Enumerable.Range((int)range.First, (int)(range.Last - range.First + 1)).Select(seq => (long)seq)));
            while (settled.Contains(ack + 1) || declared.Contains(ack + 1))
            {
                ack++;
            }

            Assert.Equal(ack, state.Ack);
            Assert.Equal(settled.Where(seq => seq > ack).Order(), state.Above);
            Assert.All(Enumerable.Range(1, 70), seq => Assert.Equal(seq <= ack || settled.Contains(seq) || declared.Contains(seq), state.IsSettled(seq)));
            Assert.All(ranges, range => Assert.True(state.Knows(range)));
            foreach (var (seq, digest) in digests.TakeLast(IntakeState.DigestCapacity))
            {
                Assert.True(state.TryGetDigest(seq, out var remembered) && remembered == digest);
            }

            // What is stored is what was known.
            var again = IntakeState.FromBytes(state.Epoch, state.Ack, state.Version, state.ToBytes());
            Assert.Equal(state.Above, again.Above);
            Assert.Equal(state.Dropped, again.Dropped);
            Assert.Equal(state.ToBytes(), again.ToBytes());
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void More_ranges_than_it_keeps_make_it_forget_the_highest_and_no_number_is_settled_that_was_not_declared()
    {
        var ranges = Enumerable.Range(0, 2 * IntakeState.DroppedCapacity).Select(n => new NumberRange(10 + (n * 3L), 11 + (n * 3L))).Reverse().ToList();

        var state = IntakeState.Initial(1, 0).After([], 0, ranges);
        var again = IntakeState.FromBytes(1, 0, 1, state.ToBytes());

        Assert.Equal(ranges.OrderBy(range => range.First).Take(IntakeState.DroppedCapacity), again.Dropped);
        Assert.False(state.IsSettled(12));
        Assert.False(state.IsSettled(ranges[0].Last));
        Assert.Equal(11, state.After([(1, 1)], 10, []).Ack);
    }

    [Fact]
    public void Damaged_bytes_are_refused_and_never_read_as_something_else() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
    {
        try
        {
            Assert.Equal(bytes, IntakeState.FromBytes(1, 0, 1, bytes).ToBytes());
        }
        catch (InvalidDataException)
        {
            // Refused.
        }
    }).QuickCheckThrowOnFailure();
}
