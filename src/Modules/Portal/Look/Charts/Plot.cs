using System.Globalization;

namespace MissionControl.Portal.Look.Charts;

/// <summary>A value at a time; null where nothing was measured, which is drawn as a gap and never joined over.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Value">The value.</param>
/// <param name="Least">Least within the step, when known.</param>
/// <param name="Most">Most within the step, when known.</param>
public sealed record Point(DateTimeOffset At, double? Value, double? Least = null, double? Most = null);

/// <summary>A line of a chart; at most six, told apart by dash as well as by colour.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Points">Its points, in order of time.</param>
public sealed record Series(string Name, IReadOnlyList<Point> Points);

/// <summary>A line that a value should stay under.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Value">Its value.</param>
/// <param name="Kind">warn or bad.</param>
public sealed record Threshold(string Name, double Value, string Kind);

/// <summary>A bar: parts stacked from the bottom.</summary>
/// <param name="At">Begin of its time (UTC).</param>
/// <param name="Label">What it is called.</param>
/// <param name="Value">Its height; null: nothing has come, which is not nothing.</param>
/// <param name="Text">The exact value.</param>
/// <param name="Missing">Share of the hours due for which nothing has come, 0 to 1.</param>
public sealed record Bar(DateTimeOffset At, string Label, double? Value, string Text, double Missing);

/// <summary>A cell of a strip.</summary>
/// <param name="State">A word of the vocabulary of states.</param>
/// <param name="Title">What it says: time and state.</param>
public sealed record Cell(string State, string Title);

/// <summary>From values to places on a drawing, with ticks at round numbers.</summary>
/// <param name="width">Width of the drawing.</param>
/// <param name="height">Height of the drawing.</param>
/// <param name="from">Begin of the time shown.</param>
/// <param name="to">End of the time shown.</param>
/// <param name="most">Highest value shown.</param>
/// <param name="zone">Whose clocks the times are written by.</param>
public sealed class Plot(double width, double height, DateTimeOffset from, DateTimeOffset to, double most, Zone zone)
{
    /// <summary>Room at the left for the numbers.</summary>
    public const double Left = 52;

    /// <summary>Room at the right.</summary>
    public const double Right = 10;

    /// <summary>Room above.</summary>
    public const double Top = 10;

    /// <summary>Room below for the times.</summary>
    public const double Bottom = 24;

    /// <summary>Width of the drawing.</summary>
    public double Width => width;

    /// <summary>Height of the drawing.</summary>
    public double Height => height;

    /// <summary>Highest value shown: a round number.</summary>
    public double Most { get; } = Ceiling(most);

    /// <summary>Place of an instant from the left.</summary>
    public double X(DateTimeOffset at) => Left + ((width - Left - Right) * Math.Clamp((at - from) / (to - from), 0, 1));

    /// <summary>Place of a value from the top.</summary>
    public double Y(double value) => Top + ((height - Top - Bottom) * (1 - Math.Clamp(value / Most, 0, 1)));

    /// <summary>Four or five round values from zero up.</summary>
    public IReadOnlyList<double> ValueTicks
    {
        get
        {
            var step = Step(Most / 4);
            var count = (int)Math.Round(Most / step);
            return [.. Enumerable.Range(0, count + 1).Select(i => i * step)];
        }
    }

    /// <summary>Round instants, as many as there is room for.</summary>
    public IReadOnlyList<(DateTimeOffset At, string Text)> TimeTicks
    {
        get
        {
            var room = Math.Max(2, (int)((width - Left) / 84));
            var hours = HourSteps.First(step => (to - from).TotalHours / step <= room || step == 720);
            return [.. zone.Every(hours, from, to).Select(at => (at, at.ToString(hours >= 24 || at.TimeOfDay == TimeSpan.Zero ? "d MMM" : "HH:mm", CultureInfo.InvariantCulture)))];
        }
    }

    /// <summary>Runs of points without a gap: the parts of a line that may be drawn.</summary>
    /// <param name="points">The points in order of time.</param>
    /// <param name="step">Time between two points that belong together.</param>
    public static IEnumerable<IReadOnlyList<Point>> Runs(IReadOnlyList<Point> points, TimeSpan step)
    {
        var run = new List<Point>();
        foreach (var point in points)
        {
            if (run.Count > 0 && (point.Value is null || point.At - run[^1].At > step * 1.5))
            {
                yield return run;
                run = [];
            }

            if (point.Value is not null)
            {
                run.Add(point);
            }
        }

        if (run.Count > 0)
        {
            yield return run;
        }
    }

    /// <summary>The times for which a line has no value, to be drawn hatched.</summary>
    public static IEnumerable<(DateTimeOffset From, DateTimeOffset To)> Gaps(IReadOnlyList<Point> points, TimeSpan step, DateTimeOffset from, DateTimeOffset to)
    {
        var end = from;
        foreach (var run in Runs(points, step))
        {
            if (run[0].At - end > step * 1.5)
            {
                yield return (end, run[0].At);
            }

            end = run[^1].At + step;
        }

        if (to - end > step * 1.5)
        {
            yield return (end, to);
        }
    }

    /// <summary>A number as SVG writes it.</summary>
    public static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static readonly int[] HourSteps = [1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720];
    private static readonly double[] RoundFactors = [1, 2, 2.5, 5, 10];

    private static double Ceiling(double value) => value <= 0 ? 1 : Math.Ceiling(Math.Round(value / Step(value / 4), 6)) * Step(value / 4);

    // 1, 2, 2.5 or 5 times a power of ten, not less than the rough step.
    private static double Step(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return RoundFactors.First(factor => factor * power >= rough * 0.999999) * power;
    }
}
