using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Security;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Live;

/// <summary>
/// What the things that pages show look like now, as digests, asked of the API with the reader's own rights. Readers with the same
/// rights share an answer for some seconds: a hundred open pages ask no more than one. Only a cache: every replica has its own.
/// </summary>
internal sealed class Watch(MissionControlClient client, TimeProvider time)
{
    private const int Capacity = 5_000;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(4);
    private readonly ConcurrentDictionary<(string Rights, string Topic), (DateTimeOffset At, Task<string?> Digest)> known = new();

    /// <summary>Digest of a topic; null when it is no topic, not the reader's to see, or its role is silent.</summary>
    public Task<string?> DigestAsync(TradedSession reader, string topic)
    {
        var now = time.GetUtcNow();
        // Without system:read tasks are seen by whoever started them: those of two readers with the same rights may differ.
        var own = topic.StartsWith("task", StringComparison.Ordinal) && !Scopes.Include(string.Join(' ', reader.Principal.Scopes), "system:read") ? reader.Principal.Subject : null;
        var key = ($"{reader.Principal.CustomerId} {own} {string.Join(' ', reader.Principal.Scopes)}", topic);
        if (known.TryGetValue(key, out var entry) && now - entry.At < Freshness)
        {
            return entry.Digest;
        }

        if (known.Count > Capacity)
        {
            known.Clear();
        }

        var digest = AskAsync(client.As(reader.AccessToken), topic);
        known[key] = (now, digest);
        return digest;
    }

    private static async Task<string?> AskAsync(MissionControlClient api, string topic)
    {
        // Not the browser's token: whoever else waits for this answer is still there.
        var none = CancellationToken.None;
        try
        {
            object? seen = topic switch
            {
                "fleet" => await api.GetFleetSummaryAsync(none) is var summary ? new { summary.Total, summary.ByHealth, summary.ByLiveness, summary.IntakeStalledSince } : null,
                "clusters" => (await api.ListClustersAsync("?limit=50", none)).Items.Select(one => new { one.Id, one.Health, one.Stale, one.Liveness, one.WorstReason, one.Version, one.NodesUp, one.NodesAll, one.State }),
                "deliveries" => (await api.ListDeliveriesAsync("?limit=50", none)).Items.Select(one => new { one.Id, one.State, one.Attempts }),
                "enrolment" => (await api.ListEnrollmentTokensAsync("?limit=50", none)).Items.Select(one => new { one.Id, one.State }),
                "tasks" => await Task.WhenAll(Roles.All.Select(role => TasksAsync(api, role))),
                _ when topic.Split(':') is ["parked", var role, var parked] && Roles.All.Contains(role) && Guid.TryParse(parked, out var id) => await api.GetParkedMessageAsync(role, id, none),
                _ when topic.Split(':') is ["job", var role, var job] && Roles.All.Contains(role) => (await api.ListJobsAsync(role, none)).Items.Where(one => one.Name == job).Select(one => new { one.Name, one.LastRun, one.Actions }).FirstOrDefault(),
                _ when topic.Split(':') is ["task", var role, var task] && Roles.All.Contains(role) && Guid.TryParse(task, out var id) => Seen(await api.GetTaskAsync(role, id, none)),
                _ when topic.StartsWith("cluster:", StringComparison.Ordinal) && Guid.TryParse(topic.AsSpan(8), out var id) => await api.GetClusterAsync(id, none),
                _ => null,
            };
            return seen is null ? null : Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(seen)));
        }
        catch (ApiException gone) when (gone.Status == HttpStatusCode.NotFound && topic.StartsWith("parked:", StringComparison.Ordinal))
        {
            // A parked message that is applied is not there any more: that is the news that its page waits for.
            return "gone";
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    // What runs, however many began later: what changes there, or leaves it, is all that a page need hear of. A role that is silent does
    // not hide what the others do; being told to slow down is no news, or it would make for more questions.
    private static async Task<object?[]> TasksAsync(MissionControlClient api, string role)
    {
        try
        {
            return [.. (await api.ListTasksAsync(role, "?state=running&limit=8", CancellationToken.None)).Items.Select(Seen)];
        }
        catch (Exception silence) when (silence is ApiException { Status: not HttpStatusCode.TooManyRequests } or HttpRequestException or OperationCanceledException)
        {
            return [];
        }
    }

    private static object Seen(TaskSummary task) => new { task.Id, task.State, task.Succeeded, task.Failed, task.Refused };
}
