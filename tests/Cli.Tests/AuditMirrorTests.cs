using System.Text.Json.Nodes;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Tests;

/// <summary>Copies of a log: nothing comes in that was not verified, and nothing that was there is given up.</summary>
public sealed class AuditMirrorTests : IDisposable
{
    private readonly Workspace space = new();
    private readonly TestLog log = TestLog.Of(600);

    public AuditMirrorTests() => space.Write("audit.policy", log.Policy());

    public void Dispose()
    {
        log.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_copy_holds_all_of_the_log_goes_on_where_it_was_and_verifies_like_the_log()
    {
        log.Write(space.PathOf("log"));
        await using var server = await HostileServer.ServingAsync(space.PathOf("log"));

        // A tile is not there: what has come so far is not fetched again.
        File.Move(space.PathOf("log/tile/1/000.p/2"), space.PathOf("aside"));
        var (stopped, said, _) = await MirrorAsync(server.Address);
        Assert.Equal(3, stopped);
        Assert.StartsWith("Incomplete: tile/1/000.p/2 is not there.", said, StringComparison.Ordinal);
        Assert.Equal(6, Directory.GetFiles(space.PathOf("copy/.incoming"), "*", SearchOption.AllDirectories).Length);
        Assert.False(File.Exists(space.PathOf("copy/checkpoint")) || Directory.Exists(space.PathOf("copy/tile")));
        File.Move(space.PathOf("aside"), space.PathOf("log/tile/1/000.p/2"));
        server.Asked.Clear();

        var (code, all, error) = await MirrorAsync(server.Address);
        Assert.Equal((0, ""), (code, error));
        Assert.EndsWith("copy holds all of it.\n", all, StringComparison.Ordinal);
        Assert.Equal(["GET /checkpoint", "GET /tile/1/000.p/2"], server.Asked);
        Assert.Equal(Contents("log"), Contents("copy"));
        Assert.Equal(0, (await space.McAsync("audit", "verify", "copy", "--policy", "audit.policy")).Code);

        // What is full stays, and what was not may stay.
        log.Grow(1000);
        log.Write(space.PathOf("log"));
        server.Asked.Clear();
        var (grown, answer) = await MirrorToJsonAsync(server.Address);
        Assert.Equal((0, 600, 400, 1000), (grown, (int)answer["previousSize"]!, (int)answer["newEntries"]!, (int)answer["entriesRead"]!));
        Assert.Equal(["GET /checkpoint", "GET /tile/0/002", "GET /tile/0/003.p/232", "GET /tile/1/000.p/3", "GET /tile/entries/002", "GET /tile/entries/003.p/232"], server.Asked.Order());
        Assert.Equal(0, (await space.McAsync("audit", "verify", "copy", "--policy", "audit.policy")).Code);
        Assert.Empty(Contents("log").Except(Contents("copy")));
    }

    [Fact]
    public async Task What_the_log_takes_back_does_not_change_the_copy()
    {
        var honest = log.Entries;
        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await MirrorAsync("log")).Code);
        var copied = Contents("copy");

        foreach (var forged in new List<byte[]>[] { [.. honest[..500]], [.. honest[..599], [1]], [.. honest[..10], [1], .. honest[11..], [2], .. honest], [.. honest[..599], [1], .. honest] })
        {
            log.Entries = forged;
            log.Write(space.PathOf("log"));
            var (code, answer) = await MirrorToJsonAsync("log");
            Assert.Equal(2, code);
            Assert.StartsWith("copy/checkpoint.evidence", (string)answer["evidence"]!, StringComparison.Ordinal);
            Assert.Equal(forged.Count > honest.Count, JsonNode.Parse(File.ReadAllText(space.PathOf((string)answer["evidence"]!)))!["fork"] is not null);
            File.Delete(space.PathOf((string)answer["evidence"]!));
            Assert.Equal(copied, Contents("copy"));
        }
    }

    [Fact]
    public async Task What_is_wrong_does_not_come_in_and_what_has_gone_wrong_in_the_copy_is_said_to_be_there()
    {
        log.Write(space.PathOf("log"));
        var good = Contents("log");
        File.AppendAllText(space.PathOf("log/tile/entries/002.p/88"), "more");
        Assert.Equal(2, (await MirrorAsync("log")).Code);
        Assert.False(Directory.Exists(space.PathOf("copy/tile")) || Directory.Exists(space.PathOf("copy/.incoming")));

        log.Write(space.PathOf("log"));
        Assert.Equal(0, (await MirrorAsync("log")).Code);
        File.AppendAllText(space.PathOf("copy/tile/entries/001"), "more");
        var (code, said, _) = await MirrorAsync("log");
        Assert.Equal(2, code);
        Assert.StartsWith("Inconsistent: tile/entries/001 has more than 256 entries. It stands in copy: if the log itself is good, remove it there, and it is fetched again.\n", said, StringComparison.Ordinal);
        File.Delete(space.PathOf("copy/tile/entries/001"));
        Assert.Equal(0, (await MirrorAsync("log")).Code);
        Assert.Empty(good.Except(Contents("copy")));

        // Where no copy can be, and without a quorum, there is none.
        space.Write("file", "");
        Assert.Equal(64, (await space.McAsync("audit", "mirror", "log", "file", "--policy", "audit.policy")).Code);
        space.Write("audit.policy", log.Policy("both"));
        Assert.Equal(3, (await space.McAsync("audit", "mirror", "log", "other", "--policy", "audit.policy")).Code);
        Assert.False(File.Exists(space.PathOf("other/checkpoint")));
    }

    [Fact]
    public async Task A_tile_that_is_served_full_only_is_kept_full()
    {
        log.Write(space.PathOf("log"));
        var last = new TileId(TileId.Entries, 2, 88);
        Directory.Delete(space.PathOf("log/tile/entries/002.p"), recursive: true);
        log.Grow(768);
        log.Write(space.PathOf("grown"));
        File.Move(space.PathOf("grown/tile/entries/002"), space.PathOf("log/tile/entries/002"));

        Assert.Equal(0, (await MirrorAsync("log")).Code);
        Assert.False(File.Exists(space.PathOf($"copy/{last}")));
        Assert.Equal(Contents("log"), Contents("copy"));
        Assert.Equal(0, (await space.McAsync("audit", "verify", "copy", "--policy", "audit.policy")).Code);
    }

    private Task<(int Code, string Said, string Error)> MirrorAsync(string source, params string[] more) => space.McAsync(["audit", "mirror", source, "copy", "--policy", "audit.policy", .. more]);

    private async Task<(int Code, JsonNode Answer)> MirrorToJsonAsync(string source)
    {
        var (code, said, _) = await MirrorAsync(source, "--output", "json");
        return (code, JsonNode.Parse(said)!);
    }

    private List<(string Path, string Content)> Contents(string directory) =>
        [.. Directory.GetFiles(space.PathOf(directory), "*", SearchOption.AllDirectories).Select(file => (Path.GetRelativePath(space.PathOf(directory), file), Convert.ToHexString(File.ReadAllBytes(file)))).Order()];
}
