using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Receipts;
using MissionControl.ClusterAgent.Receipts;
using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Proof before action, from the role that asks to the agent that acts.</summary>
public sealed class ReceiptTests : IAsyncLifetime
{
    private static readonly string Actor = $"person:{new string('1', 32)}";
    private static readonly string Approver = $"person:{new string('2', 32)}";
    private readonly ConcurrentQueue<ReceiptIssued> came = new();
    private ControlPlane host = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Audit:Epoch"] = "01:00:00" }, services: static services => services.AddScoped<ProofAsked>());
        ProofAsked.Connect(host, came.Enqueue);
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task What_is_to_be_proven_is_proven_before_it_is_done_and_an_agent_acts_by_it()
    {
        var customer = await host.CreateCustomerAsync();
        var (seen, cluster) = (await SeenAsync(customer.Id), Guid.CreateVersion7());
        await ApplyAsync("audit.record-answers", Held(cluster, customer.Id, seen.Logs["customer"].Checkpoint.Size));

        var id = Guid.CreateVersion7();
        await ProofAsked.AskAsync(host, Opened(id, customer.Id) with { ClusterId = cluster }, TimeSpan.FromMinutes(10));
        await Eventually.TrueAsync(async () => await ProofAsked.StateAsync(host, id) == ProofAsked.Granted, "the receipt came in time");
        var receipt = came.First(one => one.EventId == id);
        Assert.Equal(Log.IdOf(Log.NameOf("customer", customer.Id)), receipt.Log);

        // The checkpoint that it is made of stands where everybody reads it, and the agent has all it needs to act.
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(receipt.TlogProof));
        Assert.True(Checkpoint.Parse(SignedNote.Parse(await host.Admin.GetByteArrayAsync(new Uri($"/api/v1/audit/logs/{receipt.Log}/checkpoint", UriKind.Relative), Token)).Text).Size >= Checkpoint.Parse(proof.Note.Text).Size);
        var wanted = new WantedAction(cluster, "remoteaccess.session-opened", "session", id.ToString());
        var proven = ReceiptCheck.Judge(seen, Encoding.UTF8.GetBytes(receipt.TlogProof), Encoding.UTF8.GetBytes(receipt.AddCheckpoint!), wanted, host.Time.GetUtcNow());
        Assert.Equal((id, Approver), (proven.Entry.EventId, proven.Approver));

