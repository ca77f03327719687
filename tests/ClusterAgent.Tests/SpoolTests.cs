using FsCheck;
using FsCheck.Fluent;
using MissionControl.ClusterAgent.Spool;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

public sealed class SpoolTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-spool-").FullName;

    [Fact]
    public void What_was_added_is_there_after_a_restart_with_its_number()
    {
        long seq;
        using (var spool = new DiskSpool(directory))
        {
            seq = spool.Add("health", 5, [1, 2, 3]);
        }

        using var again = new DiskSpool(directory);
        var item = Assert.Single(again.Peek(10, int.MaxValue, new HashSet<long>()));
        Assert.Equal(seq, item.Seq);
        Assert.Equal(new byte[] { 1, 2, 3 }, item.Body.ToByteArray());
    }

    [Fact]
    public void A_tail_torn_at_any_byte_costs_only_the_item_that_was_being_written()
    {
        using (var spool = new DiskSpool(directory))
        {
            spool.Add("event", 1, [1]);
            spool.Add("event", 2, [2, 2]);
        }

        var file = Path.Combine(directory, "items.log");
        var whole = File.ReadAllBytes(file);
        var first = 8 + BitConverter.ToInt32(whole, 0);
        for (var length = first; length < whole.Length; length++)
        {
            File.WriteAllBytes(file, whole[..length]);
            using var torn = new DiskSpool(directory);
            Assert.Equal(1, Assert.Single(torn.Peek(10, int.MaxValue, new HashSet<long>())).Seq);
        }
    }

    [Fact]
    public void A_number_is_never_given_twice_whatever_is_acknowledged_and_wherever_it_crashes() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), script =>
        {
            var home = Path.Combine(directory, Guid.NewGuid().ToString("N"));
            var given = new HashSet<long>();
            var spool = new DiskSpool(home);
            foreach (var step in script)
            {
                switch (step % 4)
                {
                    case 0 or 1:
                        Assert.True(given.Add(spool.Add(step % 2 == 0 ? "health" : "event", step, [step])));
                        break;
                    case 2:
                        spool.Acknowledge(spool.LowestKept, []);
                        break;
                    default:
                        // The process dies and comes back over the same files.
                        spool.Dispose();
                        spool = new DiskSpool(home);
                        break;
                }
            }

            spool.Dispose();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void Acknowledged_items_are_forgotten_and_the_lowest_kept_number_rises()
    {
        using var spool = new DiskSpool(directory);
        for (var i = 0; i < 5; i++)
        {
            spool.Add("event", i, [1]);
        }

        spool.Acknowledge(2, [4]);

        Assert.Equal([5, 3], spool.Peek(10, int.MaxValue, new HashSet<long>()).Select(item => item.Seq));
        Assert.Equal(3, spool.LowestKept);
    }

    [Fact]
    public void When_full_the_oldest_health_goes_first_and_events_stay()
    {
        var spool = new MemorySpool(mostHealth: 2);
        spool.Add("event", 1, [1]);
        spool.Add("health", 2, [2]);
        spool.Add("health", 3, [3]);
        spool.Add("health", 4, [4]);

        Assert.Equal([4, 3, 1], spool.Peek(10, int.MaxValue, new HashSet<long>()).Select(item => item.Seq));
    }

    [Fact]
    public void Under_a_new_epoch_what_is_kept_is_numbered_from_one_and_stays_so_after_a_restart()
    {
        using (var spool = new DiskSpool(directory))
        {
            spool.Add("event", 1, [1]);
            spool.Add("usage", 2, [2]);
            spool.Acknowledge(1, []);
            spool.BeginEpoch();
            Assert.Equal(2, spool.Add("event", 3, [3]));
        }

        using var again = new DiskSpool(directory);
        Assert.Equal([(2L, (byte)3), (1L, (byte)2)], again.Peek(10, int.MaxValue, new HashSet<long>()).Select(item => (item.Seq, item.Body[0])));
    }

    [Fact]
    public void Health_thins_out_with_age_usage_stays_and_what_was_dropped_is_declared()
    {
        const long Minute = 60_000;
        using var spool = new DiskSpool(directory);
        spool.Add("usage", 0, [9]);
        for (var minute = 0; minute < 26 * 60; minute += 10)
        {
            spool.Add("health", minute * Minute, [1]);
        }

        // Two hours are older than a day: one reading of each is left.
        var kept = spool.Peek(10_000, int.MaxValue, new HashSet<long>());
        Assert.Equal(1, kept.Count(item => item.Type == "usage"));
        Assert.InRange(kept.Count(item => item.Type == "health" && item.AtMs < 60 * Minute), 1, 1);
        Assert.Equal(26 * 6, kept.Count(item => item.Type == "health") + spool.Dropped.Sum(range => (int)(range.Last - range.First + 1)));
        Assert.All(spool.Dropped, range => Assert.Equal(("health", "age"), (range.Type, range.Reason)));
        Assert.Throws<ArgumentException>(() => spool.Drop("usage", 0, "disk-full"));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
