using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MassTransit;
using MassTransit.Mediator;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Benchmarks;

/// <summary>How long a role waits for the proof that what it is to do stands in the audit log; in a small log, and at the end of one of 10 million entries.</summary>
internal static class ReceiptBenchmark
{
    // Full tiles of level 1, full tiles of level 0 behind them, and leaves behind those: 10,000,000 entries.
    private static readonly (int Upper, int Lower, int Leaves) Large = (152, 150, 128);

    private static long LargeSize => (Large.Upper * 65_536L) + (Large.Lower * 256L) + Large.Leaves;

    public static async Task<bool> RunAsync(int count)
    {
        var verdict = Verdict.Begin("receipt", "one receipt: from before the transaction that asks for it by IEvents until the message with it comes to who asked; one after the other", "SQLite, WAL, synchronous=FULL: four commits and the file of signed heads between asking and answer; floor: one raw insert in a transaction of its own");
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Audit:Epoch"] = "01:00:00", ["Api:RequestsPerMinute"] = "1000000" });
        var waiting = new ConcurrentDictionary<Guid, TaskCompletionSource<ReceiptIssued>>();
        host.Services.GetRequiredService<IMediator>().ConnectHandler<ReceiptIssued>(consumed =>
        {
            waiting.GetValueOrDefault(consumed.Message.EventId)?.TrySetResult(consumed.Message);
            return Task.CompletedTask;
        });
        var (small, large) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var log = await SynthesizeAsync(host, large);
        foreach (var (name, customer) in new[] { ("a small log", small), ("a log of 10 million entries, of which only the rows of the right edge are stored", large) })
        {
            // What is compiled for the first time is not measured.
            await AskAsync(host, waiting, customer, 30);
            var floor = RawSqlite.RowsPerSecond(200, 1);
            var figures = await AskAsync(host, waiting, customer, count);
            Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"{name}: p50 {figures.Milliseconds(0.5):0.0} ms, p99 {figures.Milliseconds(0.99):0.0} ms, {figures.Count} receipts; floor {floor:0} commits/s"));
            verdict.AtMost("p99 until a receipt", figures.Milliseconds(0.99), 1_000, " ms");
        }

        var last = await AskOneAsync(host, waiting, large);
        verdict.AtLeast("the path in the large log", LogProof.Parse(Encoding.UTF8.GetBytes(last.TlogProof)).Path.Count, 12, " hashes");
        var proofs = new Histogram();
        for (var i = 0; i < count + 30; i++)
        {
            var since = Stopwatch.GetTimestamp();
            _ = await host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{log}/proofs/{last.EventId}", UriKind.Relative));
            if (i >= 30)
            {
                proofs.Add(Stopwatch.GetElapsedTime(since));
            }
        }

        Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"a proof of the large log by the API: p50 {proofs.Milliseconds(0.5):0.0} ms"));
        verdict.AtMost("p99 of a proof by the API", proofs.Milliseconds(0.99), 20, " ms");
        return verdict.Passed;
    }

    private static async Task<Histogram> AskAsync(ControlPlane host, ConcurrentDictionary<Guid, TaskCompletionSource<ReceiptIssued>> waiting, Guid customer, int count)
    {
        var figures = new Histogram();
        for (var i = 0; i < count; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await AskOneAsync(host, waiting, customer);
            figures.Add(Stopwatch.GetElapsedTime(since));
        }

        return figures;
    }

    private static async Task<ReceiptIssued> AskOneAsync(ControlPlane host, ConcurrentDictionary<Guid, TaskCompletionSource<ReceiptIssued>> waiting, Guid customer)
    {
        var id = Guid.CreateVersion7();
        var answer = waiting[id] = new TaskCompletionSource<ReceiptIssued>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("remoteaccess");
        scope.ServiceProvider.GetRequiredService<IEvents>().Audit(new AuditFact("remoteaccess.session-opened", AuditLog.Customer, "session", id.ToString())
        {
            CustomerId = customer,
            Receipt = id,
            Actor = new AuditActor("staff", "person:1", "session", Mfa: true),
            Changes = [Change.Add("/approvedBy", "person:2"), Change.Add("/expiresAt", "2999-01-01T00:00:00.000Z")],
        });
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        return await answer.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    // A log that was signed with so many entries; of all but its right edge only what stands above it is there, which is all that anything appended behind it needs.
    private static async Task<Guid> SynthesizeAsync(ControlPlane host, Guid customer)
    {
        var (name, origin, now) = ($"customer/{customer:N}", $"mission-control/{RandomNumberGenerator.GetHexString(32, lowercase: true)}", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var log = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"mission-control/log/{name}")).AsSpan(0, 16), bigEndian: true);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        var (upper, lower, leaves) = (new CompactRange(), new CompactRange(), new CompactRange());
        await TilesAsync(1, 0, Large.Upper, upper);
        await TilesAsync(0, Large.Upper * 256L, Large.Lower, lower);
        var tail = new List<object?[]>();
        for (var i = 0; i < Large.Leaves; i++)
        {
            var content = RandomNumberGenerator.GetBytes(600);
            leaves.Append(TreeHash.OfLeaf(content));
            tail.Add([log, LargeSize - Large.Leaves + i, TreeHash.OfLeaf(content).Span.ToArray(), Guid.CreateVersion7(), new byte[32], content]);
        }

        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("audit_log_leaf", ["log_id", "position", "hash", "event_id", "event_hash", "content"], ["log_id", "position"], tail), default);
        byte[] range = [.. upper.ToArray(), .. lower.ToArray(), .. leaves.ToArray()];
        var root = new CompactRange(LargeSize, range).Root;
        using var key = NoteSigner.FromSeed(origin, NoteKeyType.Ed25519, Ed25519Key.NewSeed());
        var text = new Checkpoint(origin, LargeSize, root).ToString();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("audit_log", ["name", "id", "origin", "kind", "customer_id", "created_at"], ["name"], [[name, log, origin, "customer", customer, now]]), default);
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("audit_log_head", ["log_id", "size", "root", "range", "recorded_at", "version"], ["log_id"], [[log, LargeSize, root.Span.ToArray(), range, now, 0L]]), default);
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("audit_log_checkpoint", ["log_id", "size", "signed_at", "note"], ["log_id", "size"], [[log, LargeSize, now, new SignedNote(text, [key.Sign(Encoding.UTF8.GetBytes(text))]).ToString()]]), default);
        await transaction.CommitAsync();
        return log;

        async Task TilesAsync(int level, long first, int count, CompactRange above)
        {
            var rows = new List<object?[]>();
            for (var i = 0; i < count; i++)
            {
                var (hashes, tile) = (RandomNumberGenerator.GetBytes(256 * TreeHash.Size), new CompactRange());
                for (var at = 0; at < hashes.Length; at += TreeHash.Size)
                {
                    tile.Append(new TreeHash(hashes.AsSpan(at, TreeHash.Size)));
                }

                above.Append(tile.Root);
                rows.Add([log, level, first + i, hashes, tile.Root.Span.ToArray()]);
            }

            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("audit_log_tile", ["log_id", "level", "position", "hashes", "root"], ["log_id", "level", "position"], rows), default);
        }
    }
}