        // Told again, since the answer may have been lost, it is answered again; another event under its id never is, nor who asks for none.
        var told = Event(Guid.CreateVersion7(), customer.Id, 1);
        await ApplyAsync(told);
        await Eventually.TrueAsync(() => came.Any(one => one.EventId == told.EventId), "it is answered");
        var before = came.Count(one => one.EventId == told.EventId);
        await ApplyAsync(told);
        await Eventually.TrueAsync(() => came.Count(one => one.EventId == told.EventId) > before, "it is answered again");
        Assert.Single(came.Where(one => one.EventId == told.EventId).Select(one => one.Index).Distinct());
        await ApplyAsync(told with { Reason = "another one" });
        await ApplyAsync(Event(Guid.CreateVersion7(), customer.Id, 2) with { Receipt = "none" });
        var last = Event(Guid.CreateVersion7(), customer.Id, 3);
        await ApplyAsync(last);
        await Eventually.TrueAsync(() => came.Any(one => one.EventId == last.EventId), "a later one is answered");
        Assert.Equal(new[] { id, told.EventId, last.EventId }.Order(), came.Select(one => one.EventId).Distinct().Order());
        Assert.Null(came.First(one => one.EventId == last.EventId).AddCheckpoint);
    }

    [Fact]
    public async Task A_log_that_may_not_be_signed_proves_nothing_and_who_waits_is_refused_for_good()
    {
        var (held, other) = ((await host.CreateCustomerAsync("Acme")).Id, (await host.CreateCustomerAsync("Beta")).Id);
        var (heldLog, otherLog, guard) = (Log.IdOf(Log.NameOf("customer", held)), Log.IdOf(Log.NameOf("customer", other)), Guid.CreateVersion7());
        await InAsync(db => HeldLogs.ChangeAsync(db, guard, [new(heldLog, "another replica knows better")], [], host.Time.GetUtcNow(), Token));

        var (refused, granted) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await ProofAsked.AskAsync(host, Opened(refused, held), TimeSpan.FromSeconds(1));
        await ProofAsked.AskAsync(host, Opened(granted, other), TimeSpan.FromMinutes(10));
        await Eventually.TrueAsync(async () => await ProofAsked.StateAsync(host, granted) == ProofAsked.Granted, "the other log is signed and answers");
        await Eventually.TrueAsync(async () => await ProofAsked.StateAsync(host, refused) == ProofAsked.Refused, "who waits is refused by its own deadline");
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, "nothing waits");
        Assert.DoesNotContain(came, receipt => receipt.EventId == refused);

        // What comes too late changes nothing.
        await InAsync(db => HeldLogs.ChangeAsync(db, guard, [], [(heldLog, guard)], host.Time.GetUtcNow(), Token));
        var place = await InAsync(db => db.Set<LogLeaf>().Where(row => row.EventId == refused).Select(row => row.Position).SingleAsync(Token));
        await WantAsync(new WantedReceipt(heldLog, place, refused, null));
        await Eventually.TrueAsync(() => came.Any(receipt => receipt.EventId == refused), "a receipt comes late");
        Assert.Equal(ProofAsked.Refused, await ProofAsked.StateAsync(host, refused));

        // An entry that whoever owns the database has changed under a checkpoint that was signed before.
        var index = came.First(receipt => receipt.EventId == granted).Index;
        await InAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync();
            await db.Database.ExecuteSqlRawAsync("DROP TRIGGER audit_log_leaf_no_update", Token);
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE audit_log_leaf SET content = CAST(replace(CAST(content AS text), 'person:2', 'person:3') AS blob) WHERE position = {0} AND log_id = {1}", index, otherLog.ToString().ToUpperInvariant()));
            await transaction.CommitAsync();
            return 0;
        });
        await WantAsync(new WantedReceipt(otherLog, index, granted, null));

        // And what it has written into the table of those who wait: another entry's place, and what cannot be read.
        var (wrong, later) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await WantAsync(new WantedReceipt(heldLog, place, wrong, null));
        await InAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync();
            await db.Database.ExecuteSqlRawAsync("INSERT INTO audit_projection (kind, id, version, body) VALUES ('wanted-receipt', 'x', 1, 'y')", Token);
            await transaction.CommitAsync();
        });
        await ProofAsked.AskAsync(host, Opened(later, other), TimeSpan.FromMinutes(10));
        await Eventually.TrueAsync(async () => await ProofAsked.StateAsync(host, later) == ProofAsked.Granted, "a later entry is answered");
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, "nothing waits");
        Assert.DoesNotContain(came, receipt => receipt.EventId == wrong);
        Assert.DoesNotContain(came, receipt => Encoding.UTF8.GetString(LogProof.Parse(Encoding.UTF8.GetBytes(receipt.TlogProof)).Extra.Span).Contains("person:3", StringComparison.Ordinal));
    }

    private static AuditFact Opened(Guid id, Guid customer) => new("remoteaccess.session-opened", AuditLog.Customer, "session", id.ToString())
    {
        CustomerId = customer,
        Receipt = id,
        Actor = new AuditActor("staff", Actor, "session", Mfa: true),
        Changes = [Change.Add("/approvedBy", Approver), Change.Add("/expiresAt", DateTimeOffset.UtcNow.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))],
    };

    private static AuditEntryRecorded Event(Guid id, Guid customer, long sequence) => new(
        1, id, "remoteaccess/test", sequence, new DateTimeOffset(2026, 11, 28, 10, 0, 0, TimeSpan.Zero), "customer", customer, null, "remoteaccess.session-opened", "success",
        new AuditActor("staff", Actor, "session"), new AuditTarget("session", id.ToString()), [], null, null, null, "required", new Dictionary<string, string>());

    private Task ApplyAsync(AuditEntryRecorded message) => ApplyAsync("audit.append-entry", message);

    private Task ApplyAsync(string handler, Contracts.IMessage message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == handler), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), Token);

    // What the agent of a cluster has seen of its customer's log, as it comes to remember it.
    private async Task<Seen> SeenAsync(Guid customer)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == customer && one.SignedSize > 0)) is not null, "the customer's log is signed");
        var note = await host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{log!.Id}/checkpoint", UriKind.Relative), Token);
        Assert.True(NoteKey.TryParse(log.Keys[^1], out var key));
        using (key)
        {
            return new Seen(1, [key.PublicKey.ToArray()], new Dictionary<string, SeenLog> { ["customer"] = new(note, host.Time.GetUtcNow()) });
        }
    }

    // And as it says so.
    private static ItemsReceived Held(Guid cluster, Guid customer, long size) => new(Guid.CreateVersion7(), "witness", DateTimeOffset.UtcNow)
    {
        Attachment = ItemsReceived.Deflate(new ReceivedItems
        {
            Items =
            {
                new ReceivedItem
                {
                    ClusterId = ByteString.CopyFrom(cluster.ToByteArray(bigEndian: true)), CustomerId = ByteString.CopyFrom(customer.ToByteArray(bigEndian: true)), Epoch = 1, Seq = 1, ReceivedAtMs = 1,
                    Body = new WitnessAnswers { Answers = { new WitnessAnswer { Log = "customer", Outcome = "held", Size = size } } }.ToByteString(),
                },
            },
        }),
    };

    private Task<int> WaitingAsync() => InAsync(async db => (await WantedReceipts.ReadAsync(db, 100, Token)).Count);

    private Task WantAsync(WantedReceipt wanted) => InAsync(async db =>
    {
        await using var transaction = await db.BeginWriteAsync();
        await host.Services.GetRequiredService<WantedReceipts>().AddAsync(db, [wanted], host.Time.GetUtcNow(), Token);
        await transaction.CommitAsync();
        return 0;
    });

    private Task InAsync(Func<ControlPlaneDbContext, Task> act) => InAsync(async db =>
    {
        await act(db);
        return 0;
    });

    private async Task<T> InAsync<T>(Func<ControlPlaneDbContext, Task<T>> act)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test looks at all");
        return await act(db);
    }
}
