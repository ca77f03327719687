using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Benchmarks.Subject;

/// <summary>The audit logs of the real host in this process: entries go in where the outbox brings them, and are looked for over the API as whoever verifies a log reads it.</summary>
internal sealed class AuditSubject : IAsyncDisposable
{
    private readonly string producer = $"licensing/{Guid.CreateVersion7():N}";
    private readonly Servers? servers;
    private readonly HandlerRunner runner;
    private readonly HandlerBinding binding;
    private long number;
    private Task? stopped;

    private AuditSubject(Servers? servers, ControlPlane host)
    {
        (this.servers, Host) = (servers, host);
        runner = host.Services.GetRequiredService<HandlerRunner>();
        binding = host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(one => one.Name == "audit.append-entry");
    }

    public ControlPlane Host { get; }

    public static async Task<AuditSubject> StartAsync(bool postgres, string? data = null)
    {
        var configuration = new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "10000000" };
        if (!postgres)
        {
            return new AuditSubject(null, await ControlPlane.StartAsync(data, configuration: configuration));
        }

        var servers = await Servers.StartAsync(configuration);
        return new AuditSubject(servers, servers.Host);
    }

    /// <summary>Gives one event to the consumer that appends it, and waits until its batch is committed, or parked: whether it stands in the log shows afterwards.</summary>
    /// <returns>Its id.</returns>
    public async Task<Guid> AppendAsync(Guid customer)
    {
        var (id, now) = (Guid.CreateVersion7(), TimeProvider.System.GetUtcNow());
        var message = new AuditEntryRecorded(
            1, id, producer, Interlocked.Increment(ref number), now, "customer", customer, null, "licensing.contract-changed", "success", new AuditActor("staff", producer[^32..], "session", true),
            new AuditTarget("contract", "1"), [], null, null, null, "none", new Dictionary<string, string> { ["address"] = "192.0.2.1" });
        await runner.ApplyAsync(binding, message, new MessageContext(Guid.CreateVersion7(), now), CancellationToken.None);
        return id;
    }

    /// <summary>Tells a fact as a role does: in a transaction of its own, which is over when this returns.</summary>
    public async Task TellAsync(AuditFact fact)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Platform.Modules.ModuleScope>().Enter("licensing");
        scope.ServiceProvider.GetRequiredService<IEvents>().Audit(fact);
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<long>(sql).ToListAsync()).Single();
    }

    /// <summary>Waits until nothing is on its way and every log has signed all that it holds.</summary>
    public Task SignedAsync() => Eventually.TrueAsync(
        async () => await CountAsync("SELECT (SELECT count(*) FROM licensing_outbox) + (SELECT count(*) FROM audit_outbox) + (SELECT count(*) FROM audit_log_head AS h WHERE h.size > coalesce((SELECT max(c.size) FROM audit_log_checkpoint AS c WHERE c.log_id = h.log_id), 0)) AS \"Value\"") == 0,
        "all logs are signed", TimeSpan.FromMinutes(5));

    /// <summary>How many entries a customer's log has, and how many of them are signed.</summary>
    public async Task<(long Size, long Signed)> SizeAsync(Guid customer)
    {
        // What is signed first: it is never more than there is.
        var signed = await CountAsync($"SELECT coalesce(max(c.size), 0) AS \"Value\" FROM audit_log_checkpoint AS c JOIN audit_log AS l ON l.id = c.log_id WHERE l.name = 'customer/{customer:N}'");
        return (await CountAsync($"SELECT coalesce(max(h.size), 0) AS \"Value\" FROM audit_log_head AS h JOIN audit_log AS l ON l.id = h.log_id WHERE l.name = 'customer/{customer:N}'"), signed);
    }

    public async Task<bool> IsNothingParkedAsync() => await CountAsync("SELECT (SELECT count(*) FROM audit_parked_message) + (SELECT count(*) FROM licensing_parked_message) AS \"Value\"") == 0;

    /// <summary>The logs of the customers, by these.</summary>
    public async Task<IReadOnlyDictionary<Guid, AuditLogItem>> LogsAsync()
    {
        var logs = new Dictionary<Guid, AuditLogItem>();
        for (var next = "/api/v1/audit/logs?limit=500"; next is not null;)
        {
            var page = (await Host.Admin.GetFromJsonAsync<Page<AuditLogItem>>(new Uri(next, UriKind.RelativeOrAbsolute)))!;
            foreach (var log in page.Items.Where(log => log.Kind == "customer"))
            {
                logs.Add(log.CustomerId!.Value, log);
            }

            next = page.Next;
        }

        return logs;
    }

    /// <summary>Reads a log over the API from the first entry to the last and makes its tree anew, by nothing but what it has signed and its key.</summary>
    /// <param name="log">The log.</param>
    /// <param name="each">Is told every entry as JSON.</param>
    /// <exception cref="InvalidOperationException">It does not verify: no figure of this run counts.</exception>
    public async Task WalkAsync(AuditLogItem log, Action<long, JsonElement> each)
    {
        var root = $"/api/v1/audit/logs/{log.Id}";
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        var checkpoint = policy.Judge(SignedNote.Parse(await Host.Admin.GetByteArrayAsync(new Uri($"{root}/checkpoint", UriKind.Relative)))).Checkpoint;
        var finding = await LogWalk.RunAsync(checkpoint, null, async (id, cancellationToken) =>
        {
            using var answer = await Host.Admin.GetAsync(new Uri($"{root}/{id}", UriKind.Relative), cancellationToken);
            return answer.StatusCode == HttpStatusCode.NotFound ? (ReadOnlyMemory<byte>?)null : await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellationToken);
        }, null, CancellationToken.None, (index, entry) =>
        {
            var json = new Utf8JsonReader(entry);
            using var parsed = JsonDocument.ParseValue(ref json);
            each(index, parsed.RootElement);
        });
        if (finding.Result != WalkResult.Good)
        {
            throw new InvalidOperationException($"{log.Origin} does not verify: {finding.Problem}");
        }
    }

    /// <summary>Stops the host; what it has stored stays where it is.</summary>
    public Task StopAsync() => stopped ??= Host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await (servers?.DisposeAsync() ?? Host.DisposeAsync());
    }
}
