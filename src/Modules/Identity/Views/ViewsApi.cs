using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Views;

/// <summary><c>/api/v1/identity/views</c>: the views that the caller made, and those that others share.</summary>
internal static class ViewsApi
{
    /// <summary>Views of one owner, of all lists.</summary>
    private const int MaxViews = 200;

    private const string Taken = "Another view of this list was given that name at the same moment. Read the views again and decide anew.";

    // Ids are made in the order of time.
    private static readonly ListOrders<SavedView> Orders = new ListOrders<SavedView>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var views = api.MapGroup("/views").RequireAuthorization();
        views.MapPost("/", SaveAsync).WithName("SaveView").WithSummary("Save a view of a list").Produces<ViewItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        views.MapGet("/", ListAsync).WithName("ListViews").WithSummary("Your own views and those that others share, by name").Produces<Page<ViewItem>>().SortedBy(Orders);
        views.MapGet("/{id:guid}", GetAsync).WithName("GetView").WithSummary("One view").Produces<ViewItem>();
        views.MapPatch("/{id:guid}", ChangeAsync).WithName("ChangeView").WithSummary("Change a view; needs If-Match").Produces<ViewItem>();
        views.MapDelete("/{id:guid}", DeleteAsync).WithName("DeleteView").WithSummary("Delete a view").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> SaveAsync(SaveViewRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (owner, list, name) = (Owner(http), request.List!, request.Name!.Trim());
        var all = await db.Set<SavedView>().Where(row => row.Owner == owner).ToListAsync(cancellationToken);
        var mine = all.FindAll(row => row.List == list);
        if (Mistake(mine, name, null) is { } mistake)
        {
            return Problems.Invalid([mistake]);
        }

        if (all.Count >= MaxViews)
        {
            return Problems.Of(ProblemCodes.Conflict, $"You have {MaxViews} views; delete one first.");
        }

        var now = time.GetUtcNow();
        var view = new SavedView
        {
            Id = Guid.CreateVersion7(now),
            List = list,
            Name = name,
            Query = request.Query!,
            Owner = owner,
            CustomerId = db.Scope.IsAll ? null : db.Scope.CustomerId,
            IsShared = request.Shared,
            IsDefault = request.IsDefault,
            CreatedAt = now,
        };
        if (view.IsDefault)
        {
            OpenWithNone(mine);
        }

        db.Add(view);
        events.Audit(Fact(view, "identity.view-saved") with
        {
            Changes = Told([Change.Add("/list", view.List), Change.Add("/name", view.Name), Change.Add("/query", view.Query), Change.Add("/shared", view.IsShared), Change.Add("/isDefault", view.IsDefault)], view.IsShared),
        });
        if (!await TrySaveAsync(db, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Conflict, Taken);
        }

        return TypedResults.Created($"/api/v1/identity/views/{view.Id}", Item(view, http));
    }

    private static async Task<IResult> ListAsync(HttpContext http, ControlPlaneDbContext db, [AsParameters] ListQuery page, string? list, bool? @default, CancellationToken cancellationToken)
    {
        var query = Visible(http, db).AsNoTracking();
        query = list is null ? query : query.Where(row => row.List == list);
        var reader = Owner(http);
        query = @default is null ? query : query.Where(row => (row.IsDefault && row.Owner == reader) == @default);
        return await Orders.PageAsync(page, query, row => Item(row, http), cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await Visible(http, db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } view)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.ETag = Etags.Of(view.Version);
        return TypedResults.Ok(Item(view, http));
    }

    private static async Task<IResult> ChangeAsync(Guid id, ChangeViewRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await Visible(http, db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } view)
        {
            return Problems.NotFound();
        }

        if (Hindrance(view, http) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (request.IsDefault is not null && view.Owner != Owner(http))
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only who made a view says whether their list opens with it.");
        }

        if (Etags.Mismatch(http.Request, view.Version) is { } mismatch)
        {
            return mismatch;
        }

        var mine = await db.Set<SavedView>().Where(row => row.Owner == view.Owner && row.List == view.List).ToListAsync(cancellationToken);
        if (request.Name is not null && Mistake(mine, request.Name.Trim(), id) is { } mistake)
        {
            return Problems.Invalid([mistake]);
        }

