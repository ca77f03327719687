using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.People;

/// <summary><c>/api/v1/identity/people</c>: who may sign in, and as what. Nobody changes anybody who may do what they may not.</summary>
internal static class PeopleApi
{
    /// <summary>What changing people needs.</summary>
    public const string Right = "identity:write";

    /// <summary>Why nobody changes the roles of a federated person.</summary>
    public const string FederatedRoles = "Its provider's groups give it its roles, anew at each sign-in. Change the groups there.";

    /// <summary>Why nobody gives a federated person a way back.</summary>
    public const string FederatedRecovery = "Its provider signs it in: there is no password here to set anew. A lost authenticator is forgotten instead.";

    private const string LastAdministrator = "This is the only administrator who may sign in. Make another one first.";

    private static readonly ListOrders<Person> Orders = new ListOrders<Person>("name")
        .By("name", row => row.Name, row => row.Id).By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/roles", ListRoles).RequireScope("identity:read").WithName("ListRoles").WithSummary("The roles that people can hold").Produces<IReadOnlyList<RoleItem>>();
        var people = api.MapGroup("/people");
        people.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListPeople").WithSummary("Who may sign in, by name").Lists((PersonItem row) => row.Id.ToString()).Produces<Page<PersonItem>>().SortedBy(Orders);
        people.MapGet("/{id:guid}", GetAsync).RequireScope("identity:read").Shows("person", static (ControlPlaneDbContext db, Guid id) => db.Set<Person>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetPerson").WithSummary("One person, with the roles it ever held").Produces<PersonDetail>();
        people.MapPut("/{id:guid}/roles", ChangeRolesAsync).RequireScope(Right).WithName("ChangePersonRoles").WithSummary("Say which roles are given to a person itself from now on").Produces(StatusCodes.Status204NoContent);
        people.MapPost("/{id:guid}/disable", DisableAsync).RequireScope(Right).WithName("DisablePerson").WithSummary("Let a person sign in no more; its sessions and tokens end").Produces(StatusCodes.Status204NoContent);
        people.MapPost("/{id:guid}/enable", EnableAsync).RequireScope(Right).WithName("EnablePerson").WithSummary("Let a person sign in again").Produces(StatusCodes.Status204NoContent);
        people.MapPost("/{id:guid}/end-sessions", SignOutAsync).RequireScope(Right).WithName("EndPersonSessions").WithSummary("Sign a person out everywhere").Produces(StatusCodes.Status204NoContent);
        people.MapPost("/{id:guid}/recover", RecoverAsync).RequireScope(Right).WithName("RecoverPerson").WithSummary("Give a person who lost password or device a way back; its code is shown once and sent by mail").Produces<CreatedInvitation>();
        people.MapPost("/{id:guid}/forget-authenticator", ForgetAuthenticatorAsync).RequireScope(Right).WithName("ForgetPersonAuthenticator").WithSummary("Let a federated person who lost authenticator or passkeys begin anew at its next sign-in").Produces(StatusCodes.Status204NoContent);
        PersonSessions.Map(people);
    }

    /// <summary>Which of these roles somebody cannot be given, and why.</summary>
    public static IEnumerable<FieldError> RoleMistakes(IReadOnlyList<string> roles, string kind, ClaimsPrincipal reader)
    {
        var granted = reader.FindFirst("scope")?.Value ?? "";
        for (var i = 0; i < roles.Count; i++)
        {
            if (RoleBook.Find(roles[i]) is not { } role || role.Kind != kind)
            {
                yield return new FieldError($"/roles/{i}", "unknown-role", $"There is no such role for {(kind == Person.Staff ? "staff" : "a customer's user")}.");
            }
            else if (!RoleBook.MayGrant(granted, role))
            {
                yield return new FieldError($"/roles/{i}", "beyond-your-own", $"You may not do all that a {role.Title.ToLowerInvariant()} may.");
            }
        }
    }

    /// <summary>Ends all sessions of a person but one, within the open transaction.</summary>
    public static Task<int> EndSessionsAsync(ControlPlaneDbContext db, Guid personId, Guid? except, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.Set<Session>().Where(row => row.PersonId == personId && row.EndedAt == null && row.Id != except).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now), cancellationToken);

