using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Witnesses;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>A host whose clusters cosign: two of Acme, one of Beta, each with the agent that customers run.</summary>
public sealed class WitnessedHost : IAsyncLifetime
{
    private readonly List<RealAgent> agents = [];

    public ControlPlane Host { get; private set; } = null!;

    public Guid Acme { get; private set; }

    public Guid Beta { get; private set; }

    public IReadOnlyList<RealAgent> Agents => agents;

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Audit:Epoch"] = "00:00:04" });
        (Acme, Beta) = ((await Host.CreateCustomerAsync("Acme")).Id, (await Host.CreateCustomerAsync("Beta")).Id);
        foreach (var customer in new[] { Acme, Acme, Beta })
        {
            await EnrollAsync(customer);
        }
    }

    public async Task<RealAgent> EnrollAsync(Guid customer)
    {
        agents.Add(await RealAgent.EnrollAsync(Host, customer, witness: true));
        return agents[^1];
    }

    public async ValueTask DisposeAsync()
    {
        agents.ForEach(agent => agent.Dispose());
        await Host.DisposeAsync();
    }

    public async Task<AuditLogItem> LogAsync(Guid customer)
    {
        AuditLogItem? found = null;
        await Eventually.TrueAsync(async () => (found = (await Host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(log => log.CustomerId == customer && log.SignedSize > 0)) is not null, "the customer's log is signed");
        return found!;
    }

    /// <summary>Lets the agents call home until something holds.</summary>
    public Task UntilAsync(Func<Task<bool>> holds, string what) => Eventually.TrueAsync(async () =>
    {
        foreach (var agent in agents)
        {
            await agent.CheckInAsync();
        }

        return await holds();
    }, what);

    /// <summary>Runs something on the host's database.</summary>
    public async Task<T> ReadAsync<T>(Func<ControlPlaneDbContext, Task<T>> read)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test looks at all");
        return await read(db);
    }
}

