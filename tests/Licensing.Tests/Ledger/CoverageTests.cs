using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Ledger;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

public sealed class CoverageTests
{
    [Fact]
    public void Whatever_the_order_of_arrival_what_is_missing_is_what_did_not_come()
    {
        Prop.ForAll(Gen.Choose(-3, 40).ArrayOf().ToArbitrary(), hours =>
        {
            var coverage = Coverage.Begin(0);
            foreach (var hour in hours)
            {
                coverage.Add(hour);
                coverage = Coverage.FromBytes(coverage.ToBytes());
            }

            var arrived = hours.Where(hour => hour >= 0).ToHashSet();
            var newest = arrived.Count == 0 ? -1 : arrived.Max();
            var missing = Enumerable.Range(0, newest + 1).Where(hour => !arrived.Contains(hour)).ToList();
            Assert.Equal(newest, coverage.Newest);
            Assert.Equal(missing, coverage.Gaps.SelectMany(gap => Enumerable.Range(gap.First, gap.Last - gap.First + 1)));
            Assert.Equal(missing.Count == 0 ? newest : missing[0] - 1, coverage.CompleteThrough);
            Assert.DoesNotContain(coverage.Gaps.Zip(coverage.Gaps.Skip(1)), pair => pair.First.Last + 1 >= pair.Second.First);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_is_due_and_has_not_come_is_missing_too()
    {
        var coverage = Coverage.Begin(100);
        coverage.Add(100);
        coverage.Add(103);

        Assert.Equal([(101, 102), (104, 109)], coverage.Missing(0, 1000, 110));
        Assert.Equal([(102, 102), (104, 104)], coverage.Missing(102, 105, 110));
        Assert.Equal([(101, 102)], coverage.Missing(0, 1000, 104));
    }

    [Fact]
    public void A_cluster_that_never_misses_costs_a_handful_of_bytes()
    {
        var coverage = Coverage.Begin(493_000);
        for (var hour = 493_000; hour < 493_000 + 87_600; hour++)
        {
            coverage.Add(hour);
        }

        Assert.InRange(coverage.ToBytes().Length, 1, 8);
    }
}
