using System.CommandLine;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Audit;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Witnesses;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Commands;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust;
using MissionControl.Trust.Envelopes;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The cluster's own log beside its customer's, with the agent that customers run.</summary>
public sealed class ClusterLogTests(WitnessedHost here) : IClassFixture<WitnessedHost>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_done_to_a_cluster_stands_on_both_sides_and_what_stands_on_one_alone_is_told_by_either()
    {
        var customer = (await here.Host.CreateCustomerAsync("Delta")).Id;
        var agent = await here.EnrollAsync(customer);
        await HeldAsync(agent);

        // One that lies, with a name that not every database can hold, is answered as a witness and its log not taken; one whose log cannot be read stops nobody.
        var liar = await here.EnrollAsync(customer);
        liar.Log!.Note(Reconciliation.RotationAsked, "", "key:\0", here.Host.Time.GetUtcNow());
        await here.UntilAsync(async () => (await here.ReadAsync(db => db.Set<WitnessRow>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == liar.Id, Token)))?.AnsweredAt is not null, "it has answered");
        Assert.False(await here.ReadAsync(db => db.Set<ClusterLog>().AnyAsync(row => row.ClusterId == liar.Id, Token)));
        var broken = new ClusterLog { ClusterId = Guid.CreateVersion7(), CustomerId = Guid.CreateVersion7(), Epoch = 1, Origin = "broken", Size = 1, DueAt = DateTimeOffset.UnixEpoch };
        await here.ReadAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            await ClusterLogLine.AddAsync(db, [new ClusterLogLine { ClusterId = broken.ClusterId, Epoch = 1, Position = 0, TakenAt = DateTimeOffset.UnixEpoch, Content = [1] }], Token);
            await ClusterLog.StoreAsync(db, [broken], Token);
            await transaction.CommitAsync(Token);
            return 0;
        });

        // Honest, with restarts and lost answers: a new key is asked for, and taken only at the second try.
        var before = agent.KeyId;
        agent.Way.LosesAnswer["rotate"] = true;
        await PostAsync(agent.Id, "rotate-key", HttpStatusCode.Accepted);
        await agent.CheckInUntilAsync(() => Task.FromResult(agent.Agent.KeyProblem is not null), "the answer was lost");
        agent.Restart();
        await agent.CheckInUntilAsync(() => Task.FromResult(agent.KeyId != before), "the key was replaced");
        agent.Restart();
        await PostAsync(agent.Id, "suspend", HttpStatusCode.NoContent);
        await Eventually.TrueAsync(async () => (await agent.CheckInAsync()).Problem?.Contains("suspended", StringComparison.Ordinal) == true, "it is refused");
        await PostAsync(agent.Id, "resume", HttpStatusCode.NoContent);
        await Eventually.TrueAsync(async () => (await agent.CheckInAsync()).Succeeded, "it is taken again");
        await HeldAsync(agent);
        await ReconcileAsync();
        Assert.Empty(await FindingsAsync(agent.Id));
        Assert.True(await here.ReadAsync(db => db.Set<ClusterLog>().AnyAsync(row => row.ClusterId == broken.ClusterId && row.Matched == 0 && row.DueAt > DateTimeOffset.UnixEpoch.AddDays(1), Token)));
        Assert.Equal((0, "True"), await CompareAsync(agent, customer));
        var types = await TypesAsync(customer);
        Assert.Contains("audit.cluster-head", types);
        Assert.Equal(new AuditReconciliation(1, 0, 0), (await here.LogAsync(customer)).Reconciliation);

        // Something is done to the cluster, and whoever owns the database takes its entry away before it is sent.
        var dropped = await DropAsync(agent.Id, customer);
        await agent.CheckInUntilAsync(() => Task.FromResult(Noted(agent).Contains("inventory-asked")), "the cluster was asked");
        await HeldAsync(agent);
        await ReconcileAsync();
        await ReconcileAsync();
        var finding = Assert.Single(await FindingsAsync(agent.Id));
        Assert.Equal((Unmatched.Vendor, false, true), (finding.Side, finding.Found, finding.Reference.StartsWith("inventory-asked inventory:", StringComparison.Ordinal)));
        await ToldAsync(customer, "audit.entry-unmatched", 1);
        Assert.Equal((5, "False"), await CompareAsync(agent, customer));

        // Whoever has a copy of the cluster's key replaces it: the customer's log says that the cluster did, and the cluster knows nothing of it.
        using (var http = here.Host.Client(here.Host.CallHome))
        using (var next = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            await new CallHomeClient(http, agent.Identity, TimeProvider.System).RotateAsync(next, Token);
            var stolen = KeyIds.Of(next.ExportSubjectPublicKeyInfo());
            await Eventually.TrueAsync(async () => (await LinesAsync(customer)).Any(line => line.Contains(stolen, StringComparison.Ordinal)), "it is on the record");
            agent.Restart();
            await HeldAsync(agent);
            await ReconcileAsync();
            Assert.Equal((Unmatched.Cluster, $"key:{stolen}"), (await FindingsAsync(agent.Id)).Where(row => row.Side == Unmatched.Cluster).Select(row => (row.Side, row.Reference)).Single());
        }

        // What comes after all is told, once.
        await SendAsync(dropped);
        await Eventually.TrueAsync(async () => (await LinesAsync(customer)).Any(line => line.Contains("fleet.inventory-requested", StringComparison.Ordinal)), "it has come");
        await ReconcileAsync(hours: 3);
        await ReconcileAsync(hours: 5);
        await ToldAsync(customer, "audit.entry-matched", 1);
        await ToldAsync(customer, "audit.entry-unmatched", 2);
        Assert.Equal(new AuditReconciliation(1, 1, 0), (await here.LogAsync(customer)).Reconciliation);
        Assert.Equal((0, "True"), await CompareAsync(agent, customer));

        // A log that was begun anew under the same name, as after a restore, is refused, with both checkpoints; in another epoch it is another log.
        Directory.Delete(Path.Combine(agent.Directory, "log"), recursive: true);
        agent.Restart();
        await here.UntilAsync(async () => (await TypesAsync(customer)).Contains("audit.cluster-log-refused"), "its customer's log tells of it");
        var entry = JsonDocument.Parse((await LinesAsync(customer)).Single(line => line.Contains("audit.cluster-log-refused", StringComparison.Ordinal))).RootElement.GetProperty("entry");
        Assert.Equal(["/reason", "/held", "/shown"], entry.GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("path").GetString()));
        Assert.Equal(1, (await here.LogAsync(customer)).Reconciliation!.Refused);

        // Whoever is to be woken by it sees each.
        using var metrics = new HttpClient { BaseAddress = here.Host.Operations };
        foreach (var kind in new[] { "refused", "untaken", "vendor", "cluster" })
        {
            await Eventually.TrueAsync(async () => Regex.IsMatch(await metrics.GetStringAsync(new Uri("/metrics", UriKind.Relative), Token), $$"""missioncontrol_audit_cluster_log_findings_total\{[^}]*kind="{{kind}}"[^}]*\} [1-9]"""), $"{kind} is counted");
        }
    }

    [Fact]
    public async Task Of_a_cluster_no_more_is_taken_than_a_day_may_bring_and_what_waited_in_an_epoch_before_is_looked_for_once()
    {
        var (customer, now) = ((await here.Host.CreateCustomerAsync("Epsilon")).Id, here.Host.Time.GetUtcNow());
        var seed = Ed25519Key.NewSeed();
        using var key = Ed25519Key.FromSeed(seed);
        var busy = new WitnessRow { ClusterId = Guid.CreateVersion7(), CustomerId = customer, PublicKey = key.PublicKey.ToArray() };
        var entries = Enumerable.Range(0, 5_001).Select(i => new ClusterLogEntry(now, "agent-version", $"{i}").ToBytes()).ToList();
        Assert.Equal(5_000, await ShowAsync(0, 5_000, now));
        Assert.Equal(5_000, await ShowAsync(5_000, 5_001, now.AddHours(23)));
        Assert.Equal(5_001, await ShowAsync(5_000, 5_001, now.AddHours(24)));

        // Begun anew an hour ago, while some of what the epoch before had noted was not looked for yet; what is older than a week was.
        var moved = new ClusterLog { ClusterId = Guid.CreateVersion7(), CustomerId = customer, Epoch = 2, Origin = "moved", Size = 2, BegunAt = now.AddHours(-1), ConfirmedAt = now, DueAt = now.AddHours(1) };
        await here.ReadAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            await ClusterLogLine.AddAsync(db, [Line(1, 0, now.AddDays(-10), 1_000), Line(1, 1, now.AddDays(-3), 2_000), Line(2, 0, now.AddHours(-1), null), Line(2, 1, now.AddHours(-1), 3_000)], Token);
            await ClusterLog.StoreAsync(db, [moved], Token);
            await transaction.CommitAsync(Token);
            return 0;
        });
        (long, string)[] missing = [(1, "inventory-asked inventory:2000"), (2, "inventory-asked inventory:3000")];
        foreach (var hours in new[] { 2, 4 })
        {
            await ReconcileAsync(hours);
            Assert.Equal(missing, (await FindingsAsync(moved.ClusterId)).OrderBy(row => row.Epoch).Select(row => (row.Epoch, row.Reference)));
        }

        await InAsync("fleet", services =>
        {
            services.GetRequiredService<IEvents>().Audit(new AuditFact("fleet.inventory-requested", AuditLog.Customer, "cluster", moved.ClusterId.ToString()) { CustomerId = customer, ClusterId = moved.ClusterId, Actor = new AuditActor("system", "fleet", "local"), Changes = [Change.Replace("/inventoryAskedAt", null, DateTimeOffset.FromUnixTimeMilliseconds(2_000))] });
            return Task.CompletedTask;
        });
        await Eventually.TrueAsync(async () => (await TypesAsync(customer)).Contains("fleet.inventory-requested"), "it has come");
        await ReconcileAsync(hours: 6);
        Assert.Equal(missing[0], (await FindingsAsync(moved.ClusterId)).Where(row => row.Found).Select(row => (row.Epoch, row.Reference)).Single());
        await ToldAsync(customer, "audit.entry-unmatched", 2);
        await ToldAsync(customer, "audit.entry-matched", 1);

        ClusterLogLine Line(long epoch, long position, DateTimeOffset at, long? asked) => new()
        {
            ClusterId = moved.ClusterId, Epoch = epoch, Position = position, TakenAt = at, Content = new ClusterLogEntry(at, asked is null ? "log-begun" : Reconciliation.InventoryAsked, "", asked is null ? null : $"inventory:{asked}").ToBytes(),
        };

        async Task<long> ShowAsync(int from, int to, DateTimeOffset at)
        {
            var (origin, tree) = (ClusterLogName.Of(key.PublicKey.Span, busy.ClusterId, 1), new CompactRange());
            entries.Take(to).ToList().ForEach(entry => tree.Append(TreeHash.OfLeaf(entry)));
            using var signer = NoteSigner.FromSeed(origin, NoteKeyType.Ed25519, seed);
            var text = new Checkpoint(origin, to, tree.Root).ToString();
            var shown = new ClusterLogShown { Origin = origin, Size = to, From = from, Checkpoint = ByteString.CopyFromUtf8(new SignedNote(text, [signer.Sign(Encoding.UTF8.GetBytes(text))]).ToString()) };
            shown.Entries.AddRange(entries.Take(to).Skip(from).Select(entry => ByteString.CopyFrom(entry)));
            await InAsync("audit", async services => await services.GetRequiredService<TakeClusterLogs>().TakeAsync([(busy, 1, at, shown)], Token));
            return await here.ReadAsync(db => db.Set<ClusterLog>().Where(row => row.ClusterId == busy.ClusterId).Select(row => row.Size).SingleAsync(Token));
        }
    }

    private async Task InAsync(string role, Func<IServiceProvider, Task> act)
    {
        await using var scope = here.Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(role);
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test does what a role does");
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await act(scope.ServiceProvider);
        await db.SaveChangesAsync(Token);
        await transaction.CommitAsync(Token);
    }

    /// <summary>Lets the agents call home until all of an agent's own log is held.</summary>
    private Task HeldAsync(RealAgent agent) => here.UntilAsync(async () =>
    {
        var held = await here.ReadAsync(db => db.Set<ClusterLog>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == agent.Id, Token));
        if (held is not null && held.Size == agent.Log!.Size && held.ConfirmedAt > DateTimeOffset.UnixEpoch)
        {
            return true;
        }

        // Asked once an hour; a restart is what makes it be asked at once.
        agent.Restart();
        return false;
    }, "the cluster's own log is held");

    private async Task ReconcileAsync(int hours = 2)
    {
        await here.ReadAsync(async db =>
        {
            await Eventually.TrueAsync(async () => await db.Outbox("callhome").CountAsync(Token) + await db.Outbox("audit").CountAsync(Token) + await db.Outbox("fleet").CountAsync(Token) == 0, "all that was told is delivered");
            return 0;
        });
        await using var scope = here.Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        var reconcile = ActivatorUtilities.CreateInstance<ReconcileLogs>(here.Host.Services, Options.Create(new AuditOptions { ReconcileAfter = TimeSpan.FromMilliseconds(1) }), new Later(TimeSpan.FromHours(hours)));
        await reconcile.RunAsync(scope.ServiceProvider, Token);
    }

    private Task<List<Unmatched>> FindingsAsync(Guid cluster) => here.ReadAsync(db => db.Set<Unmatched>().AsNoTracking().Where(row => row.ClusterId == cluster).ToListAsync(Token));

    private async Task PostAsync(Guid cluster, string verb, HttpStatusCode expected)
    {
        using var response = await here.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/{verb}", new ReasonRequest("a test asks"), Token);
        Assert.Equal(expected, response.StatusCode);
    }

    private async Task<IReadOnlyList<string>> LinesAsync(Guid customer) =>
        (await here.Host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{(await here.LogAsync(customer)).Id}/export", UriKind.Relative), Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<HashSet<string>> TypesAsync(Guid customer) => [.. (await LinesAsync(customer)).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("entry").GetProperty("type").GetString()!)];

    private Task ToldAsync(Guid customer, string type, int count) => Eventually.TrueAsync(
        async () => (await LinesAsync(customer)).Count(line => line.Contains($"\"type\":\"{type}\"", StringComparison.Ordinal)) == count, $"{type} is told {count} times");

    private static IReadOnlyList<string> Noted(RealAgent agent) => [.. ClusterAgent.Log.LogFiles.Read(ClusterAgent.Log.CounterLog.PathOf(agent.Directory, agent.Id, 1))!.Value.Entries.Select(entry => ClusterLogEntry.Parse(entry).Type)];

    // As the customer does it: by the lines of an export and by a bundle, without asking anybody.
    private async Task<(int Exit, string Matched)> CompareAsync(RealAgent agent, Guid customer)
    {
        // What is exported is what is signed.
        await Eventually.TrueAsync(async () => await here.LogAsync(customer) is var log && log.SignedSize == log.Size, "all of it is signed");
        var (lines, bundle) = (Path.Combine(agent.Directory, "customer.jsonl"), Path.Combine(agent.Directory, "customer.zip"));
        await File.WriteAllLinesAsync(lines, await LinesAsync(customer), Token);
        await File.WriteAllBytesAsync(bundle, await here.Host.Admin.GetByteArrayAsync(new Uri($"/api/v1/audit/logs/{(await here.LogAsync(customer)).Id}/bundle", UriKind.Relative), Token), Token);
        var results = new List<(int, string)>();
        foreach (var file in new[] { lines, bundle })
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            var exit = await AgentCommand.Create().Parse(["log", "--verify", file, "--data", agent.Directory, "--output", "json", "--as-of", $"{DateTimeOffset.UtcNow.AddHours(2):O}"])
                .InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, Token);
            Assert.Equal("", error.ToString());
            results.Add((exit, JsonDocument.Parse(output.ToString()).RootElement.GetProperty("matched").ToString()));
        }

        return Assert.Single(results.Distinct());
    }

    private async Task<OutboxMessage> DropAsync(Guid cluster, Guid customer)
    {
        await using var scope = here.Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("fleet");
        var (db, events) = (scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>(), scope.ServiceProvider.GetRequiredService<IEvents>());
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(here.Host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        events.Publish(new SetDesiredState(cluster, "inventory", at.AddDays(1), [], at.ToUnixTimeMilliseconds()));
        events.Audit(new AuditFact("fleet.inventory-requested", AuditLog.Customer, "cluster", cluster.ToString()) { CustomerId = customer, ClusterId = cluster, Actor = new AuditActor("system", "fleet", "local"), Changes = [Change.Replace("/inventoryAskedAt", null, at)] });
        await db.SaveChangesAsync(Token);
        var row = db.Outbox("fleet").Local.Single(row => row.Type == "audit.entry");
        db.Outbox("fleet").Entry(row).State = EntityState.Deleted;
        await db.SaveChangesAsync(Token);
        await transaction.CommitAsync(Token);
        return row;
    }

    private async Task SendAsync(OutboxMessage dropped)
    {
        await using var scope = here.Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        db.Outbox("fleet").Add(dropped);
        await db.SaveChangesAsync(Token);
        await transaction.CommitAsync(Token);
    }

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => TimeProvider.System.GetUtcNow() + by;
    }
}
