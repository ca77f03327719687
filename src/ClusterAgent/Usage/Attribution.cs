using System.Globalization;
using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Usage;

/// <summary>
/// Turns two readings of the counters into quantities of hours. Pure. Nothing is lost and nothing counted twice: the parts of a
/// difference add up to it exactly, and the last reading moves on in the same write as the hours.
/// </summary>
internal static class Attribution
{
    /// <summary>Longer without a reading across an hour's end, and how the difference spreads over the hours is a guess: they are marked incomplete.</summary>
    private static readonly TimeSpan LongestBlindSpan = TimeSpan.FromMinutes(15);

    /// <summary>Takes a reading into the state.</summary>
    /// <param name="state">Changed in place.</param>
    /// <param name="reading">One that is older than the last counts as of the last; null when it failed.</param>
    public static void Observe(UsageState state, UsageReading? reading)
    {
        if (reading is null)
        {
            // The counters go on while we are blind; the next reading brings what they counted.
            return;
        }

        var now = state.ObservedAt is { } before && reading.At < before ? before : reading.At;

        var first = state.ObservedAt is null;
        var from = state.ObservedAt ?? now;
        var last = UsageWindow.HourOf(now.AddTicks(-1));
        var blind = now - from > LongestBlindSpan && UsageWindow.HourOf(from) < last;
        for (var hour = UsageWindow.HourOf(from); hour <= last; hour++)
        {
            HourOf(state, hour).Incomplete |= blind;
        }

        // What ran before the first reading was not seen, unless that reading opens its hour.
        HourOf(state, UsageWindow.HourOf(now)).Incomplete |= first && now != UsageWindow.StartOf(UsageWindow.HourOf(now));

        foreach (var counter in reading.Counters)
        {
            Take(state, from, now, counter, first);
        }

        state.ObservedAt = now;
    }

    private static void Take(UsageState state, DateTimeOffset from, DateTimeOffset now, UsageCounter counter, bool first)
    {
        var key = UsageState.KeyOf(counter);
        var begin = from;
        decimal difference;
        if (!state.Counters.TryGetValue(key, out var known))
        {
            // A counter that began under our eyes is ours from its first count; one that ran before we looked is ours from now on.
            var seenFromStart = !first && counter.StartedAt >= from;
            difference = seenFromStart ? counter.Value : 0;
            begin = seenFromStart && counter.StartedAt < now ? counter.StartedAt : from;
            HourOf(state, UsageWindow.HourOf(now)).Incomplete |= !seenFromStart && !first;
        }
        else
        {
            if (counter.StartedAt != known.StartedAt || counter.Value < known.Value)
            {
                // It began anew; what it counted between our last reading and its end is not known to anybody.
                difference = counter.Value;
                begin = counter.StartedAt > from && counter.StartedAt < now ? counter.StartedAt : from;
                HourOf(state, UsageWindow.HourOf(from)).Incomplete = true;
            }
            else
            {
                difference = counter.Value - known.Value;
            }
        }

        state.Counters[key] = counter;
        Spread(state, begin, now, key, counter, difference);
    }

    /// <summary>Spreads a quantity over the hours of a span by their seconds; every part has the quantity's own digits, the last one takes the rest.</summary>
    private static void Spread(UsageState state, DateTimeOffset begin, DateTimeOffset end, string key, UsageCounter counter, decimal quantity)
    {
        // A span that ends on the hour lies wholly before it.
        var lastHour = UsageWindow.HourOf(end > begin ? end.AddTicks(-1) : end);
        var total = (Int128)(end - begin).Ticks;
        var unit = new decimal(1, 0, 0, false, quantity.Scale);
        var units = (Int128)(quantity / unit);
        var rest = quantity;
        for (var hour = UsageWindow.HourOf(begin); hour < lastHour; hour++)
        {
            var start = UsageWindow.StartOf(hour);
            var ticks = (start.AddHours(1) - (begin > start ? begin : start)).Ticks;
            var part = decimal.Parse((units * ticks / total).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) * unit;
            HourOf(state, hour).Add(key, counter, part);
            rest -= part;
        }

        HourOf(state, lastHour).Add(key, counter, rest);
    }

    private static OpenHour HourOf(UsageState state, int hour)
    {
        if (!state.Open.TryGetValue(hour, out var open))
        {
            state.Open[hour] = open = new OpenHour();
        }

        return open;
    }
}