    private static IResult ListRoles(ClaimsPrincipal reader, ControlPlaneDbContext db)
    {
        var granted = reader.FindFirst("scope")?.Value ?? "";
        return TypedResults.Ok<IReadOnlyList<RoleItem>>([.. RoleBook.All.Where(role => db.Scope.IsAll || role.Kind == Person.CustomerUser).Select(role => new RoleItem(role.Name, role.Title, role.Kind, role.Scopes, RoleBook.MayGrant(granted, role)))]);
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, string? kind, string? q, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = kind is null ? query : query.Where(row => row.Kind == kind);
        var now = time.GetUtcNow();
        return await Orders.PageAsync<PersonItem>(list, query.Holding(row => row.Name, q), async rows =>
        {
            var facts = await PersonFacts.OfAsync(db, [.. rows.Select(row => row.Id)], now, cancellationToken);
            return [.. rows.Select(row => facts.Describe(row, reader, now))];
        }, cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } person)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        var facts = await PersonFacts.OfAsync(db, [id], now, cancellationToken);
        var history = await db.Set<HeldRole>().AsNoTracking().Where(row => row.PersonId == id).OrderByDescending(row => row.Since).ThenBy(row => row.Role).Take(200).ToListAsync(cancellationToken);
        var groups = await HeldRoles.GroupNamesAsync(db, history, cancellationToken);
        return TypedResults.Ok(new PersonDetail(facts.Describe(person, reader, now), HeldRoles.History(history, groups)));
    }

    private static Task<IResult> ChangeRolesAsync(Guid id, ChangeRolesRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http.User, db, time, async (person, held, now) =>
        {
            var roles = request.Roles!.Distinct(StringComparer.Ordinal).ToList();
            var direct = held.Where(row => row.IsDirect).ToList();
            var through = HeldRoles.Names(held.Where(row => !row.IsDirect));
            var errors = RoleMistakes(roles, person.Kind, http.User).ToList();
            if (roles.Count == 0 && through.Count == 0)
            {
                errors.Add(new FieldError("/roles", "required", "Somebody who is in no group that gives a role needs one at least."));
            }

            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            if (person.IsFederated)
            {
                return Problems.Of(ProblemCodes.Conflict, FederatedRoles);
            }

            IReadOnlyList<string> all = [.. roles.Union(through).Order(StringComparer.Ordinal)];
            if (!all.Contains(RoleBook.Administrator) && await IsLastAdministratorAsync(db, person, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, LastAdministrator);
            }

            if (await guard.DemandAsync(http, db, StepUp.ChangeRoles(id, roles), $"From now on {person.Name} ({person.Email}) holds {TitlesOf(roles)}{(through.Count == 0 ? "" : $", and through groups {TitlesOf(through)}")}.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            direct.Where(row => !roles.Contains(row.Role)).ToList().ForEach(row => row.Until = now);
            db.AddRange(roles.Except(direct.Select(row => row.Role)).Select(role => new HeldRole { PersonId = id, Role = role, Since = now }));
            person.Renew();
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == id), events, RoleBook.ScopesOf(all), "its person holds other roles now", null, now, cancellationToken);
            await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.InvitedBy == person.Subject), events, "who invited holds other roles now", now, cancellationToken);
            events.Publish(person.ToEvent());
            events.Audit(person.Fact("identity.person-roles-changed") with { Reason = request.Reason, Changes = [Change.Replace("/roles", HeldRoles.Names(held), all), .. through.Count == 0 ? Array.Empty<AuditChange>() : [Change.Replace("/direct", HeldRoles.Names(direct), roles.Order(StringComparer.Ordinal).ToList())]] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> DisableAsync(Guid id, PersonActionRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, reader, db, time, async (person, _, now) =>
        {
            if (person.DisabledAt is not null)
            {
                return TypedResults.NoContent();
            }

            if (person.Subject == reader.FindFirst("sub")?.Value)
            {
                return Problems.Of(ProblemCodes.Conflict, "Nobody disables themselves; somebody else can.");
            }

            if (await IsLastAdministratorAsync(db, person, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, LastAdministrator);
            }

            person.Disable(now);
            await EndSessionsAsync(db, id, null, now, cancellationToken);
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == id), events, null, "its person was disabled", null, now, cancellationToken);
            await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.InvitedBy == person.Subject || row.PersonId == id), events, "who invited was disabled", now, cancellationToken);
            events.Publish(person.ToEvent());
            events.Audit(person.Fact("identity.person-disabled") with { Reason = request.Reason, Changes = [Change.Add("/disabledAt", now)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> EnableAsync(Guid id, PersonActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http.User, db, time, async (person, held, _) =>
        {
            if (person.DisabledAt is { } since)
            {
                var roles = HeldRoles.Names(held);
                if (await guard.DemandAsync(http, db, StepUp.Enable(id, roles), $"{person.Name} ({person.Email}) may sign in again, with all that it had: {TitlesOf(roles)}.", cancellationToken) is { } unproven)
                {
                    return unproven;
                }

                person.Enable();
                events.Publish(person.ToEvent());
                events.Audit(person.Fact("identity.person-enabled") with { Reason = request.Reason, Changes = [Change.Remove("/disabledAt", since)] });
            }

            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> SignOutAsync(Guid id, PersonActionRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, reader, db, time, async (person, _, now) =>
        {
            var count = await EndSessionsAsync(db, id, null, now, cancellationToken);
            person.Renew();
            events.Publish(person.ToEvent());
            events.Audit(person.Fact("identity.person-signed-out") with { Reason = request.Reason, Changes = [Change.Remove("/sessions", count)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> RecoverAsync(Guid id, PersonActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, FactorBook factors, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http.User, db, time, async (person, held, now) =>
        {
            if (person.DisabledAt is not null)
            {
                return Problems.Of(ProblemCodes.Conflict, "The person is disabled; enable it first.");
            }

            if (person.IsFederated)
            {
                return Problems.Of(ProblemCodes.Conflict, FederatedRecovery);
            }

            if (await guard.DemandAsync(http, db, StepUp.Recover(id), $"{person.Name} ({person.Email}) gets a way back: whoever holds its code becomes that person.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.PersonId == id), events, "a newer one takes its place", now, cancellationToken);
            var invitation = Invitation.Create(factors, person.Email, person.Name, person.Kind, person.CustomerId, HeldRoles.Names(held), person, http.User.FindFirst("sub")!.Value, now, out var code);
            InvitationsApi.Add(db, events, invitation, code, options.Value, request.Reason, now);
            return TypedResults.Ok(new CreatedInvitation(invitation.Id, db.Scope.IsAll ? code : null, invitation.ExpiresAt));
        }, cancellationToken);

    private static Task<IResult> ForgetAuthenticatorAsync(Guid id, PersonActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http.User, db, time, async (person, _, now) =>
        {
            if (ForgetAuthenticator.Hindrance(person, await db.Set<Authenticator>().AnyAsync(row => row.PersonId == id && row.ConfirmedAt != null, cancellationToken) || await db.Set<Passkey>().AnyAsync(row => row.PersonId == id, cancellationToken)) is { } why)
            {
                return Problems.Of(ProblemCodes.Conflict, why);
            }

            if (await guard.DemandAsync(http, db, StepUp.Recover(id), $"{person.Name} loses authenticator and passkeys, and sets up another authenticator at the next sign-in: whoever the provider takes for that person does.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            await ForgetAuthenticator.ForgetAsync(db, events, person, request.Reason, now, cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    /// <summary>Makes a change of somebody in one transaction, if the reader sees that person and may do all that it may.</summary>
    public static async Task<IResult> ChangeAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, Func<Person, List<HeldRole>, DateTimeOffset, Task<IResult>> change, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);

        // Administrators with them: two who stop each other must not both find the other one there.
        var administrators = await db.Set<HeldRole>().Where(row => row.Role == RoleBook.Administrator && row.Until == null).Select(row => row.PersonId).ToListAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, reader, [id, .. administrators], cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } person)
        {
            return Problems.NotFound();
        }

        var held = await db.Set<HeldRole>().Where(row => row.PersonId == id && row.Until == null).ToListAsync(cancellationToken);
        if (Beyond(reader, held.Select(row => row.Role)) is { } why)
        {
            return Problems.Of(ProblemCodes.Conflict, why);
        }

        var result = await change(person, held, time.GetUtcNow());
        if (result is IStatusCodeHttpResult { StatusCode: < 300 })
        {
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }
            catch (DbUpdateConcurrencyException)
            {
                return Problems.Of(ProblemCodes.Conflict, "Somebody else changed this person at the same moment. Look again.");
            }
        }

        return result;
    }

    /// <summary>Why a reader may not act on somebody with these roles; null: it may. Else whoever may write would make themselves administrator by recovering one.</summary>
    public static string? Beyond(ClaimsPrincipal reader, IEnumerable<string> roles) =>
        Scopes.Lacking(reader, Right) ?? (roles.Select(RoleBook.Find).OfType<PersonRole>().All(role => RoleBook.MayGrant(reader.FindFirst("scope")!.Value, role)) ? null : "This person may do what you may not.");

    /// <summary>Roles in words.</summary>
    public static string TitlesOf(IReadOnlyCollection<string> roles) => roles.Count == 0 ? "no role" : string.Join(", ", roles.Select(role => RoleBook.Find(role)?.Title ?? role));

    // Federated ones do not count: a provider that is silent, or groups that somebody changed there, would lock everybody out.
    private static async Task<bool> IsLastAdministratorAsync(ControlPlaneDbContext db, Person person, CancellationToken cancellationToken)
    {
        var administrators = await (from role in db.Set<HeldRole>()
                                    join other in db.Set<Person>() on role.PersonId equals other.Id
                                    where role.Role == RoleBook.Administrator && role.Until == null && other.DisabledAt == null && other.EmailKey != null
                                    select other.Id).Distinct().Take(2).ToListAsync(cancellationToken);
        return administrators is [var only] && only == person.Id;
    }

    /// <summary>Whom the reader sees: everybody, or the people of its customer.</summary>
    public static IQueryable<Person> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Person>().Where(row => all || row.CustomerId == customer);
    }
}