/// <summary>Clusters as witnesses of the audit logs, from the question on a check-in to what everybody reads; and those who lie.</summary>
public sealed class WitnessTests(WitnessedHost here) : IClassFixture<WitnessedHost>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clusters_cosign_their_customers_log_and_the_anchor_by_names_that_name_nobody_and_everybody_can_judge_it()
    {
        using var nobody = here.Host.Client(here.Host.Portal);
        await here.UntilAsync(async () => await WitnessedAsync(nobody, "anchor") is { Witnesses.Count: >= 3 }, "three clusters have seen the anchor");
        var text = await nobody.GetStringAsync(new Uri("/api/v1/audit/logs/anchor/policy", UriKind.Relative));
        Assert.Contains("\ngroup witnesses 3 mc-witness-", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Acme", text, StringComparison.OrdinalIgnoreCase);

        var log = await here.LogAsync(here.Acme);
        await here.UntilAsync(async () => await WitnessedAsync(here.Host.Admin, $"{log.Id}") is { Witnesses.Count: > 0 }, "a cluster of Acme has seen the log");

        // A receipt that enough have seen is good by the policy that is served, without anything else.
        using var policy = await PolicyAsync(here.Host.Admin, $"{log.Id}");
        Assert.Equal(2, policy.Witnesses.Count);
        var leaf = Encoding.UTF8.GetBytes((await VerifiedLog.ReadAsync(here.Host.Admin, await here.LogAsync(here.Acme))).Entries[0]);
        var proof = LogProof.Parse(await here.Host.Admin.GetByteArrayAsync(new Uri($"/api/v1/audit/logs/{log.Id}/proofs/{JsonDocument.Parse(leaf).RootElement.GetProperty("eventId").GetGuid()}", UriKind.Relative), Token));
        Assert.True(proof.Verify(leaf, policy).HasQuorum);

        // The same in one file, where the newest checkpoint was seen by nobody yet.
        var files = await BundleAsync(log.Id);
        Assert.Equal(await here.Host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{log.Id}/policy", UriKind.Relative), Token), Encoding.UTF8.GetString(files["policy"]));
        var (newest, seen) = (policy.Judge(SignedNote.Parse(files["checkpoint"])), policy.Judge(SignedNote.Parse(files.GetValueOrDefault("checkpoint.witnessed", files["checkpoint"]))));
        Assert.True(seen.HasQuorum && (newest.HasQuorum || seen.Checkpoint.Size < newest.Checkpoint.Size));
        Assert.All(ProofPlan.Consistency(seen.Checkpoint.Size, newest.Checkpoint.Size).Tiles, tile => Assert.True(files.ContainsKey($"{tile}")));

        // Whose the witnesses of a customer are, that customer alone is told.
        var (client, _) = await here.Host.ClientWithTokenAsync(here.Beta, "audit:read");
        using (client)
        {
            foreach (var path in new[] { "policy", "checkpoint?witnessed=true" })
            {
                using var foreign = await client.GetAsync(new Uri($"/api/v1/audit/logs/{log.Id}/{path}", UriKind.Relative), Token);
                Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
                using var unsigned = await nobody.GetAsync(new Uri($"/api/v1/audit/logs/{log.Id}/{path}", UriKind.Relative), Token);
                Assert.Equal(HttpStatusCode.Unauthorized, unsigned.StatusCode);
            }
        }

        // What it costs on the wire: the question and its answer, both logs in one.
        var (question, answer) = await here.ReadAsync(async db => (
            (await db.Database.SqlQueryRaw<byte[]>("SELECT body AS \"Value\" FROM callhome_desired_section WHERE section = 'witness'").ToListAsync(Token)).Max(body => body.Length),
            new WitnessAnswer { Log = "customer", Origin = log.Origin, Outcome = "cosigned", Size = long.MaxValue, Cosignature = (await db.Set<Cosignature>().Select(row => row.Line).FirstAsync(Token)) }.CalculateSize()));
        Assert.InRange(question + (2 * answer), 200, 4_096);
        TestContext.Current.TestOutputHelper?.WriteLine($"question {question} B, answer {answer} B for each log");

        // Bounded, and without the words that something newer has made worthless.
        Assert.InRange(await here.ReadAsync(db => db.Set<Cosignature>().CountAsync(Token)), 1, 3 * 2 * (Cosignature.KeptOfOne + 1));
    }

    [Fact]
    public async Task What_is_no_cosignature_of_the_sender_over_what_was_signed_is_not_stored()
    {
        var log = await here.LogAsync(here.Beta);
        await here.UntilAsync(async () => await WitnessedAsync(here.Host.Admin, $"{log.Id}") is { Witnesses.Count: > 0 }, "Beta's cluster has seen the log");
        var others = (await here.ReadAsync(db => db.Set<Cosignature>().Where(row => row.LogId == log.Id).OrderByDescending(row => row.Size).FirstAsync(Token)));
        var agent = here.Agents[2];
        using var stranger = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var text = SignedNote.Parse(await here.Host.Admin.GetByteArrayAsync(new Uri($"/api/v1/audit/logs/{log.Id}/checkpoint?witnessed=true", UriKind.Relative), Token)).Text;
        using var liar = await TestCluster.EnrollAsync(here.Host, here.Beta, "Liar");
        var forged = WitnessRules.Cosign(stranger.PublicKey.Span, stranger.Sign, text, 1_764_000_000).ToString();
        var answers = new WitnessAnswers();
        answers.Answers.AddRange([
            Cosigned(others.Line, others.Size), Cosigned(forged, others.Size), Cosigned("", others.Size), Cosigned("\u2014 x AAAA", others.Size), Cosigned(others.Line, others.Size + 1_000_000),
        ]);
        foreach (var answer in answers.Answers)
        {
            await liar.CheckInAsync(new Item { Seq = liar.Next(), Type = "witness", AtMs = 1, Body = new WitnessAnswers { Answers = { answer } }.ToByteString() });
        }

        // Another cluster's word, sent again by itself, is what it was.
        var id = Guid.Parse(liar.Id);
        await here.UntilAsync(async () => await here.ReadAsync(db => db.Set<WitnessRow>().Where(row => row.ClusterId == id).Select(row => row.ItemRank).SingleOrDefaultAsync(Token)) == ((1L << 42) | 5), "all answers were judged");
        Assert.Equal(0, await here.ReadAsync(db => db.Set<Cosignature>().CountAsync(row => row.ClusterId == id, Token)));
        Assert.Null(await here.ReadAsync(db => db.Set<WitnessRow>().Where(row => row.ClusterId == id).Select(row => row.AnsweredAt).SingleAsync(Token)));
        Assert.Null(agent.Agent.WitnessProblem);

        static WitnessAnswer Cosigned(string line, long size) => new() { Log = "customer", Outcome = "cosigned", Size = size, Cosignature = line };
    }

    [Fact]
    public async Task Whoever_could_not_be_shown_its_customers_log_is_asked_again_in_a_minute_and_not_in_an_hour()
    {
        using var key = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var row = new WitnessRow { ClusterId = Guid.CreateVersion7(), CustomerId = Guid.CreateVersion7(), PublicKey = key.PublicKey.ToArray(), IsActive = true, IsEnlisted = true };
        await here.ReadAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            await db.Dialect.UpsertAsync(db, WitnessRow.Rows([row]), null, Token);
            await transaction.CommitAsync(Token);
            return 0;
        });

        WitnessRow? asked = null;
        await Eventually.TrueAsync(async () => (asked = await here.ReadAsync(db => db.Set<WitnessRow>().SingleAsync(one => one.ClusterId == row.ClusterId, Token))).AskedAt > DateTimeOffset.UnixEpoch, "it was asked");
        Assert.Equal(TimeSpan.FromMinutes(1), asked!.DueAt - asked.AskedAt);
    }

    [Fact]
    public async Task A_cluster_that_was_shown_another_history_refuses_and_both_checkpoints_stand_in_its_customers_log()
    {
        var customer = (await here.Host.CreateCustomerAsync("Gamma")).Id;
        var agent = await here.EnrollAsync(customer);
        var log = await here.LogAsync(customer);
        var book = new WitnessBook(agent.Directory);
        await here.UntilAsync(() => Task.FromResult(new WitnessBook(agent.Directory).Read().Logs.ContainsKey("customer")), "the cluster has seen the log");

        // Whoever holds the key of the log had shown this cluster more than there is, signed as well: a second history.
        var seen = book.Read();
        var held = seen.Logs["customer"].Checkpoint with { Root = TreeHash.OfLeaf("never was"u8) };
        using var key = NoteSigner.FromSeed(log.Origin, NoteKeyType.Ed25519, KeyFiles.LoadSymmetric(Path.Combine(here.Host.Data, "keys", "log-note.key")));
        var shown = new SignedNote(held.ToString(), [key.Sign(Encoding.UTF8.GetBytes(held.ToString()))]);
        book.Write(seen.With("customer", new SeenLog(shown.ToString(), DateTimeOffset.UnixEpoch)));
        agent.Restart();

        JsonElement[] changes = [];
        await here.UntilAsync(async () =>
        {
            var entry = (await VerifiedLog.ReadAsync(here.Host.Admin, await here.LogAsync(customer))).Entries.Select(bytes => JsonDocument.Parse(bytes).RootElement).FirstOrDefault(entry => entry.GetProperty("type").GetString() == "audit.log-refused");
            changes = entry.ValueKind == JsonValueKind.Undefined ? [] : [.. entry.GetProperty("changes").EnumerateArray()];
            return changes.Length > 0;
        }, "the customer's log tells of it");
        Assert.Contains("witness-stopped", agent.Told);
        Assert.NotNull(agent.Agent.WitnessProblem);
        Assert.Contains(Value("/reason").GetString(), new[] { "fork", "inconsistent" });
        Assert.True(Value("/heldIsSigned").GetBoolean() && Value("/shownIsSigned").GetBoolean());

        // Evidence by the key of the log alone, for whoever believes neither side.
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        var (one, other) = (policy.Judge(SignedNote.Parse(Encoding.UTF8.GetBytes(Value("/held").GetString()!))).Checkpoint, policy.Judge(SignedNote.Parse(Encoding.UTF8.GetBytes(Value("/shown").GetString()!))).Checkpoint);
        Assert.Equal(held.Root, one.Root);
        Assert.True(one.Size <= other.Size);

        // It is asked for the anchor all the same; the log by it no more, and told once.
        await here.UntilAsync(async () => (await here.ReadAsync(db => db.Set<WitnessRow>().SingleAsync(row => row.ClusterId == agent.Id, Token))) is { CustomerRefusal: not null, MayBeAsked: true, AnchorRefusal: null }, "the row says so");
        await agent.CheckInAsync();
        var entries = (await VerifiedLog.ReadAsync(here.Host.Admin, await here.LogAsync(customer))).Entries;
        Assert.Single(entries, entry => JsonDocument.Parse(entry).RootElement.GetProperty("type").GetString() == "audit.log-refused");

        JsonElement Value(string path) => changes.Single(change => change.GetProperty("path").GetString() == path).GetProperty("value");
    }

    private async Task<Dictionary<string, byte[]>> BundleAsync(Guid log)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using var zip = await ZipArchive.CreateAsync(new MemoryStream(await here.Host.Admin.GetByteArrayAsync(new Uri($"/api/v1/audit/logs/{log}/bundle", UriKind.Relative), Token)), ZipArchiveMode.Read, leaveOpen: false, null, Token);
        foreach (var entry in zip.Entries)
        {
            using var content = new MemoryStream();
            await using var stream = await entry.OpenAsync(Token);
            await stream.CopyToAsync(content, Token);
            files.Add(entry.FullName, content.ToArray());
        }

        return files;
    }

    private static async Task<WitnessedCheckpoint?> WitnessedAsync(HttpClient client, string log)
    {
        using var policy = await PolicyAsync(client, log);
        using var answer = await client.GetAsync(new Uri($"/api/v1/audit/logs/{log}/checkpoint?witnessed=true", UriKind.Relative), Token);
        return answer.StatusCode == HttpStatusCode.NotFound ? null : policy.Judge(SignedNote.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(Token)));
    }

    private static async Task<LogPolicy> PolicyAsync(HttpClient client, string log) => LogPolicy.Parse(await client.GetStringAsync(new Uri($"/api/v1/audit/logs/{log}/policy", UriKind.Relative), Token));
}
