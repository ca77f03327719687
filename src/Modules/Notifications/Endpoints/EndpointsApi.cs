using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Notifications.Contacts;
using MissionControl.Notifications.Deliveries;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Notifications.Endpoints;

/// <summary><c>/api/v1/notifications/endpoints</c>: the systems that events are delivered to.</summary>
internal static class EndpointsApi
{
    private const string Right = "notifications:write";
    private const int MaxEndpoints = 20;
    private const int MaxTestsInAnHour = 100;
    private const string TestType = "missioncontrol.notifications.test";

    // Ids are made in the order of time.
    private static readonly ListOrders<OutboundEndpoint> Orders = new ListOrders<OutboundEndpoint>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var endpoints = api.MapGroup("/endpoints");
        endpoints.MapPost("/", AddAsync).RequireScope(Right).WithName("AddEndpoint").WithSummary("Add a webhook or a syslog server; its secret is shown once").Produces<EndpointSecret>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        endpoints.MapGet("/", ListAsync).RequireScope("notifications:read").WithName("ListEndpoints").WithSummary("Webhooks and syslog servers, by name").Lists((EndpointItem row) => row.Id.ToString()).Produces<Page<EndpointItem>>().SortedBy(Orders);
        var one = endpoints.MapGroup("/{id:guid}");
        one.MapGet("/", GetAsync).RequireScope("notifications:read").Shows("endpoint", static (ControlPlaneDbContext db, Guid id) => db.Set<OutboundEndpoint>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetEndpoint").WithSummary("One endpoint").Produces<EndpointItem>();
        one.MapPost("/test", TestAsync).RequireScope(Right).WithName("TestEndpoint").WithSummary("Deliver an event that says that it is a test").Produces(StatusCodes.Status202Accepted).AcceptIdempotencyKey();
        one.MapPost("/rotate-secret", RotateAsync).RequireScope(Right).WithName("RotateEndpointSecret").WithSummary("Make a new secret; for a day both sign").Produces<EndpointSecret>().AcceptIdempotencyKey();
        one.MapPost("/disable", (Guid id, ControlPlaneDbContext db, IEvents events, CancellationToken end) => SwitchAsync(id, disable: true, db, events, end)).RequireScope(Right).WithName("DisableEndpoint").WithSummary("Deliver nothing more to it").Produces(StatusCodes.Status204NoContent);
        one.MapPost("/enable", (Guid id, ControlPlaneDbContext db, IEvents events, CancellationToken end) => SwitchAsync(id, disable: false, db, events, end)).RequireScope(Right).WithName("EnableEndpoint").WithSummary("Deliver to it again").Produces(StatusCodes.Status204NoContent);
        one.MapDelete("/", RemoveAsync).RequireScope(Right).WithName("RemoveEndpoint").WithSummary("Forget it, with its secrets").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> AddAsync(AddEndpointRequest request, ControlPlaneDbContext db, IEvents events, EndpointSecrets secrets, TimeProvider time, CancellationToken cancellationToken)
    {
        var (owner, mistake) = await ContactsApi.OwnerAsync(db, request.CustomerId, cancellationToken);
        List<FieldError> errors = mistake is null ? [] : [mistake];
        if (MistakeIn(request.Kind!, request.Address!) is { } wrong)
        {
            errors.Add(new FieldError("/address", "not-an-address", wrong));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (await db.Set<OutboundEndpoint>().CountAsync(row => row.CustomerId == owner, cancellationToken) >= MaxEndpoints)
        {
            return Problems.Of(ProblemCodes.Conflict, $"There are {MaxEndpoints} endpoints; remove one first.");
        }

        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        string? text = null;
        var endpoint = new OutboundEndpoint
        {
            Id = id, CustomerId = owner, Kind = request.Kind!, Name = request.Name!.Trim(), Address = request.Address!, Secret = request.Kind == "webhook" ? secrets.New(id, out text) : [], CreatedAt = now,
        };
        db.Add(endpoint);
        events.Audit(Fact(endpoint, "notifications.endpoint-added") with { Changes = [Change.Add("/kind", endpoint.Kind), Change.Add("/name", endpoint.Name), Change.Add("/host", new Uri(endpoint.Address).Host)] });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/notifications/endpoints/{id}", new EndpointSecret(id, text, null));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, string? q, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        var (hindrance, now) = (Scopes.Lacking(reader, Right), time.GetUtcNow());
        return await Orders.PageAsync(list, query.Holding(row => row.Name, q), row => row.ToItem(hindrance, now), cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } endpoint ? TypedResults.Ok(endpoint.ToItem(Scopes.Lacking(reader, Right), time.GetUtcNow())) : Problems.NotFound();

    private static async Task<IResult> TestAsync(Guid id, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } endpoint)
        {
            return Problems.NotFound();
        }

        if (endpoint.IsDisabled)
        {
            return Problems.Of(ProblemCodes.Conflict, "It is disabled; enable it first.");
        }

        var now = time.GetUtcNow();
        var lately = now - TimeSpan.FromHours(1);
        if (await db.Set<Delivery>().CountAsync(row => row.CustomerId == endpoint.CustomerId && row.CreatedAt > lately && row.Subject == TestType, cancellationToken) >= MaxTestsInAnHour)
        {
            return Problems.Of(ProblemCodes.RateLimited, $"{MaxTestsInAnHour} tests were asked for within an hour; come back later.");
        }

        var eventId = Guid.CreateVersion7(now);
        db.Add(Delivery.Event(endpoint, TestType, eventId, JsonSerializer.SerializeToUtf8Bytes(new
        {
            specversion = "1.0",
            id = eventId,
            source = "/notifications",
            type = TestType,
            time = now,
            datacontenttype = "application/json",
            data = new { endpointId = id },
        }), now));
        events.Audit(Fact(endpoint, "notifications.endpoint-tested"));
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Accepted($"/api/v1/notifications/deliveries?recipient={id}");
    }

    private static async Task<IResult> RotateAsync(Guid id, ControlPlaneDbContext db, IEvents events, EndpointSecrets secrets, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } endpoint)
        {
            return Problems.NotFound();
        }

