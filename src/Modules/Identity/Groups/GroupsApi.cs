using System.Data.Common;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Groups;

/// <summary><c>/api/v1/identity/groups</c>: who holds which roles together, without a provider. The same rules hold as for the roles of one person.</summary>
internal static class GroupsApi
{
    private static readonly ListOrders<Group> Orders = new ListOrders<Group>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var groups = api.MapGroup("/groups");
        groups.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListGroups").WithSummary("Groups of people, by name").Lists((GroupItem row) => row.Id.ToString()).Produces<Page<GroupItem>>().SortedBy(Orders);
        groups.MapGet("/{id:guid}", GetAsync).RequireScope("identity:read").Shows("group", static (ControlPlaneDbContext db, Guid id) => db.Set<Group>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetGroup").WithSummary("One group, with its people").Produces<GroupDetail>();
        groups.MapPost("/", CreateAsync).RequireScope(PeopleApi.Right).WithName("CreateGroup").WithSummary("Make a group, and give its people its roles").Produces<CreatedGroup>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        groups.MapPut("/{id:guid}", ChangeAsync).RequireScope(PeopleApi.Right).WithName("ChangeGroup").WithSummary("Set a group as a whole; its people hold its roles from now on; needs If-Match").Produces(StatusCodes.Status204NoContent);
        groups.MapPost("/{id:guid}/remove", RemoveAsync).RequireScope(PeopleApi.Right).WithName("RemoveGroup").WithSummary("Remove a group; what its people hold through it ends").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, string? q, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        return await Orders.PageAsync<GroupItem>(list, (customer is null ? query : query.Where(row => row.CustomerId == customer)).Holding(row => row.Name, q), async rows =>
        {
            var ids = rows.Select(row => row.Id).ToList();
            var counts = await db.Set<GroupMember>().Where(row => ids.Contains(row.GroupId)).GroupBy(row => row.GroupId).Select(members => new { members.Key, Count = members.Count() }).ToDictionaryAsync(row => row.Key, row => row.Count, cancellationToken);
            return [.. rows.Select(row => row.ToItem(reader, counts.GetValueOrDefault(row.Id)))];
        }, cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, HttpResponse response, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } group)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        var people = await db.Set<Person>().AsNoTracking().Where(row => db.Set<GroupMember>().Any(member => member.GroupId == id && member.PersonId == row.Id)).OrderBy(row => row.Name).ThenBy(row => row.Id).ToListAsync(cancellationToken);
        response.Headers.ETag = Etags.Of(group.Version);
        return TypedResults.Ok(new GroupDetail(group.ToItem(reader, people.Count), people.ConvertAll(row => new GroupMemberItem(row.Id, row.Name, row.Email, row.StateAt(now)))));
    }

    private static async Task<IResult> CreateAsync(SetGroupRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        if (TooMany(request) is { } tooMany)
        {
            return tooMany;
        }

        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await StandsAsync(db, http.User, null, request.Members!, cancellationToken))
        {
            return Ended();
        }

        var customer = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var errors = await MistakesAsync(request, id, customer, http.User, db, cancellationToken);
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (await db.Set<Group>().CountAsync(row => row.CustomerId == customer && row.RemovedAt == null, cancellationToken) >= Group.Most)
        {
            return Problems.Of(ProblemCodes.Conflict, $"There are {Group.Most} groups; remove one first.");
        }

        var (name, roles, members) = Read(request);
        var effect = await GroupEffect.OfAsync(db, id, roles, members, now, cancellationToken);
        if (await RefusalAsync(effect, StepUp.SetGroup(customer, null, name, roles, members), Words(name, roles, members), http, db, guard, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        var group = new Group { Id = id, CustomerId = customer, Name = name, NameKey = Group.KeyOf(customer, name), Description = (request.Description ?? "").Trim(), Roles = string.Join(' ', roles), CreatedAt = now };
        db.Add(group);
        await effect.ApplyAsync(db, events, ReasonOf(group, request.Reason), now, cancellationToken);
        events.Audit(group.Fact("identity.group-created") with { Reason = request.Reason, Changes = [Change.Add("/name", name), Change.Add("/description", group.Description), Change.Add("/roles", roles), Change.Add("/members", members)] });
        return await SaveAsync(db, transaction.CommitAsync, cancellationToken) ?? TypedResults.Created($"/api/v1/identity/groups/{id}", new CreatedGroup(id));
    }

    private static async Task<IResult> ChangeAsync(Guid id, SetGroupRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        if (TooMany(request) is { } tooMany)
        {
            return tooMany;
        }

        return await WithAsync(id, request.Members!, http, db, async group =>
        {
            if (Etags.Mismatch(http.Request, group.Version) is { } mismatch)
            {
                return mismatch;
            }

            var errors = await MistakesAsync(request, id, group.CustomerId, http.User, db, cancellationToken);
            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            var now = time.GetUtcNow();
            var (name, roles, members) = Read(request);
            var effect = await GroupEffect.OfAsync(db, id, roles, members, now, cancellationToken);
            if (await RefusalAsync(effect, StepUp.SetGroup(group.CustomerId, id, name, roles, members), Words(name, roles, members), http, db, guard, cancellationToken) is { } refusal)
            {
                return refusal;
            }

            var before = (group.Name, group.Description, Roles: group.RoleList());
            group.Set(name, (request.Description ?? "").Trim(), roles);
            await effect.ApplyAsync(db, events, ReasonOf(group, request.Reason), now, cancellationToken);
            events.Audit(group.Fact("identity.group-changed") with
            {
                Reason = request.Reason,
                Changes =
                [
                    Change.Replace("/name", before.Name, name), Change.Replace("/description", before.Description, group.Description), Change.Replace("/roles", before.Roles, roles),
                    .. effect.Joined.Select(one => Change.Add("/members/-", one)), .. effect.Left.Select(one => Change.Remove("/members", one)),
                ],
            });
            return TypedResults.NoContent();
        }, cancellationToken);
    }

    private static Task<IResult> RemoveAsync(Guid id, GroupActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        WithAsync(id, [], http, db, async group =>
        {
            if (Etags.Moved(http.Request, group.Version) is { } moved)
            {
                return moved;
            }

            var now = time.GetUtcNow();
            var effect = await GroupEffect.OfAsync(db, id, [], [], now, cancellationToken);
            if (await RefusalAsync(effect, StepUp.RemoveGroup(id, effect.Left), $"The group “{group.Name}” is removed.", http, db, guard, cancellationToken) is { } refusal)
            {
                return refusal;
            }

            group.Remove(now);
            await effect.ApplyAsync(db, events, ReasonOf(group, request.Reason), now, cancellationToken);
            events.Audit(group.Fact("identity.group-removed") with { Reason = request.Reason, Changes = [Change.Remove("/name", group.Name), Change.Remove("/roles", group.RoleList()), Change.Remove("/members", effect.Left)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    /// <summary>Changes a group in one transaction, in which nobody else changes it or any of its people.</summary>
    private static async Task<IResult> WithAsync(Guid id, IReadOnlyList<Guid> members, HttpContext http, ControlPlaneDbContext db, Func<Group, Task<IResult>> change, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await StandsAsync(db, http.User, id, members, cancellationToken))
        {
            return Ended();
        }

        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } group)
        {
            return Problems.NotFound();
        }

        if (group.Hindrance(http.User) is { } why)
        {
            return Problems.Of(ProblemCodes.Conflict, why);
        }

        var result = await change(group);
        return result is IStatusCodeHttpResult { StatusCode: < 300 } ? await SaveAsync(db, transaction.CommitAsync, cancellationToken) ?? result : result;
    }

    /// <summary>
    /// Whether the caller still is who its token says. The group is locked before any person: two who change it and share people then
    /// wait for each other. Administrators are locked with them, so that two who take it from each other do not both find the other one there.
    /// </summary>
    private static async Task<bool> StandsAsync(ControlPlaneDbContext db, ClaimsPrincipal caller, Guid? id, IReadOnlyList<Guid> members, CancellationToken cancellationToken)
    {
        if (id is { } group)
        {
            await db.Dialect.LockRowsAsync(db, "identity_group", ["id"], [[group]], cancellationToken);
        }

        var administrators = await db.Set<HeldRole>().Where(row => row.Role == RoleBook.Administrator && row.Until == null).Select(row => row.PersonId).ToListAsync(cancellationToken);
        var until = await db.Set<GroupMember>().Where(row => row.GroupId == id).Select(row => row.PersonId).ToListAsync(cancellationToken);
        return await Actor.StandsAsync(db, caller, [.. members, .. until, .. administrators], cancellationToken);
    }

    /// <summary>Why it is not done: the caller may not, or has not confirmed it. What changes nobody's roles is not confirmed.</summary>
    private static async Task<IResult?> RefusalAsync(GroupEffect effect, StepUpSubject subject, string words, HttpContext http, ControlPlaneDbContext db, StepUpGuard guard, CancellationToken cancellationToken) =>
        await effect.HindranceAsync(db, http.User, cancellationToken) is { } why ? Problems.Of(ProblemCodes.Conflict, why)
            : effect.TouchesRoles ? await guard.DemandAsync(http, db, subject, $"{words} {effect.InWords()}", cancellationToken) : null;

    private static async Task<IResult?> SaveAsync(ControlPlaneDbContext db, Func<CancellationToken, Task> commit, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            await commit(cancellationToken);
            return null;
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || (exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database)))
        {
            return Problems.Of(ProblemCodes.Conflict, "Somebody else changed a group or somebody in it at the same moment. Look again.");
        }
    }

    private static IResult? TooMany(SetGroupRequest request) => request.Members!.Count <= Group.MostMembers ? null
        : Problems.Invalid([new FieldError("/members", "too-many", $"At most {Group.MostMembers} people are in one group.")]);

    private static async Task<IReadOnlyList<FieldError>> MistakesAsync(SetGroupRequest request, Guid id, Guid? customer, ClaimsPrincipal caller, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var errors = PeopleApi.RoleMistakes(request.Roles!, Group.KindOf(customer), caller).ToList();
        if (request.CustomerId is { } asked && asked != customer)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours; a group stays its owner's."));
        }

        var (name, _, members) = Read(request);
        var key = Group.KeyOf(customer, name);
        if (await db.Set<Group>().AnyAsync(row => row.NameKey == key && row.Id != id, cancellationToken))
        {
            errors.Add(new FieldError("/name", "taken", "Another group is called so."));
        }

        var known = await db.Set<Person>().AsNoTracking().Where(row => members.Contains(row.Id) && row.CustomerId == customer).Select(row => new { row.Id, IsFederated = row.EmailKey == null }).ToDictionaryAsync(row => row.Id, row => row.IsFederated, cancellationToken);
        foreach (var (i, one) in request.Members!.Index())
        {
            if (!known.TryGetValue(one, out var isFederated))
            {
                errors.Add(new FieldError($"/members/{i}", "unknown-person", $"There is no such person among {(customer is null ? "the vendor's staff" : "the customer's users")}."));
            }
            else if (isFederated)
            {
                errors.Add(new FieldError($"/members/{i}", "federated", PeopleApi.FederatedRoles));
            }
        }

        return errors;
    }

    private static (string Name, IReadOnlyList<string> Roles, IReadOnlyList<Guid> Members) Read(SetGroupRequest request) =>
        (request.Name!.Trim(), [.. request.Roles!.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], [.. request.Members!.Distinct().Order()]);

    private static string Words(string name, IReadOnlyCollection<string> roles, IReadOnlyCollection<Guid> members) =>
        $"The group “{name}” gives {PeopleApi.TitlesOf(roles)} to {(members.Count switch { 0 => "nobody", 1 => "one person", var count => $"{count} people" })}.";

    private static string ReasonOf(Group group, string? reason) => string.IsNullOrWhiteSpace(reason) ? $"the group {group.Name}" : $"the group {group.Name}: {reason}";

    private static IResult Ended() => Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");

    private static IQueryable<Group> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Group>().Where(row => row.RemovedAt == null && (all || row.CustomerId == customer));
    }
}
