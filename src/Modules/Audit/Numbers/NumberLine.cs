namespace MissionControl.Audit.Numbers;

/// <summary>Numbers of a producer that are in no log although a later one is.</summary>
/// <param name="First">The first one.</param>
/// <param name="Last">The last one.</param>
/// <param name="Since">Since when a later number stands in a log, in Unix milliseconds.</param>
/// <param name="IsTold">The log of the fleet says that they are missing.</param>
internal sealed record Hole(long First, long Last, long Since, bool IsTold);

/// <summary>The numbers of one producer as far as they were looked at: from 1 on, the first number that a process gives, and what is missing of them. Bounded, whatever is told.</summary>
internal sealed class NumberLine
{
    /// <summary>So many holes are remembered. Of more the lowest are told at once and forgotten: what comes into them later is in the logs all the same, and only not told to be what was missing.</summary>
    public const int MostHoles = 1_000;

    // By their numbers; two never touch, since the number between them is there.
    private readonly List<Hole> holes;

    public NumberLine(long reached, IEnumerable<Hole> holes) => (Reached, this.holes) = (reached, [.. holes]);

    /// <summary>The highest number that was taken.</summary>
    public long Reached { get; private set; }

    /// <summary>What is missing up to there.</summary>
    public IReadOnlyList<Hole> Holes => holes;

    /// <summary>Takes a number that stands in a log. Again it changes nothing.</summary>
    /// <param name="number">The number.</param>
    /// <param name="at">Since when it stands there.</param>
    /// <returns>Whether it was told to be missing.</returns>
    public bool Take(long number, long at)
    {
        if (number > Reached)
        {
            if (number > Reached + 1)
            {
                holes.Add(new Hole(Reached + 1, number - 1, at, false));
            }

            Reached = number;
            return false;
        }

        var i = holes.FindIndex(hole => hole.First <= number && number <= hole.Last);
        if (i < 0)
        {
            return false;
        }

        var hole = holes[i];
        holes.RemoveAt(i);
        holes.InsertRange(i, new[] { hole with { Last = number - 1 }, hole with { First = number + 1 } }.Where(part => part.First <= part.Last));
        return hole.IsTold;
    }

    /// <summary>What is to be told now, each hole once.</summary>
    /// <param name="upTo">Holes that were there then are due.</param>
    public IReadOnlyList<Hole> Tell(long upTo)
    {
        var (tooMany, told) = (Math.Max(0, holes.Count - MostHoles), new List<Hole>());
        for (var i = 0; i < holes.Count; i++)
        {
            if (!holes[i].IsTold && (i < tooMany || holes[i].Since <= upTo))
            {
                told.Add(holes[i]);
                holes[i] = holes[i] with { IsTold = true };
            }
        }

        holes.RemoveRange(0, tooMany);
        return told;
    }

    /// <summary>Numbers as the runs that they are.</summary>
    public static IEnumerable<(long First, long Last)> Runs(IEnumerable<long> numbers)
    {
        (long First, long Last)? run = null;
        foreach (var number in numbers.Order())
        {
            if (run is { } before && number > before.Last + 1)
            {
                yield return before;
                run = null;
            }

            run = (run?.First ?? number, number);
        }

        if (run is { } last)
        {
            yield return last;
        }
    }
}
