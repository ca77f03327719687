using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using MissionControl.ClusterAgent.Commands;
using MissionControl.ClusterAgent.Log;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>The cluster's own log: what a crash leaves of it, what is told of it, and how it is held against its customer's.</summary>
public sealed class CounterLogTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private readonly string directory = Directory.CreateTempSubdirectory("mc-log-").FullName;
    private readonly FileIdentity identity;
    private readonly Enrollment enrollment = new(new Uri("https://localhost"), Guid.CreateVersion7(), 1, "sha256:", false, 60, 0);

    public CounterLogTests() => identity = new FileIdentity(directory) { Enrollment = enrollment };

    private string Files => CounterLog.PathOf(directory, enrollment.ClusterId, 1);

    public void Dispose()
    {
        identity.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void A_crash_in_the_middle_of_an_entry_loses_none_that_was_noted_and_every_size_is_a_log_of_tiles()
    {
        var log = Open();
        for (var size = (int)log.Size; size < 260; size++)
        {
            if (size is 2 or 3 or 255 or 256 or 257)
            {
                // Killed before the checkpoint: what was written of the next entry is there, half of it or whole.
                var checkpoint = File.ReadAllBytes(Path.Combine(Files, "checkpoint"));
                Assert.True(Note(log, "lost", size));
                File.WriteAllBytes(Path.Combine(Files, "checkpoint"), checkpoint);
                var torn = Path.Combine(Files, $"{TileId.At(TileId.Entries, size / TileId.FullWidth, size + 1)}");
                File.WriteAllBytes(torn + ".tmp", [1]);
                if (size % TileId.FullWidth != 0)
                {
                    using var cut = File.OpenWrite(torn);
                    cut.SetLength(cut.Length - 5);
                }

                log = Open();
                Assert.Equal((size, null), (log.Size, log.Problem));
            }

            Assert.True(Note(log, "kept", size));
        }

        var read = LogFiles.Read(Files)!.Value;
        Assert.Equal(260, read.Entries.Count);
        Assert.DoesNotContain(read.Entries, entry => ClusterLogEntry.Parse(entry).Type == "lost");

        // What anybody reads: the checkpoint by the key, and each tile as wide as it is.
        using var policy = LogPolicy.Parse($"log {Key()}\nquorum none\n");
        var judged = policy.Judge(SignedNote.Parse(File.ReadAllBytes(Path.Combine(Files, "checkpoint")))).Checkpoint;
        Assert.All(TileId.AllOf(260).Where(tile => tile.Level >= 0), tile => Assert.Equal(tile.Width * TreeHash.Size, File.ReadAllBytes(Path.Combine(Files, $"{tile}")).Length));
        var inclusion = ProofPlan.Inclusion(100, 260).Resolve(tile => File.ReadAllBytes(Path.Combine(Files, $"{tile}")));
        Assert.True(MerkleProof.VerifyInclusion(TreeHash.OfLeaf(read.Entries[100]), 100, 260, inclusion, judged.Root));

        // An entry that was changed is noticed, and nothing goes on from there.
        var bundle = Path.Combine(Files, $"{TileId.At(TileId.Entries, 0, 260)}");
        var bytes = File.ReadAllBytes(bundle);
        bytes[40] ^= 1;
        File.WriteAllBytes(bundle, bytes);
        log = Open();
        Assert.Contains("not those that were signed", log.Problem, StringComparison.Ordinal);
        Assert.False(Note(log, "kept", 1_000));
        Assert.Null(log.Show(new ClusterLogHeld()));
        Assert.True(log.IsLost);
    }

    [Fact]
    public void What_is_told_is_what_the_other_side_lacks_and_nothing_when_it_lacks_nothing()
    {
        var log = Open();
        for (var i = 0; i < 100; i++)
        {
            Note(log, "kept", i);
        }

        Assert.Null(log.Show(null));
        var first = log.Show(new ClusterLogHeld())!;
        Assert.Equal((0, 64, 103), (first.From, first.Entries.Count, first.Size));
        var range = new CompactRange();
        first.Entries.ToList().ForEach(entry => range.Append(TreeHash.OfLeaf(entry.Span)));
        Assert.Equal((range.Size, range.Root), Of(first));

        var second = log.Show(new ClusterLogHeld { Origin = log.Origin, Size = range.Size, Root = ByteString.CopyFrom(range.Root.Span) })!;
        second.Entries.ToList().ForEach(entry => range.Append(TreeHash.OfLeaf(entry.Span)));
        Assert.Equal((64, 39, (range.Size, range.Root)), (second.From, second.Entries.Count, Of(second)));

        var held = new ClusterLogHeld { Origin = log.Origin, Size = range.Size, Root = ByteString.CopyFrom(range.Root.Span) };
        Assert.Equal(new ClusterLogShown { Origin = log.Origin, Size = 103 }, log.Show(held));

        // Who holds something else, or more, is shown what there is.
        held.Root = ByteString.CopyFrom(new byte[32]);
        Assert.Equal(103, Of(log.Show(held)!).Size);
        held.Size = 1_000;
        Assert.Equal(103, Of(log.Show(held)!).Size);

        // Once of what has a name; another epoch is another log.
        Assert.True(log.Note(Reconciliation.KeyRotated, "", "key:a", Now) && log.Note(Reconciliation.KeyRotated, "", "key:a", Now));
        Assert.Equal(104, log.Size);
        Assert.True(log.EpochTaken(enrollment.ClusterId, 2, Now));
        Assert.EndsWith("/2", log.Origin, StringComparison.Ordinal);
        Assert.Equal((1, 0), (log.Size, (int)log.Show(held)!.From));

        static (long Size, TreeHash Root) Of(ClusterLogShown shown)
        {
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(shown.Checkpoint.Span).Text);
            return (checkpoint.Size, checkpoint.Root);
        }
    }

    [Fact]
    public async Task An_honest_log_says_the_same_whatever_happened_on_the_way_and_what_is_not_on_the_record_is_found()
    {
        // A customer's log in which all stands that the cluster saw, and more that it never did: an inventory that
        // was asked for while it was away, what was imported, and somebody else's cluster.
        var log = Open();
        List<JsonObject> vendor =
        [
            Entry("callhome.enrollment-token-created", "/expiresAt", "x", cluster: null), Entry("callhome.cluster-suspended", "/state", "suspended"), Entry("callhome.cluster-resumed", "/state", "active"),
            Entry("callhome.cluster-suspended", "/state", "suspended", Guid.CreateVersion7()),
            Entry("fleet.inventory-requested", "/inventoryAskedAt", "2026-11-29T10:00:00Z"), Entry("fleet.inventory-requested", "/inventoryAskedAt", "2026-11-29T11:00:00.123+00:00"),
            Imported(Entry("callhome.key-rotation-requested", "/retire", new JsonArray("k1", "k0"))), Entry("callhome.key-rotated", "/keys/-", "k2"), Entry("callhome.epoch-issued", "/epoch", 2),
        ];
        log.Refused("cluster-suspended", Now);
        log.Taken(Now.AddSeconds(5));
        log.Refused("cluster-suspended", Now.AddHours(1));
        log = Open();
        log.Taken(Now.AddHours(2));
        log.Refused("cluster-suspended", Now.AddHours(2).AddSeconds(30));
        log.Taken(Now.AddHours(3));
        log.InventoryAsked(Milliseconds("2026-11-29T11:00:00.123Z"), Now);
        log.InventoryAsked(Milliseconds("2026-11-29T11:10:00Z"), Now.AddMinutes(10));
        log.Note(Reconciliation.RotationAsked, "", "key:k1", Now);
        log.Note(Reconciliation.KeyAnnounced, "", "key:k2", Now);
        log.Note(Reconciliation.KeyRotated, "", "key:k2", Now);
        log.Note(Reconciliation.KeyAnnounced, "The answer was lost.", "key:k3", Now);
        log.Note("anchors-changed", "", "anchors:2", Now);
        log.EpochTaken(enrollment.ClusterId, 2, Now);
        Assert.Equal(0, (await VerifyAsync(vendor)).Exit);

        // What came a moment ago may still be on its way; an hour later it is missing.
        log.Note(Reconciliation.KeyRotated, "", "key:k4", Now.AddHours(9).AddMinutes(30));
        Assert.Equal(0, (await VerifyAsync(vendor)).Exit);
        var (exit, said) = await VerifyAsync(vendor, "--as-of", "2026-11-30T00:00:00Z");
        Assert.Equal((5, "key:k4"), (exit, Unmatched(said)));
        vendor.Add(Entry("callhome.key-rotated", "/keys/-", "k4"));

        // Each that is taken out of the customer's log is found; but not what a log taken out from later on cannot have.
        foreach (var (type, reference) in new[] { ("callhome.key-rotated", "key:k2"), ("callhome.key-rotation-requested", "key:k1"), ("callhome.epoch-issued", "epoch:2") })
        {
            var dropped = vendor.Where(entry => !$"{entry}".Contains(type, StringComparison.Ordinal) || (type == "callhome.key-rotated" && $"{entry}".Contains("k4", StringComparison.Ordinal))).ToList();
            (exit, said) = await VerifyAsync(dropped, "--as-of", "2026-11-30T00:00:00Z");
            Assert.Equal((5, reference), (exit, Unmatched(said)));
        }

        var suspensions = vendor.Where(entry => !$"{entry}".Contains("cluster-suspended", StringComparison.Ordinal)).ToList();
        Assert.Equal((5, "suspended:1"), ((await VerifyAsync(suspensions)).Exit, Unmatched((await VerifyAsync(suspensions)).Said)));
        Assert.Equal(0, (await VerifyAsync(suspensions, from: 2)).Exit);

        // The other way round: the customer's log says that the cluster took a key, and the cluster never announced it.
        var foreign = Entry("callhome.key-rotated", "/keys/-", "k9");
        foreign["recordedAt"] = "2026-11-29T20:00:00.000Z";
        (exit, said) = await VerifyAsync([.. vendor, foreign], "--as-of", "2026-11-30T00:00:00Z");
        Assert.Equal((5, "key:k9"), (exit, said!["missingHere"]!.AsArray().Single()!["reference"]!.GetValue<string>()));

        // A file with a hole says nothing.
        Assert.Equal(1, (await VerifyAsync(vendor, skip: 3)).Exit);
    }

    [Fact]
    public async Task A_clock_that_the_server_sets_wrong_hides_nothing_and_a_key_that_was_replaced_without_a_note_is_noted()
    {
        // One answer from 2099, as the log begins.
        var lie = Now.AddYears(73);
        var log = new CounterLog(identity, directory, new At(Now));
        Assert.True(log.Run(enrollment, lie) && log.InventoryAsked(7, lie));
        log.Refused("cluster-suspended", lie);
        Assert.True(log.InventoryAsked(8, Now));
        log.Taken(Now);
        identity.NextKey().Dispose();
        identity.TakeNextKey();
        log = new CounterLog(identity, directory, new At(Now));
        Assert.True(log.Run(enrollment, Now) && log.Run(enrollment, Now));
        var noted = LogFiles.Read(Files)!.Value.Entries.Select(entry => ClusterLogEntry.Parse(entry)).ToList();
        Assert.Equal(["log-begun", "agent-version", "key-held", "inventory-asked", "suspended", "inventory-asked", "resumed", "key-held"], noted.Select(entry => entry.Type));
        Assert.Equal((lie, Now, null), (noted[0].At, noted[0].Clock, noted[^1].Clock));

        var foreign = Entry("callhome.key-rotated", "/keys/-", "k9");
        foreign["recordedAt"] = "2026-11-29T20:00:00.000Z";
        var (exit, said) = await VerifyAsync([foreign, Entry("fleet.inventory-requested", "/inventoryAskedAt", "1970-01-01T00:00:00.008Z")], "--as-of", "2026-11-30T00:00:00Z");
        Assert.Equal((5, "key:k9"), (exit, said!["missingHere"]!.AsArray().Single()!["reference"]!.GetValue<string>()));
        Assert.Equal(["inventory:7", "suspended:1", "resumed:1"], said["entries"]!.AsArray().Where(entry => entry!["state"]!.GetValue<string>() == "unmatched").Select(entry => entry!["reference"]!.GetValue<string>()));

        // Where nobody knows better, what is dated after now is on no way, and a log does not begin then.
        var side = new VendorSide(enrollment.ClusterId);
        foreach (var (type, at) in new[] { ("cluster-suspended", "11:00"), ("cluster-resumed", "11:30"), ("cluster-suspended", "12:30"), ("key-rotated", "13:00") })
        {
            var entry = Entry($"callhome.{type}", "/keys/-", "k9");
            entry["recordedAt"] = $"2026-11-29T{at}:00.000Z";
            side.Add(System.Text.Json.JsonSerializer.SerializeToElement(entry));
        }

        var compared = Compared.Of([("log", [new ClusterLogEntry(DateTimeOffset.MaxValue, Reconciliation.KeyRotated, "", "key:k8")])], new CustomerLogFile(side, 4, null), Now.AddHours(9));
        Assert.Equal(("unmatched", "key:k9"), (Assert.Single(compared.Entries).State, Assert.Single(compared.MissingHere).Reference));

        // States are counted from the log's beginning on, with the one that it begins in.
        Assert.Equal((true, false, true), (side.Has("suspended suspended:1", Now), side.Has("suspended suspended:2", Now), side.Has("suspended suspended:2", Now.AddMinutes(-45))));
    }

    private static long Milliseconds(string at) => DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();

    private static string Unmatched(JsonNode? said) => said!["entries"]!.AsArray().Single(entry => entry!["state"]!.GetValue<string>() == "unmatched")!["reference"]!.GetValue<string>();

    private static bool Note(CounterLog log, string type, int number) => log.Note(type, $"Number {number}.", null, Now);

    private CounterLog Open()
    {
        var log = new CounterLog(identity, directory);
        log.Run(enrollment, Now);
        return log;
    }

    private NoteKey Key()
    {
        Assert.True(Ed25519Key.TryFromSpki(identity.WitnessSpki.Span, out var key));
        using (key)
        {
            return NoteKey.From(ClusterLogName.Of(key.PublicKey.Span, enrollment.ClusterId, 1), NoteKeyType.Ed25519, key.PublicKey.Span);
        }
    }

    private JsonObject Entry(string type, string path, JsonNode value) => Entry(type, path, value, enrollment.ClusterId);

    private static JsonObject Entry(string type, string path, JsonNode value, Guid? cluster)
    {
        var entry = new JsonObject
        {
            ["changes"] = new JsonArray(new JsonObject { ["op"] = "add", ["path"] = path, ["value"] = value }), ["eventId"] = Guid.CreateVersion7().ToString(), ["log"] = "customer", ["outcome"] = "success",
            ["recordedAt"] = "2026-11-29T12:00:00.000Z", ["type"] = type,
        };
        if (cluster is { } id)
        {
            entry["clusterId"] = id.ToString();
        }

        return entry;
    }

    private static JsonObject Imported(JsonObject entry)
    {
        var told = entry.DeepClone();
        entry.Remove("changes");
        told["occurredAt"] = "2026-11-29T12:00:00.000Z";
        (entry["type"], entry["imported"]) = ("audit.imported", told);
        return entry;
    }

    private Task<(int Exit, JsonNode? Said)> VerifyAsync(List<JsonObject> entries, params string[] more) => VerifyAsync(entries, -1, 0, more);

    private Task<(int Exit, JsonNode? Said)> VerifyAsync(List<JsonObject> entries, int skip = -1, int from = 0) => VerifyAsync(entries, skip, from, []);

    private async Task<(int Exit, JsonNode? Said)> VerifyAsync(List<JsonObject> entries, int skip, int from, string[] more)
    {
        var file = Path.Combine(directory, "customer.jsonl");
        await File.WriteAllLinesAsync(file, entries.Select((entry, index) => (entry, index)).Where(one => one.index >= from && one.index != skip).Select(one => new JsonObject { ["entry"] = one.entry.DeepClone(), ["index"] = one.index }.ToJsonString()), TestContext.Current.CancellationToken);
        using var output = new StringWriter();
        using var error = new StringWriter();
        string[] asOf = more.Length > 0 ? more : ["--as-of", "2026-11-29T22:00:00Z"];
        var exit = await AgentCommand.Create().Parse(["log", "--verify", file, "--data", directory, "--output", "json", .. asOf])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return (exit, output.ToString() is { Length: > 0 } text ? JsonNode.Parse(text) : null);
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
