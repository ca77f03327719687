using System.CommandLine;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
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
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
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
        liar.Log!.Note(Protocol.Documents.Reconciliation.RotationAsked, "", "key:\0", here.Host.Time.GetUtcNow());
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

    private static IReadOnlyList<string> Noted(RealAgent agent) => [.. ClusterAgent.Log.LogFiles.Read(ClusterAgent.Log.CounterLog.PathOf(agent.Directory, agent.Id, 1))!.Value.Entries.Select(entry => Protocol.Documents.ClusterLogEntry.Parse(entry).Type)];

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
