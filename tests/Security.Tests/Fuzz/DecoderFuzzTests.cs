using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using MissionControl.CallHome;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.Intake;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using MissionControl.Protocol.Tokens;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.Security.Tests.Fuzz;

/// <summary>Every decoder that a cluster or the internet can reach, over bent samples of what it expects: it answers or refuses, and never throws what its callers do not await.</summary>
public sealed class DecoderFuzzTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 30, 0, TimeSpan.Zero);
    private static readonly EcdsaSigner Signer = EcdsaSigner.Create();
    private static readonly VerificationKey Key = VerificationKey.FromSpki(Signer.PublicKeySpki);
    private readonly string directory = Directory.CreateTempSubdirectory("mc-fuzz-").FullName;

    private static UsageWindow Window { get; } = new(
        1, "0198c0de-0000-7000-8000-000000000001", 3, "2026-11-25T10:00:00Z", 3600, 2, "2026-11-25T11:00:00Z", true,
        [new UsageCell("host_unit_seconds", 1, new Dictionary<string, string> { ["env"] = "e1", ["kind"] = "größe" }, "1296000"), new UsageCell("gib_hours", 1, new Dictionary<string, string>(), "0.000001")],
        Product: "1.326.0");

    private static Health Health { get; } = new()
    {
        IntervalS = 60, ExpectedNodes = 2, QuorumSpare = 1, Backup = new Backup { ScheduleS = 3600, LastSuccessMs = 1_764_000_000_000, Location = "nfs" },
        Nodes = { new NodeHealth { Id = "n1", Role = "server", State = "running", Cores = 4, CpuPercent = 12.5, Load1 = 0.4, ClockOffsetMs = 1, StartedAtMs = 1_764_000_000_000, Version = "1.0", Disks = { new Disk { Mount = "/data", TotalBytes = 100, UsedBytes = 10, InodesUsedPercent = 3 } } } },
        Certificates = { new Certificate { Purpose = "cluster", NotAfterMs = 1_800_000_000_000 } }, CallHome = new CallHomeHealth { FailedPercent15M = 1 }, Replication = new Replication { LagS = 0.1 },
    };

    private static CheckInRequest CheckIn { get; } = new()
    {
        ClusterId = Window.Cluster, Epoch = 1, LowestKept = 1, DesiredEtag = "d1", Spool = new SpoolState { Items = 3, Dropped = { new DroppedRange { Type = "health", First = 1, Last = 2, Reason = "age" } } },
        Items = { new Item { Seq = 2, Type = "health", AtMs = 1, Body = Health.ToByteString() }, new Item { Seq = 3, Type = "usage", Body = ByteString.CopyFrom(Dsse.Sign(UsageWindow.PayloadType, Window.ToBytes(), Signer)) }, new Item { Seq = 4, Type = "event", Body = new Event { Id = "e", Kind = "k", Severity = "info", Text = "t" }.ToByteString() } },
    };

    [Fact]
    public void Envelopes_that_verify_hold_exactly_what_was_signed() => Fuzz(20_000, [Dsse.Sign(UsageWindow.PayloadType, Window.ToBytes(), Signer), Dsse.Sign("other", "{}"u8, Signer)], bytes =>
    {
        if (Dsse.TryVerify(bytes, UsageWindow.PayloadType, kid => kid == Signer.KeyId ? Key : null, out var verified, out var error))
        {
            Assert.Equal(Window.ToBytes(), verified.Payload);
        }
        else
        {
            Assert.NotEmpty(error!);
        }
    });

    [Fact]
    public void Usage_windows_are_read_whole_or_refused_with_a_code() => Fuzz(40_000, [Window.ToBytes()], bytes =>
    {
        if (UsageWindow.Read(bytes, out var problem) is { } window)
        {
            // What was read can be stored: no value that the database or a later reader would stumble over.
            Assert.InRange(window.Hour, UsageWindow.HourOf(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero)), UsageWindow.HourOf(new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            Assert.True(window.Collected.Year >= 2000);
            Assert.All(window.Meters, cell => Assert.True(cell.DimensionText.Length > 0 && !cell.Environment.Contains('\0') && Quantity.IsWellFormed(cell.Quantity)));
        }
        else
        {
            Assert.True(problem!.Code.Length > 0 && problem.Detail.Length > 0);
        }
    });

    [Fact]
    public void Documents_for_the_agent_are_read_or_refused_as_json() => Fuzz(20_000, [Anchors().ToBytes(), Receipt().ToBytes()], bytes =>
    {
        Awaits<JsonException>(() => { AnchorDocument.Parse(bytes); });
        Awaits<JsonException>(() => { UsageReceipt.Parse(bytes); });
    });

    [Fact]
    public void Licences_are_read_whole_or_refused_and_what_is_read_can_be_judged() => Fuzz(20_000, [Lease().ToBytes()], bytes =>
    {
        if (LicenseLease.Read(bytes, out var problem) is { } lease)
        {
            var verdict = LicenseRules.Check(lease, LicenseKnowledge.At(Now, null), LicenseQuestion.Plain);
            Assert.Contains(verdict.State, LicenseRules.States);
            Assert.Equal(lease.Limits.Count, verdict.Limits.Count);
        }
        else
        {
            Assert.NotEmpty(problem!);
        }
    });

    [Fact]
    public void The_agent_takes_no_anchors_but_signed_ones() => Fuzz(5_000, [Dsse.Sign(AnchorDocument.PayloadType, Anchors().ToBytes(), Signer)], bytes =>
        Awaits<CryptographicException>(() => Assert.Equal(Anchors().ToBytes(), ClusterAgent.CallHome.Anchors.Verify(bytes).ToBytes())));

    [Fact]
    public void Check_ins_in_protobuf_are_judged_item_by_item_whatever_stands_in_them()
    {
        var cluster = new KnownCluster(Guid.Parse(Window.Cluster), Guid.Empty) { Epoch = 3, Keys = new Dictionary<string, byte[]> { [Signer.KeyId] = Signer.PublicKeySpki } };
        Fuzz(20_000, [CheckIn.ToByteArray()], bytes =>
        {
            ProtobufShape.IsBeyond(bytes, CheckInRequest.Descriptor, 100);
            if (Awaits<InvalidProtocolBufferException, CheckInRequest>(() => CheckInRequest.Parser.ParseFrom(bytes)) is not { } request)
            {
                return;
            }

            Door.Check(request);
            foreach (var item in request.Items)
            {
                Door.Digest(item);
                Shown(item, Door.Judge(item, cluster, Now));
            }
        });
    }

    [Fact]
    public void Whatever_health_the_door_takes_can_be_evaluated_and_shown() => Fuzz(30_000, [Health.ToByteArray()], bytes =>
    {
        var item = new Item { Seq = 1, Type = "health", Body = ByteString.CopyFrom(bytes) };
        Shown(item, Door.Judge(item, new KnownCluster(Guid.Empty, Guid.Empty), Now));
    });

    [Fact]
    public void Json_that_the_strict_reader_passes_is_read_or_refused_by_the_parser()
    {
        var parser = new JsonParser(JsonParser.Settings.Default.WithRecursionLimit(32).WithIgnoreUnknownFields(true));
        Fuzz(20_000, [Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(CheckIn))], bytes =>
        {
            if (StrictJsonReader.Check(bytes, CheckInRequest.Descriptor, 1 << 20).Error is null && System.Text.Unicode.Utf8.IsValid(bytes))
            {
                Awaits<IOException>(() => { parser.Parse<CheckInRequest>(Encoding.UTF8.GetString(bytes)); });
            }
        });
    }

    [Fact]
    public void Tokens_are_ours_or_nothing()
    {
        using var sealing = new AccessTokens(new SealingKeys(new DataDirectory(directory), new CallHomeOptions(), TimeProvider.System), TimeProvider.System);
        var cluster = Guid.CreateVersion7();
        var (api, access) = (TokenText.New('a', out var id, out var sha), sealing.Seal(cluster));
        Fuzz(40_000, [Encoding.UTF8.GetBytes(api), Encoding.UTF8.GetBytes(access)], bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            if (TokenText.TryParse(text, out var kind, out var foundId, out var foundSha) && text.Length == api.Length)
            {
                Assert.True(kind == 'a' && foundId == id && foundSha.SequenceEqual(sha), text);
            }

            Assert.True(!sealing.TryOpen(text, out var opened) || opened.ClusterId == cluster, text);
            TokenText.Redact(text);
        });
    }

    [Fact]
    public void User_tokens_say_what_was_signed_or_nothing()
    {
        var claims = new UserClaims(UserTokens.Issuer, UserTokens.Audience, "token:a", "staff", "fleet:read", null, "a", "s", Now.ToUnixTimeSeconds(), Now.ToUnixTimeSeconds() + 300);
        var good = UserTokens.Issue(claims, Signer);
        Assert.Equal(claims, UserTokens.Verify(good, _ => Key, Now));
        Assert.Null(UserTokens.Verify(good, _ => Key, Now.AddMinutes(5)));
        Assert.Null(UserTokens.Verify(good, _ => Key, Now.AddHours(-1)));
        Fuzz(20_000, [Encoding.ASCII.GetBytes(good)], bytes => Assert.True(UserTokens.Verify(Encoding.UTF8.GetString(bytes), _ => Key, Now) is null or { Sub: "token:a", Scope: "fleet:read" }));

        // Signed, and not the one form: nothing to negotiate.
        foreach (var header in new[] { """{"alg":"none","typ":"mc-user+jwt","kid":"k"}""", """{"alg":"ES256","typ":"JWT","kid":"k"}""", """{"alg":"ES256","typ":"mc-user+jwt","kid":"k","crit":["x"]}""", """{"alg":"ES256","typ":"mc-user+jwt","kid":null}""", """{"alg":"\ud800","typ":"mc-user+jwt","kid":"k"}""" })
        {
            var head = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{good.Split('.')[1]}";
            Assert.Null(UserTokens.Verify($"{head}.{Base64Url.EncodeToString(Signer.Sign(Encoding.ASCII.GetBytes(head)))}", _ => Key, Now));
        }
    }

    [Fact]
    public void Cursors_are_ours_or_nothing() => Fuzz(40_000, [Encoding.ASCII.GetBytes(Cursors.Encode("1764000000000", "name", Window.Cluster)), Encoding.ASCII.GetBytes(Cursors.Encode("ä\"\\", ""))], bytes =>
    {
        if (Cursors.TryDecode(Encoding.UTF8.GetString(bytes), out var parts))
        {
            Assert.All(parts, part => Assert.True(part is not null && !part.Contains('\0')));
            Cursors.TryInstant(parts[0], out _);
        }
    });

    [Fact]
    public void Instants_in_cursors_lie_within_the_calendar() => Assert.All(
        ["", "-1", "+1", " 1", "1.0", "253402300800000", "9223372036854775807", "99999999999999999999", "x"], text => Assert.False(Cursors.TryInstant(text, out _), text));

    [Fact]
    public async Task Compressed_bodies_inflate_within_their_limits_or_are_refused()
    {
        var message = CheckIn.ToByteArray();
        var corpus = new List<(string Encoding, byte[] Bytes)> { ("gzip", Intake.Bodies.Gzip(message)), ("br", Intake.Bodies.Brotli(message)), ("gzip", Intake.Bodies.Gzip(new byte[300_000])), ("br", Intake.Bodies.Brotli(new byte[300_000])) };
        var mutator = new Mutator(11);
        for (var i = 0; i < Mutator.Rounds(10_000); i++)
        {
            var (encoding, sample) = corpus[i % corpus.Count];
            var http = new DefaultHttpContext();
            http.Request.Body = new MemoryStream(mutator.Next([sample]));
            http.Request.Headers.ContentEncoding = encoding;
            using var read = await BodyReader.ReadAsync(http.Request, Limits.CompressedBytes, Limits.InflatedBytes, CancellationToken.None);
            Assert.True(read.Refusal is null or BodyReader.TooLarge or BodyReader.Malformed, read.Refusal);
            Assert.InRange(read.Length, 0, Limits.InflatedBytes);
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    // What fleet does with an item that the door took.
    private static void Shown(Item item, ItemRefusal? refusal)
    {
        if (refusal is not null)
        {
            Assert.True(refusal.Code.Length > 0 && refusal.Detail.Length > 0);
            return;
        }

        if (item.Type == "health")
        {
            var health = Health.Parser.ParseFrom(item.Body);
            MissionControl.Fleet.Health.Evaluate.Findings(health, Now);
            MissionControl.Fleet.Health.Evaluate.NextChange(health, null, Now);
            JsonSerializer.Serialize(health.Nodes.Select(node => new { node.Load1, node.ClockOffsetMs, node.CpuPercent, Disks = node.Disks.Select(disk => disk.InodesUsedPercent) }));
        }
    }

    private static void Fuzz(int rounds, IReadOnlyList<byte[]> corpus, Action<byte[]> target)
    {
        // Another seed each day, printed with a failure: the same machine never only repeats itself.
        var seed = global::System.Environment.GetEnvironmentVariable("MC_FUZZ_SEED") is { } given ? int.Parse(given) : (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 86_400);
        var mutator = new Mutator(seed);
        var started = Stopwatch.StartNew();
        for (var i = 0; i < Mutator.Rounds(rounds); i++)
        {
            var bytes = mutator.Next(corpus);
            try
            {
                target(bytes);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"MC_FUZZ_SEED={seed}, round {i}: {Convert.ToBase64String(bytes)}\n{exception}", exception);
            }
        }

        Assert.True(started.Elapsed < TimeSpan.FromMinutes(30), "a bent sample took far too long");
    }

    private static T? Awaits<TException, T>(Func<T> act)
        where TException : Exception
        where T : class
    {
        try
        {
            return act();
        }
        catch (TException)
        {
            return null;
        }
    }

    private static void Awaits<TException>(Action act)
        where TException : Exception
    {
        try
        {
            act();
        }
        catch (TException)
        {
        }
    }

    private static AnchorDocument Anchors() => new(1, 1, Now, [new AnchorKey(Signer.KeyId, "ES256", Signer.PublicKeySpki, ["root"], Now, Now.AddYears(1))]);

    private static LicenseLease Lease() => new(
        1, Window.Cluster, 7, [new LeaseCluster(Window.Cluster, [Signer.KeyId])], "production", "active", "2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z", "2027-12-01T00:00:00Z", "2026-11-25T12:00:00Z", "2026-12-25T12:00:00Z", 3600, 43200, 14, "block",
        ["sso"], [new LeaseLimit("sessions", 1, "999999999999999999.5", "month", "up-to", "12", 5, 4, "2026-11-25T12:00:00Z"), new LeaseLimit("log_bytes", 1, "0", "term", "deny", "1")], "2026-11-25T12:00:00Z");

    private static UsageReceipt Receipt() => new(1, Window.Cluster, 3, [new WindowResult(Window.Window, 3, 2, UsageWindow.Digest(Window.ToBytes()), "accepted")], [new WindowGap("2026-11-25T03:00:00Z", "2026-11-25T05:00:00Z")], "2026-11-25T12:00:00Z");
}
