using MissionControl.Contracts.Api.Fleet;
using MissionControl.Portal.Look;
using MissionControl.Portal.Look.Charts;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What drawings and files are made of, without a browser.</summary>
public sealed class ChartTests
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void A_rule_is_not_called_well_for_the_time_in_which_nothing_was_heard()
    {
        var at = DateTimeOffset.UnixEpoch;
        var changes = new[] { new RuleChangeItem(Guid.Empty, "cpu", at.AddHours(2), "green", "red"), new RuleChangeItem(Guid.Empty, "cpu", at.AddHours(8), "red", "green") };
        var heard = new[] { new StateSpan(at, at.AddHours(1), "unknown"), new StateSpan(at.AddHours(1), at.AddHours(7), "red"), new StateSpan(at.AddHours(7), at.AddHours(9), "unknown"), new StateSpan(at.AddHours(9), at.AddHours(10), "green") };

        var spans = StateSpan.OfRule(changes, heard, at, at.AddHours(10));

        Assert.Equal([(0, 1, "unknown"), (1, 2, "green"), (2, 7, "red"), (7, 9, "unknown"), (9, 10, "green")], spans.Select(span => ((int)(span.From - at).TotalHours, (int)(span.To - at).TotalHours, span.State)));
    }

    [Fact]
    public void A_line_is_never_drawn_over_a_gap()
    {
        Point[] points = [new(Begin, 1), new(Begin + Hour, 2), new(Begin + (Hour * 2), null), new(Begin + (Hour * 3), 3), new(Begin + (Hour * 6), 4), new(Begin + (Hour * 7), 5)];

        Assert.Equal([2, 1, 2], Plot.Runs(points, Hour).Select(run => run.Count));
        Assert.Equal([(Begin + (Hour * 4), Begin + (Hour * 6))], Plot.Gaps(points, Hour, Begin, Begin + (Hour * 8)));
    }

    [Theory]
    [InlineData(97, new double[] { 0, 25, 50, 75, 100 })]
    [InlineData(3.1, new double[] { 0, 1, 2, 3, 4 })]
    [InlineData(0, new double[] { 0, 0.25, 0.5, 0.75, 1 })]
    public void Ticks_are_round_numbers_from_zero_past_the_highest_value(double most, double[] ticks) =>
        Assert.Equal(ticks, new Plot(800, 200, Begin, Begin.AddDays(1), most, Zone.Utc).ValueTicks);

    [Theory]
    [InlineData(1, 820)]
    [InlineData(14, 820)]
    [InlineData(14, 400)]
    [InlineData(90, 400)]
    public void Times_are_written_where_there_is_room(int days, int width)
    {
        var plot = new Plot(width, 200, Begin, Begin.AddDays(days), 1, Zone.Utc);

        Assert.InRange(plot.TimeTicks.Count, 2, width / 40);
        Assert.All(plot.TimeTicks, tick => Assert.InRange(plot.X(tick.At), Plot.Left, width - Plot.Right));
    }

    [Theory]
    [InlineData("/clusters?health=red", "/clusters?health=red")]
    [InlineData("//elsewhere.example", "/")]
    [InlineData("/\\elsewhere.example", "/")]
    [InlineData("https://elsewhere.example", "/")]
    [InlineData("/a\r\nSet-Cookie: x", "/")]
    public void Only_addresses_of_this_site_are_gone_back_to(string given, string gone) => Assert.Equal(gone, Shell.LocalAddress.OrHome(given));

    [Fact]
    public void No_state_is_told_by_its_colour_alone_and_unknown_is_never_well()
    {
        Assert.All(States.Health.Concat(States.Liveness), state => Assert.NotEmpty(States.Word(state)));
        Assert.DoesNotContain(States.Health.Concat(States.Liveness).Where(state => state is not ("green" or "online")), state => States.Kind(state) == "ok");
    }
}
