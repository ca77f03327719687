using FsCheck;
using FsCheck.Fluent;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.ClusterAgent.Tests.Usage;

/// <summary>Counters become hours: nothing lost, nothing counted twice, whatever crashes and whenever.</summary>
public sealed class UsageRecorderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private readonly string directory = Directory.CreateTempSubdirectory("mc-usage-").FullName;
    private readonly MemoryIdentity identity = new() { Enrollment = new Enrollment(new Uri("https://localhost"), Guid.CreateVersion7(), 1, "sha256:", false, 60, 10) };
    private readonly CountedProduct product = new();

    public void Dispose()
    {
        identity.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void An_hour_is_closed_by_the_first_reading_after_its_end_and_its_parts_add_up()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);

        recorder.Observe(Start);
        product.Count(Start.AddMinutes(50), 50);
        recorder.Observe(Start.AddMinutes(50));
        product.Count(Start.AddMinutes(65), 15);
        recorder.Observe(Start.AddMinutes(65));

        var window = Assert.Single(Windows(spool));
        Assert.Equal(("60", true), (Assert.Single(window.Meters).Quantity, window.Complete));
        product.Count(Start.AddMinutes(125), 60);
        recorder.Observe(Start.AddMinutes(125));
        Assert.Equal(["60", "60"], Windows(spool).Select(each => each.Meters[0].Quantity));
    }

    [Fact]
    public void Hours_that_end_while_an_epoch_is_asked_for_are_reported_under_the_epoch_in_which_they_ended_and_none_is_lost()
    {
        var spool = new MemorySpool();
        var recorder = new UsageRecorder(new DiskUsageStore(directory), product, identity, spool);
        recorder.Observe(Start);

        // Asked for at 10:59; granted at 12:30, which is known here at 13:10 only, after a restart.
        Count(59);
        recorder.Hold(Start.AddMinutes(59));
        recorder.Dispose();
        recorder = new UsageRecorder(new DiskUsageStore(directory), product, identity, spool);
        using var last = recorder;
        Count(130);
        Count(185);
        Assert.Empty(Windows(spool));
        product.Count(Start.AddMinutes(190), 5);
        recorder.EndEpoch(Start.AddMinutes(150), Start.AddMinutes(190));
        identity.Enrollment = identity.Enrollment! with { Epoch = 2, EpochIssuedAt = Start.AddMinutes(150) };
        recorder.Release();
        Count(250);

        Assert.Equal([(10, 1L, "60"), (11, 1L, "60"), (12, 2L, "60"), (13, 2L, "60")], Windows(spool).OrderBy(window => window.Hour).Select(window => (UsageWindow.StartOf(window.Hour).Hour, window.Epoch, window.Meters[0].Quantity)));

        void Count(int minute)
        {
            product.Count(Start.AddMinutes(minute), minute - (int)product.Counted);
            recorder.Observe(Start.AddMinutes(minute));
        }
    }

    [Fact]
    public void Hours_wait_no_longer_than_a_day_for_an_epoch_and_no_longer_than_until_the_old_one_is_taken()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        recorder.Observe(Start);
        recorder.Hold(Start.AddMinutes(1));
        product.Count(Start.AddHours(1), 60);
        recorder.Observe(Start.AddHours(1));
        Assert.Empty(Windows(spool));

        recorder.Release();
        recorder.Observe(Start.AddHours(1));
        Assert.Single(Windows(spool));

        recorder.Hold(Start.AddHours(1));
        recorder.Hold(Start.AddHours(20));
        recorder.Observe(Start.AddHours(24));
        Assert.Single(Windows(spool));
        recorder.Observe(Start.AddHours(25));
        Assert.Equal(25, Windows(spool).Count);
    }

    [Fact]
    public void A_reading_that_fails_loses_nothing_and_a_long_blind_span_is_marked()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        recorder.Observe(Start);
        product.IsReadable = false;
        product.Count(Start.AddMinutes(90), 90);
        recorder.Observe(Start.AddMinutes(90));
        Assert.Empty(Windows(spool));

        product.IsReadable = true;
        product.Count(Start.AddMinutes(120), 30);
        recorder.Observe(Start.AddMinutes(120));

        var windows = Windows(spool);
        Assert.Equal(["60", "60"], windows.Select(window => window.Meters[0].Quantity));
        Assert.All(windows, window => Assert.False(window.Complete));
    }

    [Fact]
    public void A_counter_that_begins_anew_counts_from_zero_and_the_hour_says_that_something_may_be_missing()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        recorder.Observe(Start);
        product.Count(Start.AddMinutes(10), 10);
        recorder.Observe(Start.AddMinutes(10));
        product.Restart(Start.AddMinutes(11));
        product.Count(Start.AddMinutes(12), 7);
        recorder.Observe(Start.AddMinutes(12));
        recorder.Observe(Start.AddHours(1));

        var window = Assert.Single(Windows(spool));
        Assert.Equal(("17", false), (window.Meters[0].Quantity, window.Complete));
    }

    [Fact]
    public void A_clock_that_goes_back_neither_opens_a_closed_hour_nor_counts_twice()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        recorder.Observe(Start);
        product.Count(Start.AddMinutes(61), 61);
        recorder.Observe(Start.AddMinutes(61));
        product.Count(Start.AddMinutes(62), 1);
        recorder.Observe(Start.AddMinutes(-30));
        recorder.Observe(Start.AddMinutes(120));

        Assert.Equal(62, Windows(spool).Sum(window => decimal.Parse(window.Meters[0].Quantity, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Under_a_new_epoch_no_hour_is_reported_that_ended_before_it_was_issued()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        recorder.Observe(Start);
        identity.Enrollment = identity.Enrollment! with { Epoch = 2, EpochIssuedAt = Start.AddHours(2) };
        product.Count(Start.AddHours(3), 180);
        recorder.Observe(Start.AddHours(3));

        var window = Assert.Single(Windows(spool));
        Assert.Equal((UsageWindow.Text(Start.AddHours(2)), 2L), (window.Window, window.Epoch));
    }

    [Fact]
    public void A_window_is_signed_by_the_key_in_force_when_it_is_closed_also_when_that_was_replaced_meanwhile()
    {
        var spool = new MemorySpool();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), product, identity, spool);
        var old = KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo());
        recorder.Observe(Start);
        product.Count(Start.AddMinutes(60), 60);
        recorder.Observe(Start.AddMinutes(60));

        string announced;
        using (var next = identity.NextKey())
        {
            announced = KeyIds.Of(next.ExportSubjectPublicKeyInfo());
        }

        using (var again = identity.NextKey())
        {
            Assert.Equal(announced, KeyIds.Of(again.ExportSubjectPublicKeyInfo()));
        }

        identity.TakeNextKey();
        product.Count(Start.AddMinutes(120), 60);
        recorder.Observe(Start.AddMinutes(120));

        Assert.Equal([old, announced], spool.Peek(100, int.MaxValue, new HashSet<long>()).Reverse().Select(item =>
        {
            using var envelope = System.Text.Json.JsonDocument.Parse(item.Body.ToByteArray());
            return envelope.RootElement.GetProperty("signatures")[0].GetProperty("keyid").GetString()!;
        }));
    }

    [Fact]
    public void A_window_too_large_for_a_document_drops_its_detail_and_keeps_its_sum()
    {
        var spool = new MemorySpool();
        var many = new ManyCells();
        using var recorder = new UsageRecorder(new MemoryUsageStore(), many, identity, spool);
        recorder.Observe(Start);
        many.Value = 2;
        recorder.Observe(Start.AddHours(1));

        var window = Assert.Single(Windows(spool));
        Assert.Equal((1, "20002", false), (window.Meters.Count, window.Meters[0].Quantity, window.Complete));
    }

    [Fact]
    public void Whatever_crashes_the_highest_revisions_add_up_to_what_the_product_counted()
    {
        // Each step: minutes that pass, how much is counted, and after how many writes the machine loses power (0: it does not).
        var steps = (from minutes in Gen.Choose(1, 80) from counted in Gen.Choose(0, 50) from crash in Gen.Choose(-6, 5) select (minutes, counted, crash: Math.Max(0, crash))).ListOf(12);
        Prop.ForAll(steps.ToArbitrary(), schedule =>
        {
            var path = Path.Combine(directory, Guid.NewGuid().ToString("N"));
            var counter = new CountedProduct();
            using var spool = new DiskSpool(Path.Combine(path, "spool"));
            var now = Start;
            decimal total = 0;
            Run(path, counter, spool, now, crashAfter: 0);
            foreach (var (minutes, counted, crash) in schedule)
            {
                now = now.AddMinutes(minutes);
                total += counted;
                counter.Count(now, counted);
                Run(path, counter, spool, now, crash);
            }

            // Up to the next whole hour everything is closed.
            Run(path, counter, spool, UsageWindow.StartOf(UsageWindow.HourOf(now) + 1), crashAfter: 0);
            var effective = Windows(spool).GroupBy(window => window.Window).Select(hour => hour.MaxBy(window => window.Revision)!);
            Assert.Equal(total, effective.Sum(window => window.Meters.Sum(cell => decimal.Parse(cell.Quantity, System.Globalization.CultureInfo.InvariantCulture))));
            Assert.All(Windows(spool).GroupBy(window => (window.Window, window.Revision)), same => Assert.Single(same.Select(window => UsageWindow.Digest(window.ToBytes())).Distinct()));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_refused_window_is_kept_and_offered_again_after_an_upgrade_and_not_before()
    {
        var spool = new MemorySpool();
        var store = new DiskUsageStore(Path.Combine(directory, "refused"));
        using var recorder = new UsageRecorder(store, product, identity, spool);
        recorder.Observe(Start);
        product.Count(Start.AddMinutes(61), 61);
        recorder.Observe(Start.AddMinutes(61));
        var item = Assert.Single(spool.Peek(10, int.MaxValue, new HashSet<long>()));
        recorder.Refused(item.Body.Span, "quantity-malformed");
        spool.Acknowledge(item.Seq, []);

        Assert.Equal("quantity-malformed", Assert.Single(recorder.Summary.Refused).Problem);
        Assert.Equal([0, 0, 1], new[] { recorder.OfferAgain("1.0/1.0", Start), recorder.OfferAgain("1.0/1.0", Start), recorder.OfferAgain("1.0/1.1", Start) });
        var again = Assert.Single(spool.Peek(10, int.MaxValue, new HashSet<long>()));
        Assert.Equal(item.Body, again.Body);
        Assert.True(again.Seq > item.Seq);
        Assert.Equal((1, 0), (recorder.Summary.Waiting, recorder.Summary.Refused.Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_window_that_no_receipt_names_for_a_day_is_offered_again_once_nothing_waits(bool onDisk)
    {
        var spool = new MemorySpool();
        IUsageStore store = onDisk ? new DiskUsageStore(Path.Combine(directory, "unsettled")) : new MemoryUsageStore();
        using var recorder = new UsageRecorder(store, product, identity, spool);
        recorder.Observe(Start);
        Hour(1);
        var first = Assert.Single(spool.Peek(10, int.MaxValue, new HashSet<long>()));

        // While it waits itself, or another does, nothing is sent twice.
        for (var hour = 2; hour <= 30; hour++)
        {
            Hour(hour);
        }

        Assert.Equal(30, spool.Usage);
        spool.Acknowledge(30, []);
        Hour(31);
        Assert.Equal(1 + 6, spool.Usage);
        Assert.Contains(spool.Peek(10, int.MaxValue, new HashSet<long>()), item => item.Body == first.Body && item.Seq > first.Seq);

        // Offered again is as good as offered: the next time is a day later.
        spool.Acknowledge(37, []);
        Hour(32);
        Assert.Equal(1 + 1, spool.Usage);

        void Hour(int hour)
        {
            product.Count(Start.AddHours(hour), 60);
            recorder.Observe(Start.AddHours(hour));
        }
    }

    private void Run(string path, CountedProduct counter, ISpool spool, DateTimeOffset now, int crashAfter)
    {
        var store = new CrashingStore(new DiskUsageStore(Path.Combine(path, "usage")), crashAfter);
        using var recorder = new UsageRecorder(store, counter, identity, spool);
        try
        {
            recorder.Observe(now);
        }
        catch (PowerCutException)
        {
            // What follows begins from the files, as after a power cut.
        }
    }

    private static List<UsageWindow> Windows(ISpool spool) =>
    [
        .. spool.Peek(int.MaxValue, int.MaxValue, new HashSet<long>()).Reverse().Select(item =>
        {
            using var envelope = System.Text.Json.JsonDocument.Parse(item.Body.Memory);
            return UsageWindow.Read(envelope.RootElement.GetProperty("payload").GetBytesFromBase64(), out _)!;
        }),
    ];

    private sealed class CountedProduct : IUsageSource
    {
        private decimal value;
        private DateTimeOffset startedAt = Start.AddDays(-1);

        public decimal Counted => value;

        public bool IsReadable { get; set; } = true;

        public string ProductVersion => "1.0";

        public void Count(DateTimeOffset at, int more) => value += at >= startedAt ? more : 0;

        public void Restart(DateTimeOffset at) => (startedAt, value) = (at, 0);

        public UsageReading? Read(DateTimeOffset now) => IsReadable ? new(now, [new UsageCounter("data_points", 1, new Dictionary<string, string>(), value, startedAt)]) : null;
    }

    private sealed class ManyCells : IUsageSource
    {
        public int Value { get; set; }

        public string ProductVersion => "1.0";

        public UsageReading Read(DateTimeOffset now) =>
            new(now, [.. Enumerable.Range(0, UsageWindow.MaxCells + 1).Select(i => new UsageCounter("sessions", 1, new Dictionary<string, string> { ["env"] = $"e{i}" }, Value, Start.AddDays(-1)))]);
    }

    private sealed class PowerCutException : Exception;

    /// <summary>The real store on a machine that loses power before its n-th write.</summary>
    private sealed class CrashingStore(IUsageStore inner, int crashAfter) : IUsageStore
    {
        private int writes;

        public UsageState Load() => inner.Load();

        public void Save(UsageState state) => Write(() => inner.Save(state));

        public long LastRevision(int hour, long epoch) => inner.LastRevision(hour, epoch);

        public void Keep(string name, ReadOnlySpan<byte> envelope)
        {
            var bytes = envelope.ToArray();
            Write(() => inner.Keep(name, bytes));
        }

        public IReadOnlyList<(string Name, byte[] Envelope)> NotSpooled() => inner.NotSpooled();

        public void Spooled(string name, DateTimeOffset now) => Write(() => inner.Spooled(name, now));

        public int OfferUnsettled(DateTimeOffset spooledBefore)
        {
            var offered = 0;
            Write(() => offered = inner.OfferUnsettled(spooledBefore));
            return offered;
        }

        public void Settle(string name) => Write(() => inner.Settle(name));

        public void OfferAgain(int fromHour, int toHour) => Write(() => inner.OfferAgain(fromHour, toHour));

        public void Refuse(string name, string problem) => Write(() => inner.Refuse(name, problem));

        public void OfferAgain(string name) => Write(() => inner.OfferAgain(name));

        public void Forget(int beforeHour) => inner.Forget(beforeHour);

        public UsageSummary Summary() => inner.Summary();

        private void Write(Action write)
        {
            if (crashAfter > 0 && ++writes == crashAfter)
            {
                throw new PowerCutException();
            }

            write();
        }
    }
}
