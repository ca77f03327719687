using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Tests;

/// <summary>What binds a log of Mission Control to what others are shown, where whoever holds all keys would show it otherwise.</summary>
public sealed class AuditAnchorTests : IAsyncLifetime
{
    private const string Logs = "/api/v1/audit/logs";
    private const string Id = "018f0000-0000-7000-8000-000000000001";
    private const string Fleet = "ad0940e4-8bac-50e2-4af3-89c966b76ba8";
    private const int Slot = 1;
    private static readonly byte[] Blinding = [.. Enumerable.Repeat((byte)7, Epoch.BlindingSize)];
    private readonly Workspace space = new();
    private readonly TestLog own;
    private readonly TestLog fleet;
    private readonly TestLog anchor;
    private HostileServer server = null!;
    private SlotProof proof = null!;
    private SlotProof fleetProof = null!;

    public AuditAnchorTests()
    {
        // One key signs all logs of an installation.
        var seed = Ed25519Key.NewSeed();
        (own, fleet, anchor) = (TestLog.Of(20, "log.example/acme", seed), TestLog.Of(3, "log.example/fleet", seed), TestLog.Of(0, "log.example/anchor", seed));
        space.Write("audit.policy", own.Policy());
        Register(Slot, own.Head.Origin);
        Register(0, "log.example/fleet");
        Close(TimeProvider.System.GetUtcNow());
    }

    public async ValueTask InitializeAsync() => server = await HostileServer.ServingAsync(space.PathOf("www"));

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        own.Dispose();
        fleet.Dispose();
        anchor.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_log_that_every_epoch_binds_is_good_and_what_anchor_and_fleet_have_signed_is_kept()
    {
        var first = await VerifyAsync(0, "--state", "audit.state");
        Assert.Contains("slot 1 of epoch 1, closed at ", first, StringComparison.Ordinal);
        Assert.Equal(anchor.Signed.ToString(), File.ReadAllText(space.PathOf("audit.state.anchor")));

        own.Grow(25);
        Register(2, "log.example/later");
        Close(TimeProvider.System.GetUtcNow());
        own.Grow(30);
        var second = JsonNode.Parse(await VerifyAsync(0, "--state", "audit.state", "--output", "json"))!;
        Assert.Equal((2, 1, 2, 30), ((int)second["epoch"]!, (int)second["slot"]!, (int)second["anchorSize"]!, (int)second["size"]!));
        Assert.Equal(fleet.Signed.ToString(), File.ReadAllText(space.PathOf("audit.state.fleet")));
    }

    [Fact]
    public async Task A_log_that_is_another_one_than_the_epoch_binds_is_found_without_ever_having_been_seen()
    {
        // Whole, and signed: only that others are shown another one gives it away.
        own.Entries[3] = "entry 3: it never was".Select(letter => (byte)letter).ToArray();
        var said = await VerifyAsync(2, "--evidence", "found.json");
        Assert.StartsWith("Inconsistent: What the epoch binds, 20 entries of the root ", said, StringComparison.Ordinal);
        var evidence = JsonNode.Parse(File.ReadAllText(space.PathOf("found.json")))!;
        Assert.Equal((own.Signed.ToString(), anchor.Signed.ToString(), proof.ToString()), ((string)evidence["checkpoint"]!, (string)evidence["anchor"]!["checkpoint"]!, (string)evidence["anchor"]!["proof"]!));
        SlotProof.Parse(Encoding.UTF8.GetBytes((string)evidence["anchor"]!["proof"]!)).Verify(Epoch.Parse(Convert.FromBase64String((string)evidence["anchor"]!["entry"]!)));

        // And no other proof of it can be made.
        proof = proof with { Note = own.Signed };
        Assert.Contains("Epoch 1 does not bind this checkpoint", await VerifyAsync(2, "--evidence", "found.json"), StringComparison.Ordinal);
        await VerifyAsync(0, "--no-anchor");
    }

