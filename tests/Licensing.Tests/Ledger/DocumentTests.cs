using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Protocol.Documents;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

public sealed class DocumentTests
{
    private const string Good =
        """{"v":1,"cluster":"0198c0de-0000-7000-8000-000000000001","epoch":1,"window":"2026-03-01T14:00:00Z","len":3600,"revision":1,"collectedAt":"2026-03-01T15:00:41Z","complete":true,"meters":[{"k":"host_unit_seconds","ver":1,"dim":{"env":"e1"},"q":"1296000"}]}""";

    [Theory]
    [InlineData("0", 0, 0)]
    [InlineData("12.5", 6, 12_500_000)]
    [InlineData("9223372036.854775807", 9, long.MaxValue)]
    [InlineData("999999999999999999", 0, 999_999_999_999_999_999)]
    public void A_quantity_becomes_an_integer_without_rounding(string text, int scale, long scaled)
    {
        Assert.True(Quantity.TryParse(text, scale, out var read));
        Assert.Equal(scaled, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1e3")]
    [InlineData(" 1")]
    [InlineData("1,5")]
    [InlineData("1.0000000001")]
    [InlineData("1000000000000000000")]
    [InlineData("٣")]
    public void A_quantity_in_any_other_form_is_none(string text) => Assert.False(Quantity.TryParse(text, 9, out _));

    [Fact]
    public void A_quantity_with_more_digits_than_the_scale_or_the_range_is_refused_and_not_rounded()
    {
        Assert.False(Quantity.TryParse("1.5", 0, out _));
        Assert.False(Quantity.TryParse("1.50", 1, out _));
        Assert.False(Quantity.TryParse("9223372036.854775808", 9, out _));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(0, 9)).ToArbitrary(), pair =>
        {
            var (scaled, scale) = pair;
            Assert.True(Quantity.TryParse(Quantity.Format(scaled, scale), scale, out var read));
            Assert.Equal(scaled, read);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_good_window_is_read()
    {
        var window = UsageWindow.Read(Encoding.UTF8.GetBytes(Good), out var problem);

        Assert.Null(problem);
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 14, 0, 0, TimeSpan.Zero), UsageWindow.StartOf(window!.Hour));
        Assert.Equal("e1", window.Meters[0].Environment);
    }

    [Theory]
    [InlineData("\"v\":1,", "\"v\":1,\"v\":1,", "window-malformed")]
    [InlineData("\"v\":1,", "\"v\":1,\"extra\":1,", "window-malformed")]
    [InlineData("\"v\":1,", "\"v\":2,", "window-malformed")]
    [InlineData("\"len\":3600,", "", "window-malformed")]
    [InlineData("\"epoch\":1", "\"epoch\":\"1\"", "window-malformed")]
    [InlineData("\"epoch\":1", "\"epoch\":1.0", "window-malformed")]
    [InlineData("\"revision\":1", "\"revision\":0", "window-malformed")]
    [InlineData("\"len\":3600", "\"len\":1800", "window-misaligned")]
    [InlineData("14:00:00Z", "14:30:00Z", "window-misaligned")]
    [InlineData("14:00:00Z", "14:00:00+01:00", "window-malformed")]
    [InlineData("\"q\":\"1296000\"", "\"q\":1296000", "window-malformed")]
    [InlineData("\"q\":\"1296000\"", "\"q\":\"-1\"", "quantity-malformed")]
    [InlineData("\"q\":\"1296000\"", "\"q\":null", "window-malformed")]
    [InlineData("host_unit_seconds", "Host-Units", "meter-malformed")]
    [InlineData("{\"env\":\"e1\"}", "{\"env\":\"\"}", "dimension-malformed")]
    [InlineData("{\"env\":\"e1\"}", "null", "window-malformed")]
    [InlineData("\"meters\":[", "\"meters\":[{\"k\":\"host_unit_seconds\",\"ver\":1,\"dim\":{\"env\":\"e1\"},\"q\":\"1\"},", "cell-twice")]
    [InlineData("\"meters\":[", "\"meters\":[null,", "window-malformed")]
    public void A_bad_window_is_refused_with_a_code_that_says_why(string find, string put, string code)
    {
        var window = UsageWindow.Read(Encoding.UTF8.GetBytes(Good.Replace(find, put, StringComparison.Ordinal)), out var problem);

        Assert.Null(window);
        Assert.Equal(code, problem!.Code);
    }

    [Fact]
    public void Random_bytes_and_random_damage_never_throw()
    {
        var good = Encoding.UTF8.GetBytes(Good);
        Prop.ForAll(Gen.Choose(0, good.Length - 1).Zip(Gen.Choose(0, 255)).ArrayOf().ToArbitrary(), damage =>
        {
            var bytes = good.ToArray();
            foreach (var (at, value) in damage)
            {
                bytes[at] = (byte)value;
            }

            var window = UsageWindow.Read(bytes, out var problem);
            Assert.NotEqual(window is null, problem is null);
        }).QuickCheckThrowOnFailure();
    }
}
