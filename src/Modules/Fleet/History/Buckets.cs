using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Fleet.History;

/// <summary>Gathers samples into buckets. A bucket without a sample is a gap, unless the samples before and after it are no further apart than check-ins are.</summary>
/// <param name="names">The metrics wanted.</param>
/// <param name="begin">Begin of the first bucket.</param>
/// <param name="step">Seconds of a bucket.</param>
/// <param name="count">Buckets.</param>
/// <param name="reach">How far apart two samples may be and still be without a gap.</param>
internal sealed class Buckets(IReadOnlyList<string> names, DateTimeOffset begin, int step, int count, TimeSpan reach)
{
    private readonly HashSet<string> found = new(StringComparer.Ordinal);
    private readonly Accumulator[] wanted = [.. names.Select(name => new Accumulator(name, count))];
    private SampleBlock? current;
    private int[][] columns = [];

    /// <summary>The metrics that occur.</summary>
    public IReadOnlyList<string> Found => [.. found.Order(StringComparer.Ordinal)];

    /// <summary>Takes a sample.</summary>
    public void Add(SampleBlock block, DateTimeOffset at, double?[] values)
    {
        if (block != current)
        {
            current = block;
            found.UnionWith(block.Names);
            columns = [.. names.Select(name => Enumerable.Range(0, block.Names.Count).Where(i => IsOf(block.Names[i], name)).ToArray())];
        }

        var seconds = (at - begin).TotalSeconds;
        if (seconds < 0 || seconds >= (double)count * step)
        {
            return;
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            double? worst = null;
            foreach (var column in columns[i])
            {
                worst = values[column] is { } value && !(Math.Abs(value) <= Math.Abs(worst ?? -1) && worst is not null) ? value : worst;
            }

            if (worst is { } known)
            {
                wanted[i].Add((int)(seconds / step), seconds, known);
            }
        }
    }

    // A name alone stands for all of its nodes and disks, a node's name for all of its disks.
    private static bool IsOf(string column, string name) =>
        column.StartsWith(name, StringComparison.Ordinal) && (column.Length == name.Length || column[name.Length] == (name.Contains(':', StringComparison.Ordinal) ? '/' : ':'));

    /// <summary>The series, in the order asked for.</summary>
    public IReadOnlyList<HistorySeries> Series() => [.. wanted.Select(one => one.Series(reach.TotalSeconds))];

    private sealed class Accumulator(string name, int count)
    {
        private readonly double[] sums = new double[count];
        private readonly int[] samples = new int[count];
        private readonly double[] least = new double[count];
        private readonly double[] greatest = new double[count];
        private readonly double[] firstAt = new double[count];
        private readonly double[] lastAt = new double[count];

        public void Add(int bucket, double at, double value)
        {
            var isFirst = samples[bucket]++ == 0;
            sums[bucket] += value;
            least[bucket] = isFirst ? value : Math.Min(least[bucket], value);
            greatest[bucket] = isFirst ? value : Math.Max(greatest[bucket], value);
            firstAt[bucket] = isFirst ? at : Math.Min(firstAt[bucket], at);
            lastAt[bucket] = isFirst ? at : Math.Max(lastAt[bucket], at);
        }

        public HistorySeries Series(double reach)
        {
            var (mean, low, high) = (new double?[count], new double?[count], new double?[count]);
            var previous = -1;
            for (var i = 0; i < count; i++)
            {
                if (samples[i] == 0)
                {
                    continue;
                }

                mean[i] = Math.Round(sums[i] / samples[i], 3);
                low[i] = least[i];
                high[i] = greatest[i];
                for (var gap = previous + 1; previous >= 0 && gap < i && firstAt[i] - lastAt[previous] <= reach; gap++)
                {
                    (mean[gap], low[gap], high[gap]) = (mean[previous], low[previous], high[previous]);
                }

                previous = i;
            }

            var (warning, critical) = Metrics.ThresholdsOf(name);
            return new HistorySeries(name, Metrics.UnitOf(name)!, mean, low, high, warning, critical);
        }
    }
}
