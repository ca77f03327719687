using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Platform.Security;

/// <summary>What an endpoint shows of one customer, and how that customer is found.</summary>
/// <param name="Noun">The target's type in the audit log.</param>
/// <param name="Target">The target's id, from the request; null: nothing of one customer is asked for.</param>
/// <param name="Owner">The customer that the target belongs to.</param>
public sealed record ShowsCustomer(string Noun, Func<HttpRequest, string?> Target, Func<ControlPlaneDbContext, string, IQueryable<Guid?>> Owner);

/// <summary>
/// Whatever of a customer the vendor's staff reads is written into that customer's log, before the answer leaves: an entry for each
/// person, session and thing and hour, for a program each day. A list that is narrowed to a customer is a look at it; one over many
/// customers (<see cref="StaffLists"/>) stands in the log of the operators, with the question and what it showed.
/// </summary>
public static class StaffReads
{
    /// <summary>Ends the type of an entry of the audit log that tells of reading, such as <c>fleet.cluster-read</c>.</summary>
    public const string Suffix = "-read";

    /// <summary>Says that an endpoint, or a group of them, shows a thing of one customer, whose id stands in the route.</summary>
    public static TBuilder Shows<TBuilder>(this TBuilder builder, string noun, Func<ControlPlaneDbContext, Guid, IQueryable<Guid?>> owner, string route = "id")
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ShowsCustomer(noun, request => Guid.TryParse(request.RouteValues[route]?.ToString(), out var id) ? id.ToString() : null, (db, id) => owner(db, Guid.Parse(id))));

    /// <summary>The same for ids that are texts.</summary>
    public static TBuilder Shows<TBuilder>(this TBuilder builder, string noun, Func<ControlPlaneDbContext, string, IQueryable<Guid?>> owner, string route = "id")
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ShowsCustomer(noun, request => request.RouteValues[route]?.ToString(), owner));

    /// <summary>Says that a list may be narrowed to one cluster, by the parameter <c>cluster</c>.</summary>
    public static TBuilder ShowsClusterAskedFor<TBuilder>(this TBuilder builder, Func<ControlPlaneDbContext, Guid, IQueryable<Guid?>> owner)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ShowsCustomer("cluster", static request => Ids(request, "cluster").Select(id => id.ToString()).FirstOrDefault(), (db, id) => owner(db, Guid.Parse(id))));

    /// <summary>Notes what is read by the endpoints of a role's API.</summary>
    public static RouteGroupBuilder NoteStaffReads(this RouteGroupBuilder api, string module) => api.AddEndpointFilter(async (context, next) =>
    {
        var answer = await next(context);
        var http = context.HttpContext;
        if (HttpMethods.IsGet(http.Request.Method) && answer is not IStatusCodeHttpResult { StatusCode: >= 400 } && http.RequestServices.GetRequiredService<CustomerScope>().IsAll && http.RequestServices.GetRequiredService<CurrentPrincipal>().Actor is { Kind: "staff" or "serviceAccount" } reader)
        {
            await NoteAsync(module, reader, http, answer);
        }

        return answer;
    });

    private static async Task NoteAsync(string module, AuditActor reader, HttpContext http, object? answer)
    {
        var shows = http.GetEndpoint()?.Metadata.GetMetadata<ShowsCustomer>();
        List<Look> looks = shows?.Target(http.Request) is { } target ? [new Look($"{module}.{shows.Noun}{Suffix}", shows.Noun, target, null)]
            : [.. Ids(http.Request, "customer").Select(id => new Look($"{module}.{Listed(http)}{Suffix}", "customer", id.ToString(), id))];
        if (looks.Count == 0 && http.GetEndpoint()?.Metadata.GetMetadata<ListsCustomers>() is { } lists)
        {
            await NoteListAsync(module, reader, http, lists.Ids(answer));
            return;
        }

        var recent = http.RequestServices.GetRequiredService<RecentReads>();
        looks.RemoveAll(look => recent.IsNoted(look.By(reader)));
        var db = http.RequestServices.GetRequiredService<ControlPlaneDbContext>();
        var (events, noted) = (http.RequestServices.GetRequiredService<IEvents>(), new List<Look>());
        foreach (var look in looks)
        {
            if ((look.Customer ?? await shows!.Owner(db, look.Target).FirstOrDefaultAsync(http.RequestAborted)) is { } owner && owner != Guid.Empty)
            {
                events.Audit(new AuditFact(look.Type, AuditLog.Customer, look.Noun, look.Target) { CustomerId = owner, ClusterId = look.Noun == "cluster" ? Guid.Parse(look.Target) : null });
                noted.Add(look);
            }
        }

        if (noted.Count > 0)
        {
            await db.SaveChangesAsync(http.RequestAborted);
            noted.ForEach(look => recent.Note(look.By(reader)));
        }
    }

    // A look at each row; where there was none, at none.
    private static async Task NoteListAsync(string module, AuditActor reader, HttpContext http, IReadOnlyList<string> ids)
    {
        var (recent, type, asked) = (http.RequestServices.GetRequiredService<RecentReads>(), $"{module}.{Listed(http)}{Suffix}", StaffLists.Asked(http.Request));
        var fresh = ids.DefaultIfEmpty("").Where(id => !recent.IsNoted(Read(id))).ToList();
        if (fresh.Count > 0)
        {
            StaffLists.Tell(http.RequestServices.GetRequiredService<IEvents>(), type, $"{module}/{Listed(http)}", http.Request, [.. fresh.Where(id => id.Length > 0)]);
            await http.RequestServices.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync(http.RequestAborted);
            fresh.ForEach(id => recent.Note(Read(id)));
        }

        RecentReads.Read Read(string id) => new(reader.Id, reader.SessionId, type, $"{asked}/{id}");
    }

    // /api/v1/identity/people: people.
    private static string Listed(HttpContext http) => ((RouteEndpoint)http.GetEndpoint()!).RoutePattern.RawText!.Split('/', StringSplitOptions.RemoveEmptyEntries)[3];

    // A filter may be given more than once.
    private static IEnumerable<Guid> Ids(HttpRequest request, string parameter) => request.Query[parameter].Select(text => Guid.TryParse(text, out var id) ? id : (Guid?)null).OfType<Guid>().Distinct();

    private sealed record Look(string Type, string Noun, string Target, Guid? Customer)
    {
        public RecentReads.Read By(AuditActor reader) => new(reader.Id, reader.SessionId, Type, Target);
    }
}

/// <summary>What this process noted lately, so that somebody who stays on a page does not fill the log. Another process notes it once more.</summary>
internal sealed class RecentReads(TimeProvider time)
{
    // Beyond it all are forgotten: entries come twice then, and none is left out.
    private const int Most = 50_000;
    private readonly ConcurrentDictionary<Read, long> noted = new();

    public bool IsNoted(Read read) => noted.TryGetValue(read, out var slot) && slot == Slot(read);

    public void Note(Read read)
    {
        if (noted.Count >= Most)
        {
            noted.Clear();
        }

        noted[read] = Slot(read);
    }

    // Persons by the hour, programs by the day.
    private long Slot(Read read) => time.GetUtcNow().UtcTicks / (read.Session is null ? TimeSpan.TicksPerDay : TimeSpan.TicksPerHour);

    /// <summary>One look.</summary>
    public readonly record struct Read(string Reader, string? Session, string Type, string Target);
}
