using System.Diagnostics;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Platform.Messaging;

/// <summary>Writes outbox rows into the business transaction of its scope.</summary>
internal sealed class ScopedEvents : IEvents
{
    private readonly ControlPlaneDbContext db;
    private readonly ModuleScope module;
    private readonly CurrentPrincipal principal;
    private readonly ProcessIdentity process;
    private readonly TimeProvider time;
    private readonly List<AuditFact> facts = [];
    private readonly List<(AuditFact Fact, OutboxMessage Row)> numbered = [];
    private bool wrote;

    public ScopedEvents(ControlPlaneDbContext db, ModuleScope module, CurrentPrincipal principal, ProcessIdentity process, OutboxSignal signal, TimeProvider time)
    {
        this.db = db;
        this.module = module;
        this.principal = principal;
        this.process = process;
        this.time = time;
        db.Events = this;
        db.AfterCommit += () =>
        {
            if (wrote)
            {
                wrote = false;
                signal.Set(module.Current);
            }
        };
    }

    public void Publish(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Add(message, MessageJson.Write(message));
    }

    private OutboxMessage Add(IMessage message, byte[] payload)
    {
        var now = time.GetUtcNow();
        var row = new OutboxMessage
        {
            Id = Guid.CreateVersion7(now),
            Type = MessageJson.WireName(message.GetType()),
            Key = message.Key,
            Payload = payload,
            Attachment = (message as IAttachment)?.Attachment,
            CreatedAt = now,
            NextAttemptAt = now,
        };
        db.Outbox(module.Current).Add(row);
        wrote = true;
        return row;
    }

    public void Audit(AuditFact fact)
    {
        ArgumentNullException.ThrowIfNull(fact);
        if (fact.Log == AuditLog.Customer && fact.CustomerId is null)
        {
            throw new ArgumentException("An entry of a customer's log needs the customer.", nameof(fact));
        }

        facts.Add(fact);
    }

    /// <summary>Whether there is anything to number.</summary>
    public bool HasFacts => facts.Count + numbered.Count > 0;

    /// <summary>Numbers the collected facts inside the saving transaction: a rolled-back change takes its numbers back with it.</summary>
    public async Task WriteFactsAsync(CancellationToken cancellationToken)
    {
        // Of a save that failed, what is still to be saved gets another number: the one it had went back. What was dropped since is not told.
        var outbox = db.Outbox(module.Current);
        var again = numbered.Where(one => outbox.Entry(one.Row).State == EntityState.Added).ToList();
        again.ForEach(one => outbox.Entry(one.Row).State = EntityState.Detached);
        facts.InsertRange(0, again.Select(one => one.Fact));
        numbered.Clear();
        if (facts.Count == 0)
        {
            return;
        }

        var producer = $"{module.Current}/{process.Instance}";
        var producers = db.AuditProducers(module.Current);
        // The row's lock is held to the end of the transaction: numbers are given in the order of commits.
        while (await producers.Where(row => row.Producer == producer).ExecuteUpdateAsync(set => set.SetProperty(row => row.Sequence, row => row.Sequence + facts.Count), cancellationToken) == 0)
        {
            var row = new BulkRows(ModuleTablesModel.AuditProducers(module.Current), ["producer", "sequence"], ["producer"], [[producer, 0L]]);
            await db.Dialect.InsertIfAbsentAsync(db, row, cancellationToken);
        }

        var last = await producers.Where(row => row.Producer == producer).Select(row => row.Sequence).SingleAsync(cancellationToken);
        var next = last - facts.Count;
        foreach (var fact in facts)
        {
            var entry = Entry(fact, producer, ++next);
            numbered.Add((fact, Add(entry, Masked(MessageJson.Write(entry)))));
        }

        facts.Clear();
    }

    /// <summary>What was numbered is saved.</summary>
    public void Saved() => numbered.Clear();

    /// <summary>The log is for good, and many read it: a token that somebody pasted into a reason or a name is cut to its id before it is written.</summary>
    private static byte[] Masked(byte[] json)
    {
        var text = Encoding.UTF8.GetString(json);
        var masked = TokenText.Redact(text);
        return ReferenceEquals(masked, text) ? json : Encoding.UTF8.GetBytes(masked);
    }

    private AuditEntryRecorded Entry(AuditFact fact, string producer, long sequence)
    {
        var now = time.GetUtcNow();
        var actor = fact.Actor ?? principal.Actor ?? new AuditActor("system", producer, "local");
        return new AuditEntryRecorded(1, fact.Receipt ?? Guid.CreateVersion7(now), producer, sequence, now, Word(fact.Log.ToString()), fact.CustomerId, fact.ClusterId,
            fact.Type, Word(fact.Outcome.ToString()), actor, new AuditTarget(fact.TargetType, fact.TargetId), fact.Changes, fact.Reason, fact.Ticket,
            Activity.Current?.TraceId.ToHexString(), fact.Receipt is null ? "none" : AuditEntryRecorded.ReceiptRequired, Personal(fact));
    }

    private IReadOnlyDictionary<string, string> Personal(AuditFact fact)
    {
        if (principal.RemoteAddress is not { } address || fact.Personal.ContainsKey("address"))
        {
            return fact.Personal;
        }

        return new Dictionary<string, string>(fact.Personal) { ["address"] = address };
    }

    private static string Word(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