        if (request.IsDefault == true && !view.IsDefault)
        {
            OpenWithNone(mine);
        }

        var changes = new List<AuditChange>();
        var told = view.IsShared || request.Shared == true;
        Set("/name", view.Name, request.Name?.Trim(), value => view.Name = value);
        Set("/query", view.Query, request.Query, value => view.Query = value);
        Set("/shared", view.IsShared, request.Shared, value => view.IsShared = value!.Value);
        Set("/isDefault", view.IsDefault, request.IsDefault, value => view.IsDefault = value!.Value);
        if (changes.Count > 0)
        {
            view.Version++;
            events.Audit(Fact(view, "identity.view-changed") with { Changes = Told(changes, told) });
            if (!await TrySaveAsync(db, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, Taken);
            }
        }

        http.Response.Headers.ETag = Etags.Of(view.Version);
        return TypedResults.Ok(Item(view, http));

        void Set<T>(string path, T old, T? value, Action<T> set)
        {
            if (value is not null && !value.Equals(old))
            {
                changes.Add(Change.Replace(path, old, value));
                set(value);
            }
        }
    }

    private static async Task<IResult> DeleteAsync(Guid id, HttpContext http, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await Visible(http, db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } view)
        {
            return Problems.NotFound();
        }

        if (Hindrance(view, http) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (Etags.Moved(http.Request, view.Version) is { } moved)
        {
            return moved;
        }

        db.Remove(view);
        events.Audit(Fact(view, "identity.view-deleted") with { Changes = Told([Change.Remove("/list", view.List), Change.Remove("/name", view.Name), Change.Remove("/query", view.Query)], view.IsShared) });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>What the log may say: name and query of a view that nobody else sees are its owner's own, and the log never forgets.</summary>
    private static IReadOnlyList<AuditChange> Told(IReadOnlyList<AuditChange> changes, bool isShared) => isShared ? changes : [.. changes.Where(change => change.Path is not ("/name" or "/query"))];

    /// <summary>False when the same owner gave another view that name at the same moment.</summary>
    private static async Task<bool> TrySaveAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException exception) when (exception is not DbUpdateConcurrencyException && exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database))
        {
            return false;
        }
    }

    // One view opens the list, or none.
    private static void OpenWithNone(List<SavedView> views)
    {
        foreach (var other in views.Where(other => other.IsDefault))
        {
            other.IsDefault = false;
            other.Version++;
        }
    }

    private static FieldError? Mistake(List<SavedView> mine, string name, Guid? id) => name.Length == 0
        ? new FieldError("/name", "required", "A view needs a name.")
        : mine.Exists(view => view.Name == name && view.Id != id) ? new FieldError("/name", "name-taken", "A view of this list is called so already; take another name, or delete that one.") : null;

    /// <summary>The reader's own, and what people with the same customer, or all staff, share.</summary>
    private static IQueryable<SavedView> Visible(HttpContext http, ControlPlaneDbContext db)
    {
        var (owner, staff, customer) = (Owner(http), db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<SavedView>().Where(row => row.Owner == owner || (row.IsShared && (staff ? row.CustomerId == null : row.CustomerId == customer)));
    }

    /// <summary>Why the reader may not change a view; null: they may. The endpoints and the pages go by it.</summary>
    private static string? Hindrance(SavedView view, HttpContext http) =>
        view.Owner == Owner(http) || Scopes.Include(http.User.FindFirst("scope")?.Value ?? "", "identity:write") ? null : "Only who made it, or somebody with identity:write, changes it.";

    private static ViewItem Item(SavedView view, HttpContext http)
    {
        var hindrance = Hindrance(view, http);
        return new ViewItem(
            view.Id, view.List, view.Name, view.Query, view.IsShared, view.IsDefault && view.Owner == Owner(http), view.Owner, view.CreatedAt, view.Version,
            [new AllowedAction("change", hindrance is null, hindrance), new AllowedAction("delete", hindrance is null, hindrance)]);
    }

    private static string Owner(HttpContext http) => http.User.FindFirst("sub")!.Value;

    private static AuditFact Fact(SavedView view, string type) =>
        new(type, view.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "view", view.Id.ToString()) { CustomerId = view.CustomerId };
}