    [Fact]
    public async Task An_anchor_that_is_told_otherwise_than_before_is_found_with_both_its_notes()
    {
        Close(TimeProvider.System.GetUtcNow());
        await VerifyAsync(0, "--state", "audit.state");
        var before = (anchor.Signed.ToString(), anchor.Entries.ToList());

        anchor.Entries.RemoveAt(1);
        (proof, fleetProof) = (Prove(1), ProveFleet(1));
        Assert.Contains("The anchor had 2 epochs and has 1 now", await VerifyAsync(2, "--state", "audit.state"), StringComparison.Ordinal);

        anchor.Entries = [Epoch.Parse(before.Item2[0]) is var epoch ? (epoch with { Time = epoch.Time - 1 }).ToBytes() : [], before.Item2[1]];
        Close(TimeProvider.System.GetUtcNow());
        Assert.Contains("The first 2 epochs of the anchor are not those that it had signed", await VerifyAsync(2, "--state", "audit.state", "--evidence", "found.json"), StringComparison.Ordinal);
        var evidence = JsonNode.Parse(File.ReadAllText(space.PathOf("found.json")))!["anchor"]!;
        Assert.Equal((before.Item1, anchor.Signed.ToString(), 2), ((string)evidence["previousCheckpoint"]!, (string)evidence["checkpoint"]!, (int)evidence["fork"]!["size"]!));
        Assert.Equal(before.Item1, File.ReadAllText(space.PathOf("audit.state.anchor")));
    }

