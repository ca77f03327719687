using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.Sent;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>What the customer can read about what left his machine.</summary>
public sealed class SentLogTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-sent-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void A_body_is_there_byte_for_byte_before_it_has_an_answer_and_with_it_after()
    {
        var request = new CheckInRequest { ClusterId = "c", Epoch = 1 };
        var bytes = request.ToByteArray();
        var compressed = SentLog.Compress(bytes);
        using var log = new SentLog(directory, TimeProvider.System);

        var id = log.Leaves(new Uri("https://mc.example/callhome/v1/checkin"), request, bytes, compressed, "gzip");
        var before = Assert.Single(SentLog.Read(directory));
        log.Answered(id, 200, null);
        var after = Assert.Single(SentLog.Read(directory));

        Assert.Equal(bytes, before.Body);
        Assert.Equal((SentLog.Digest(compressed), SentLog.Digest(bytes)), (before.Sha256, before.InflatedSha256));
        Assert.Null(before.Status);
        Assert.Equal(200, after.Status);
    }

    [Fact]
    public void A_credential_is_never_in_the_log()
    {
        using var log = new SentLog(directory, TimeProvider.System);
        var enroll = new EnrollRequest { Token = "mce_secret", Proof = ByteString.CopyFromUtf8("proof"), Facts = new Facts { Name = "Oslo" }, FurtherKeys = { new KeyInfo { Use = "witness", Proof = ByteString.CopyFromUtf8("further proof") } } };
        var token = new TokenRequest { Assertion = "header.claims.signature" };

        log.Leaves(new Uri("https://mc.example/callhome/v1/enroll"), enroll, enroll.ToByteArray(), enroll.ToByteArray(), null);
        log.Leaves(new Uri("https://mc.example/callhome/v1/token"), token, token.ToByteArray(), token.ToByteArray(), null);

        var text = string.Concat(Directory.EnumerateFiles(directory).Select(File.ReadAllText));
        foreach (var secret in new[] { "mce_secret", "header.claims", Convert.ToBase64String("mce_secret"u8), Convert.ToBase64String("further proof"u8), Convert.ToBase64String(token.ToByteArray()) })
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }

        Assert.Contains("Oslo", text, StringComparison.Ordinal);
        Assert.Equal(SentLog.Digest(enroll.ToByteArray()), SentLog.Read(directory).First().Sha256);
    }

    [Fact]
    public void A_line_that_a_crash_cut_off_hides_no_other()
    {
        var request = new CheckInRequest { ClusterId = "c", Epoch = 1 };
        using (var log = new SentLog(directory, TimeProvider.System))
        {
            log.Leaves(new Uri("https://mc.example/callhome/v1/checkin"), request, request.ToByteArray(), request.ToByteArray(), null);
        }

        File.AppendAllText(Directory.EnumerateFiles(directory).Single(), "{\"Id\":17,\"Url\":\"https://m", Encoding.UTF8);
        using (var log = new SentLog(directory, TimeProvider.System))
        {
            log.Leaves(new Uri("https://mc.example/callhome/v1/checkin"), request, request.ToByteArray(), request.ToByteArray(), null);
        }

        Assert.Equal(2, SentLog.Read(directory).Count());
    }

    [Fact]
    public void What_is_older_than_thirty_days_goes()
    {
        File.WriteAllText(Path.Combine(directory, "2020-01-01.ndjson"), "{}\n");
        var request = new CheckInRequest { ClusterId = "c", Epoch = 1 };
        using var log = new SentLog(directory, TimeProvider.System);

        log.Leaves(new Uri("https://mc.example/callhome/v1/checkin"), request, request.ToByteArray(), request.ToByteArray(), null);

        Assert.Single(Directory.EnumerateFiles(directory));
    }

    [Fact]
    public void More_than_the_limit_within_one_day_keeps_the_newest_within_the_limit()
    {
        const int limit = 64 * 1024;
        var sent = new List<long>();
        var time = new ManualTime(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

        // Half of it by one run of the agent and half by the next, which goes on where the first left off.
        for (var run = 0; run < 2; run++)
        {
            using var log = new SentLog(directory, time, keepBytes: limit);
            for (var i = 0; i < 100; i++)
            {
                sent.Add(Send(log));
                Assert.InRange(Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length), 1, limit);
            }
        }

        // Within the limit but for what one file holds, without a gap, and each with its answer, in whichever file that stands.
        var kept = SentLog.Read(directory).ToList();
        Assert.Equal(sent.TakeLast(kept.Count), kept.Select(body => body.Id));
        Assert.All(kept.Skip(1), body => Assert.Equal(200, body.Status));
        Assert.InRange(kept.Count, 10, 190);
        Assert.InRange(Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length), limit / 32 * 29, limit);
    }

    [Fact]
    public void Older_days_go_first_and_file_by_file()
    {
        const int limit = 64 * 1024;
        var time = new ManualTime(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        using var log = new SentLog(directory, time, keepBytes: limit);
        var before = Day("2026-03-01");
        while (before.Count < 20)
        {
            Send(log);
            before = Day("2026-03-01");
        }

        time.Advance(TimeSpan.FromDays(1));
        while (Day("2026-03-02").Count < 20)
        {
            Send(log);
        }

        // Of the day before the oldest files are gone, and the others are there whole.
        var left = Day("2026-03-01");
        Assert.InRange(left.Count, 5, 19);
        Assert.Equal(before.TakeLast(left.Count), left);
        Assert.Equal(20, Day("2026-03-02").Count);
        Assert.Equal(left[0], Directory.EnumerateFiles(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal).First());
    }

    private static long Send(SentLog log)
    {
        var request = new CheckInRequest { ClusterId = new string('c', 300), Epoch = 1 };
        var id = log.Leaves(new Uri("https://mc.example/callhome/v1/checkin"), request, request.ToByteArray(), request.ToByteArray(), null);
        log.Answered(id, 200, null);
        return id;
    }

    private List<string> Day(string date) => [.. Directory.EnumerateFiles(directory, $"{date}*").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
