namespace MissionControl.CallHome.Intake;

/// <summary>
/// The few places in which bundles are read. Anybody may take one, so nobody keeps one by being slow: when all are taken and another
/// sender comes, whoever has waited longest for a line to end, and longer than a few seconds, loses his.
/// </summary>
internal sealed class BundlePlaces(TimeProvider time)
{
    private static readonly TimeSpan Unhurried = TimeSpan.FromSeconds(5);
    private readonly Lock sync = new();
    private readonly List<Place> taken = [];

    /// <summary>A place, to be disposed of; null when those who have one are getting on.</summary>
    public Place? Take()
    {
        Place? slowest = null;
        Place? place = null;
        lock (sync)
        {
            if (taken.Count >= Limits.BundlesAtOnce && taken.MaxBy(other => other.Waited) is { } candidate && candidate.Waited > Unhurried)
            {
                slowest = candidate;
                taken.Remove(slowest);
            }

            if (taken.Count < Limits.BundlesAtOnce)
            {
                place = new Place(this, time);
                taken.Add(place);
            }
        }

        slowest?.GiveUp();
        return place;
    }

    private void Leave(Place place)
    {
        lock (sync)
        {
            taken.Remove(place);
        }
    }

    /// <summary>One of them.</summary>
    internal sealed class Place(BundlePlaces places, TimeProvider time) : IDisposable
    {
        private readonly CancellationTokenSource lost = new();
        private long since;

        /// <summary>Cancelled when the place went to another sender.</summary>
        public CancellationToken Lost => lost.Token;

        /// <summary>How long the present line has been on its way; nothing while one is being judged and stored, which is our time.</summary>
        public TimeSpan Waited => Volatile.Read(ref since) is var began and not 0 ? time.GetElapsedTime(began) : TimeSpan.Zero;

        /// <summary>Waits for a line from now on.</summary>
        public void Waits() => Volatile.Write(ref since, Math.Max(1, time.GetTimestamp()));

        /// <summary>It has come.</summary>
        public void HasLine() => Volatile.Write(ref since, 0);

        public void GiveUp()
        {
            try
            {
                lost.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It was leaving anyhow.
            }
        }

        public void Dispose()
        {
            places.Leave(this);
            lost.Dispose();
        }
    }
}