    [Fact]
    public async Task An_epoch_whose_number_comes_twice_stands_at_a_wrong_place()
    {
        // One for the customer and one for the auditor, both in one anchor.
        anchor.Entries.Add(anchor.Entries[0]);
        (proof, fleetProof) = (proof with { Epoch = 2 }, fleetProof with { Epoch = 2 });

        Assert.Contains("Entry 1 of the anchor is epoch 1: a number has come twice, or was left out.", await VerifyAsync(2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slot_is_that_of_the_log_to_which_the_fleets_log_gives_it_and_of_no_other()
    {
        var entries = fleet.Entries.ToList();
        Register(Slot, "log.example/other");
        Assert.Contains($"Entry {entries.Count} of the fleet's log gives slot 1 to log.example/other, and the proof has log.example/acme in slot 1", await VerifyAsync(2, "--evidence", "found.json"), StringComparison.Ordinal);
        Assert.Equal(2, JsonNode.Parse(File.ReadAllText(space.PathOf("found.json")))!["anchor"]!["registrations"]!.AsArray().Count);

        // A second story of the log in a slot of its own.
        fleet.Entries = entries;
        Close(TimeProvider.System.GetUtcNow(), slot: 2);
        Assert.Contains("gives slot 1 to log.example/acme, and the proof has log.example/acme in slot 2", await VerifyAsync(2), StringComparison.Ordinal);

        fleet.Entries = entries[..3];
        Close(TimeProvider.System.GetUtcNow(), slot: 2);
        Assert.Contains("what is bound of the fleet's log does not say yet whose slot 2 is", await VerifyAsync(3), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_epoch_of_long_ago_says_nothing_of_now()
    {
        Close(TimeProvider.System.GetUtcNow().AddMinutes(-5));

        Assert.StartsWith("Stale: The newest epoch, 2, is of ", await VerifyAsync(4), StringComparison.Ordinal);
        await VerifyAsync(0, "--epoch", "10m");
        await VerifyAsync(0, "--no-anchor");
    }

    [Fact]
    public async Task What_cannot_be_looked_at_proves_nothing_and_what_somebody_else_has_signed_is_not_taken()
    {
        Serve();
        File.Delete(space.PathOf($"www{Logs}/{Id}/anchor"));
        var (code, said, _) = await space.McAsync(Arguments());
        Assert.True(code == 3 && said.Contains("no epoch binds it yet", StringComparison.Ordinal), said);
        Serve();
        Directory.Delete(space.PathOf($"www{Logs}/{Fleet}"), recursive: true);
        Assert.Equal(3, (await space.McAsync(Arguments())).Code);

        using var stranger = TestLog.Of(0, "log.example/anchor");
        stranger.Entries = anchor.Entries;
        Serve();
        stranger.Write(space.PathOf($"www{Logs}/anchor"));
        Assert.Equal(2, (await space.McAsync(Arguments())).Code);
    }

    [Fact]
    public async Task The_log_that_gives_the_slots_is_everybodys_too()
    {
        // Two of it, of which each says of another log that slot 1 is its own: the epoch binds one of them.
        var entries = fleet.Entries.ToList();
        fleet.Entries = [Encoding.UTF8.GetBytes("another story"), .. entries[1..]];
        Assert.Contains("is not of the log that was read, log.example/fleet: others are told another story of it.", await VerifyAsync(2), StringComparison.Ordinal);

        fleet.Entries = entries;
        fleetProof = proof with { Note = fleet.Signed };
        Assert.Contains("What the epoch binds of the fleet's log: Epoch 1 does not bind this checkpoint", await VerifyAsync(2), StringComparison.Ordinal);

        // And it cannot be bound elsewhere than where all look for it.
        Close(TimeProvider.System.GetUtcNow(), fleetSlot: 3);
        Assert.Contains("The log of the fleet is said to have slot 3: its slot is 0, of everybody's.", await VerifyAsync(2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_bound_and_not_shown_is_held_back()
    {
        own.Entries = own.Entries[..15];
        Assert.Contains("the epoch binds 20 entries of log.example/acme, and 15 are shown: some are held back.", await VerifyAsync(3), StringComparison.Ordinal);

        own.Entries = [];
        Close(TimeProvider.System.GetUtcNow());
        own.Grow(20);
        Assert.Contains("the epoch binds nothing of log.example/acme yet.", await VerifyAsync(3), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_epoch_that_is_always_the_newest_says_nothing_of_now()
    {
        var (first, ofFleet) = (proof, fleetProof);
        for (var i = 0; i < 4; i++)
        {
            Close(TimeProvider.System.GetUtcNow());
        }

        (proof, fleetProof) = (first, ofFleet);
        Assert.StartsWith("Stale: The proof is of epoch 1, and the anchor has 5: of the newest ones none was given.", await VerifyAsync(4), StringComparison.Ordinal);

        Close(TimeProvider.System.GetUtcNow().AddHours(1));
        Assert.Contains("which has not come yet: how old it is, nobody can say.", await VerifyAsync(4), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_seen_and_is_never_bound_is_not_passed_over()
    {
        await VerifyAsync(0, "--state", "audit.state");
        var entries = own.Entries;
        for (var i = 0; i < 4; i++)
        {
            own.Entries = entries[..10];
            Close(TimeProvider.System.GetUtcNow());
        }

        own.Entries = entries;
        Assert.StartsWith("Stale: Epoch 5 binds 10 entries, and 20 were signed already at the time of epoch 1: what was seen then is still not bound.", await VerifyAsync(4, "--state", "audit.state"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_withholds_the_anchor_does_not_keep_the_log_from_being_remembered()
    {
        Serve();
        File.Delete(space.PathOf($"www{Logs}/{Id}/anchor"));
        Assert.Equal(3, (await space.McAsync(Arguments("--state", "audit.state"))).Code);
        Assert.Equal(own.Signed.ToString(), File.ReadAllText(space.PathOf("audit.state")));

        own.Entries[3] = "entry 3: it never was".Select(letter => (byte)letter).ToArray();
        Close(TimeProvider.System.GetUtcNow());
        await VerifyAsync(2, "--state", "audit.state");
    }

    [Fact]
    public async Task A_bundle_brings_what_binds_it_and_may_be_as_old_as_it_is()
    {
        Close(TimeProvider.System.GetUtcNow().AddDays(-30));
        Assert.Contains("slot 1 of epoch 2, closed at ", await VerifyBundleAsync(0, "--state", "audit.state"), StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf("audit.state.anchor")));

        // Whole, signed, and not what others were shown.
        var entries = own.Entries.ToList();
        own.Entries[3] = Encoding.UTF8.GetBytes("entry 3: it never was");
        Assert.Contains("What the epoch binds, 20 entries of the root ", await VerifyBundleAsync(2), StringComparison.Ordinal);
        own.Entries = entries;

        // What is left out of it is not good for that.
        foreach (var gone in new[] { "slot-proof", "fleet/slot-proof", "fleet/checkpoint", "anchor/checkpoint", "anchor/tile/entries/000.p/2" })
        {
            Pack();
            File.Delete(space.PathOf($"bundle/{gone}"));
            await VerifyPackedAsync(3);
        }
    }

    private Task<string> VerifyBundleAsync(int expected, params string[] more)
    {
        Pack();
        return VerifyPackedAsync(expected, more);
    }

    private void Pack()
    {
        own.Write(space.PathOf("bundle"));
        fleet.Write(space.PathOf("bundle/fleet"));
        anchor.Write(space.PathOf("bundle/anchor"));
        File.WriteAllBytes(space.PathOf("bundle/slot-proof"), proof.ToBytes());
        File.WriteAllBytes(space.PathOf("bundle/fleet/slot-proof"), fleetProof.ToBytes());
    }

    private async Task<string> VerifyPackedAsync(int expected, params string[] more)
    {
        File.Delete(space.PathOf("bundle.zip"));
        await System.IO.Compression.ZipFile.CreateFromDirectoryAsync(space.PathOf("bundle"), space.PathOf("bundle.zip"));
        var (code, said, error) = await space.McAsync(["audit", "verify", "bundle.zip", "--policy", "audit.policy", .. more]);
        Assert.True(code == expected, $"{code}: {said}{error}");
        return said;
    }

    private string[] Arguments(params string[] more) => ["audit", "verify", $"{server.Address}{Logs}/{Id}", "--policy", "audit.policy", .. more];

    private async Task<string> VerifyAsync(int expected, params string[] more)
    {
        Serve();
        var (code, said, error) = await space.McAsync(Arguments(more));
        Assert.True(code == expected, $"{code}: {said}{error}");
        return said;
    }

    private void Serve()
    {
        own.Write(space.PathOf($"www{Logs}/{Id}"));
        fleet.Write(space.PathOf($"www{Logs}/{Fleet}"));
        anchor.Write(space.PathOf($"www{Logs}/anchor"));
        File.WriteAllBytes(space.PathOf($"www{Logs}/{Id}/anchor"), proof.ToBytes());
        File.WriteAllBytes(space.PathOf($"www{Logs}/{Fleet}/anchor"), fleetProof.ToBytes());
    }

    private void Register(int slot, string origin) => fleet.Entries.Add(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $$$"""{"changes":[{"op":"add","path":"/slot","value":{{{slot}}}}],"target":{"id":"{{{origin}}}","type":"log"},"type":"audit.log-registered"}""")));

    private SlotTree Tree(int slot, long number, int fleetSlot = 0) => new([.. Enumerable.Range(0, 4).Select(i =>
        Epoch.SlotOf(number, i == slot ? own.Head : i == fleetSlot ? fleet.Head : new Checkpoint($"log.example/{i}", 0, TreeHash.Empty), Blinding))]);

    private SlotProof Prove(long number, int slot = Slot) => new(number, slot, 4, Blinding, Tree(slot, number).Path(slot), own.Signed);

    private SlotProof ProveFleet(long number, int slot = Slot, int fleetSlot = 0) => new(number, fleetSlot, 4, Blinding, Tree(slot, number, fleetSlot).Path(fleetSlot), fleet.Signed);

    // Binds what the logs are now.
    private void Close(DateTimeOffset at, int slot = Slot, int fleetSlot = 0)
    {
        var number = anchor.Entries.Count + 1;
        var tree = Tree(slot, number, fleetSlot);
        anchor.Entries.Add(new Epoch(number, at.ToUnixTimeSeconds(), 4, tree.Root, Epoch.HashOf(anchor.Head)).ToBytes());
        (proof, fleetProof) = (new SlotProof(number, slot, 4, Blinding, tree.Path(slot), own.Signed), ProveFleet(number, slot, fleetSlot));
    }
}
