using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.Inventory;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Clusters;

/// <summary><c>GET /api/v1/fleet/clusters/{id}/sent</c>: what is here of what a cluster sent, word for word where it is kept so.</summary>
internal static class SentApi
{
    private static readonly string[] Classes = ["health", "inventory", "event"];

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/sent", GetAsync).RequireScope("fleet:read").WithName("GetClusterSent").WithSummary("What a cluster sent and is still here: the newest health and the present inventory as they arrived, and how many events").Produces<SentDocument>();

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, RetentionTable retention, [FromQuery] string[]? @class, CancellationToken cancellationToken)
    {
        var wanted = @class is { Length: > 0 } ? @class : Classes;
        if (wanted.Except(Classes).Any())
        {
            return Problems.Of(ProblemCodes.UnknownParameter, $"class is one of {string.Join(", ", Classes)}.");
        }

        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var health = await db.Set<StoredHealth>().AsNoTracking().Where(row => row.ClusterId == id && row.Rank >= 0).Select(row => new Stored(row.Rank, row.At, row.ReceivedAt, row.Body)).SingleOrDefaultAsync(cancellationToken);
        var inventory = await db.Set<ClusterInventory>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => new Stored(row.Rank, row.At, row.ReceivedAt, row.Body)).SingleOrDefaultAsync(cancellationToken);
        var events = EventsApi.SentBy(db, id);
        var count = await events.LongCountAsync(cancellationToken);
        var newest = await events.OrderByDescending(row => row.At).Select(row => (DateTimeOffset?)row.ReceivedAt).FirstOrDefaultAsync(cancellationToken);
        var messages = new List<SentMessage>();
        if (health is not null && wanted.Contains("health"))
        {
            messages.Add(Message("health", health, Protocol.CallHome.Health.Parser.ParseFrom(health.Body)));
        }

        if (inventory is not null && wanted.Contains("inventory"))
        {
            messages.Add(Message("inventory", inventory, Protocol.CallHome.Inventory.Parser.ParseFrom(inventory.Body)));
        }

        return TypedResults.Ok(new SentDocument(
            [
                Class("health", health, Days(retention, "fleet.health-history")), Class("inventory", inventory, Days(retention, "fleet.inventory-change")),
                new SentClass("event", count, null, newest, Days(retention, "fleet.event")),
            ], messages));
    }

    private static SentClass Class(string name, Stored? stored, int days) => new(name, stored is null ? 0 : 1, stored?.Body.Length, stored?.ReceivedAt, days);

    private static int Days(RetentionTable retention, string records) => (int)retention.Classes.First(one => one.Name == records).KeepFor!.Value.TotalDays;

    private static SentMessage Message(string name, Stored stored, Google.Protobuf.IMessage message) => new(
        name, Received.EpochOf(stored.Rank), Received.SequenceOf(stored.Rank), stored.At, stored.ReceivedAt, stored.Body.Length, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(stored.Body))}",
        Convert.ToBase64String(stored.Body), JsonSerializer.Deserialize<JsonElement>(JsonFormatter.Default.Format(message)));

    private sealed record Stored(long Rank, DateTimeOffset At, DateTimeOffset ReceivedAt, byte[] Body);
}
