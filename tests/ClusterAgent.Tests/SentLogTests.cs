using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.Sent;
using MissionControl.Protocol.CallHome;
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
        Assert.Equal(SentLog.Digest(enroll.ToByteArray()), SentLog.Read(directory)[0].Sha256);
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

        Assert.Equal(2, SentLog.Read(directory).Count);
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
}
