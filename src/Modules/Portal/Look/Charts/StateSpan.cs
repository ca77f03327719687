using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Portal.Look.Charts;

/// <summary>A time in which something was in one state.</summary>
/// <param name="From">Its begin (UTC).</param>
/// <param name="To">Its end (UTC).</param>
/// <param name="State">A word of the vocabulary of states.</param>
public sealed record StateSpan(DateTimeOffset From, DateTimeOffset To, string State)
{
    /// <summary>A cluster's health over a history: the worst of each step; a step without a sample is unknown, never what it was before.</summary>
    public static IReadOnlyList<StateSpan> OfHealth(HistoryDocument history)
    {
        var worst = history.Series.FirstOrDefault(series => series.Metric == "health")?.Greatest ?? [];
        var states = worst.Select(value => value switch { null => "unknown", 0 => "green", 1 => "yellow", _ => "red" });
        return Joined(states.Select((state, i) => new StateSpan(history.From.AddSeconds((double)i * history.StepSeconds), history.From.AddSeconds((i + 1.0) * history.StepSeconds), state)));
    }

    /// <summary>One rule's states between two instants. What it was last judged to be says nothing of the time in which nothing was heard.</summary>
    /// <param name="changes">Its changes, oldest first; at least one.</param>
    /// <param name="heard">The cluster's own states over that time.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End.</param>
    public static IReadOnlyList<StateSpan> OfRule(IReadOnlyList<RuleChangeItem> changes, IReadOnlyList<StateSpan> heard, DateTimeOffset from, DateTimeOffset to)
    {
        var spans = new List<StateSpan>();
        var (begin, state) = (from, changes[0].Before);
        foreach (var change in changes)
        {
            spans.Add(new StateSpan(begin, change.At, state));
            (begin, state) = (change.At, change.After);
        }

        spans.Add(new StateSpan(begin, to, state));
        var silences = heard.Where(span => span.State == "unknown").ToList();
        return Joined(spans.SelectMany(span => Without(span, silences)).Where(span => span.To > span.From));
    }

    private static IEnumerable<StateSpan> Without(StateSpan span, IEnumerable<StateSpan> silences)
    {
        var begin = span.From;
        foreach (var silence in silences.Where(silence => silence.To > span.From && silence.From < span.To))
        {
            var end = silence.To < span.To ? silence.To : span.To;
            yield return span with { From = begin, To = silence.From };
            yield return new StateSpan(silence.From > begin ? silence.From : begin, end, "unknown");
            begin = end;
        }

        yield return span with { From = begin };
    }

    private static List<StateSpan> Joined(IEnumerable<StateSpan> spans)
    {
        var joined = new List<StateSpan>();
        foreach (var span in spans)
        {
            if (joined.Count > 0 && joined[^1].State == span.State)
            {
                joined[^1] = joined[^1] with { To = span.To };
            }
            else
            {
                joined.Add(span);
            }
        }

        return joined;
    }
}