        if (endpoint.NoRotating(time.GetUtcNow()) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        endpoint.Version++;
        endpoint.OldSecret = endpoint.Secret;
        endpoint.OldSecretEndsAt = time.GetUtcNow() + EndpointSecrets.Overlap;
        endpoint.Secret = secrets.New(id, out var text);
        events.Audit(Fact(endpoint, "notifications.endpoint-secret-rotated") with { Changes = [Change.Add("/oldSecretEndsAt", endpoint.OldSecretEndsAt)] });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(new EndpointSecret(id, text, endpoint.OldSecretEndsAt));
    }

    private static async Task<IResult> SwitchAsync(Guid id, bool disable, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } endpoint)
        {
            return Problems.NotFound();
        }

        if (endpoint.IsDisabled != disable)
        {
            endpoint.Version++;
            (endpoint.IsDisabled, endpoint.Why) = (disable, disable ? "Somebody disabled it." : null);
            events.Audit(Fact(endpoint, disable ? "notifications.endpoint-disabled" : "notifications.endpoint-enabled") with { Changes = [Change.Replace("/disabled", !disable, disable)] });
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.NoContent();
    }

    private static async Task<IResult> RemoveAsync(Guid id, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } endpoint)
        {
            return Problems.NotFound();
        }

        db.Remove(endpoint);
        events.Audit(Fact(endpoint, "notifications.endpoint-removed") with { Changes = [Change.Remove("/name", endpoint.Name)] });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static string? MistakeIn(string kind, string address)
    {
        var (scheme, form) = kind == "webhook" ? ("https", "https://host/path") : ("syslog+tls", "syslog+tls://host:6514");
        return !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme != scheme || uri.Host.Length == 0 || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0
            || (kind == "syslog" && (uri.IsDefaultPort || uri.PathAndQuery is not ("" or "/")))
                ? $"Write it as {form}, without user and password; what authenticates us is the signature." : null;
    }

    private static IQueryable<OutboundEndpoint> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<OutboundEndpoint>().Where(row => all || row.CustomerId == customer);
    }

    /// <summary>What the audit log is told of an endpoint.</summary>
    public static AuditFact Fact(OutboundEndpoint endpoint, string type) =>
        new(type, endpoint.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "endpoint", endpoint.Id.ToString()) { CustomerId = endpoint.CustomerId };
}
