using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Programs;

/// <summary>Rights that a service account gets after it was made: one person asks for one, another one grants it, neither of whom answers for the account or made it.</summary>
internal static class ScopeRequestsApi
{
    /// <summary>Of one account, so that nobody buries the one that matters.</summary>
    private const int MostOpen = 20;

    public static void Map(IEndpointRouteBuilder accounts)
    {
        var requests = accounts.MapGroup("/{id:guid}/scope-requests");
        requests.MapPost("/", AskAsync).RequireScope(TokensApi.Right).WithName("AskServiceAccountScope").WithSummary("Ask one right for a service account; somebody else grants it").Produces<AskedScope>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        requests.MapPost("/{request:guid}/grant", GrantAsync).RequireScope(TokensApi.Right).WithName("GrantServiceAccountScope").WithSummary("Grant a right that somebody else asked for").Produces(StatusCodes.Status204NoContent);
        requests.MapPost("/{request:guid}/refuse", RefuseAsync).RequireScope(TokensApi.Right).WithName("RefuseServiceAccountScope").WithSummary("Refuse a right that somebody asked for").Produces(StatusCodes.Status204NoContent);
        requests.MapPost("/{request:guid}/withdraw", WithdrawAsync).RequireScope(TokensApi.Right).WithName("WithdrawServiceAccountScope").WithSummary("Withdraw what one asked for").Produces(StatusCodes.Status204NoContent);
    }

    private static Task<IResult> AskAsync(Guid id, AskScopeRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            if (Actor.IdOf(http.User) is null)
            {
                return Problems.Of(ProblemCodes.StepUpImpossible, "A person asks for this and another one grants it; no program does. Sign in to the portal.");
            }

            List<FieldError> errors = [];
            if (!ApiScopes.IsKnown(request.Scope!))
            {
                errors.Add(new FieldError("/scope", "not-a-scope", "There is no such right that a service account could have; none may do everything."));
            }

            if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
            {
                errors.Add(mistake);
            }

            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            var now = time.GetUtcNow();
            var open = await db.Set<ScopeRequest>().AsNoTracking().Where(row => row.AccountId == id && row.State == ScopeRequest.Asked && row.ExpiresAt > now).Select(row => row.Scope).ToListAsync(cancellationToken);
            if (account.ScopeList().Contains(request.Scope) || open.Contains(request.Scope!) || open.Count >= MostOpen)
            {
                return Problems.Of(ProblemCodes.Conflict, account.ScopeList().Contains(request.Scope) ? "The account holds this right already." : open.Contains(request.Scope!) ? "This was asked for already and is not decided." : $"{MostOpen} rights were asked for and are not decided.");
            }

            var asked = new ScopeRequest { Id = Guid.CreateVersion7(now), AccountId = id, Scope = request.Scope!, Reason = reason, AskedBy = http.User.FindFirst("sub")!.Value, AskedAt = now, ExpiresAt = now + ScopeRequest.Life };
            db.Add(asked);
            events.Audit(account.Fact("identity.scope-asked") with { Reason = reason, Changes = [Change.Add("/request", asked.Id), Change.Add("/scope", asked.Scope)] });
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"somebody asks that it may {asked.Scope}.", now, cancellationToken);
            return TypedResults.Created($"/api/v1/identity/service-accounts/{id}", new AskedScope(asked.Id, asked.ExpiresAt));
        }, cancellationToken);

    private static Task<IResult> GrantAsync(Guid id, Guid request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        DecideAsync(id, request, http, db, async (account, asked) =>
        {
            var now = time.GetUtcNow();
            if (Actor.IdOf(http.User) is null)
            {
                return Problems.Of(ProblemCodes.StepUpImpossible, "A person grants this, who confirms it; no program does. Sign in to the portal.");
            }

            var former = await FormerOwner.OfAsync(db, id, now, cancellationToken);
            if (asked.NoGranting(account, former, http.User, now) is { } hindrance)
            {
                return Problems.Of(ProblemCodes.Conflict, hindrance);
            }

            // What somebody asked who was stopped since, or may no longer, nobody vouches for any more.
            if (!await AskerStandsAsync(db, asked, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, "Whoever asked for this was disabled, or may not ask for it any more. Refuse it; somebody else may ask anew.");
            }

            if (await DoubtAsync(db, account, former, asked, Actor.IdOf(http.User)!.Value, now, cancellationToken) is { } doubt)
            {
                return Problems.Of(ProblemCodes.Conflict, doubt);
            }

            var text = $"The service account “{account.Name}” may {asked.Scope} from now on. It was asked for because: {asked.Reason}";
            if (await guard.DemandAsync(http, db, StepUp.Grant(id, asked.Id, asked.Scope), text, cancellationToken) is { } unproven)
            {
                return unproven;
            }

            asked.Decide(ScopeRequest.Granted, http.User.FindFirst("sub")!.Value, now);
            account.Give(asked.Scope);
            events.Publish(account.ToEvent());
            events.Audit(account.Fact("identity.scope-granted") with { Reason = asked.Reason, Changes = [Change.Add("/request", asked.Id), Change.Add("/scopes", asked.Scope), Change.Add("/askedBy", asked.AskedBy)] });
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"it may {asked.Scope} from now on.", now, cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> RefuseAsync(Guid id, Guid request, ServiceAccountActionRequest body, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        DecideAsync(id, request, http, db, async (account, asked) =>
        {
            var now = time.GetUtcNow();
            if (asked.NoDeciding(now) is { } hindrance)
            {
                return Problems.Of(ProblemCodes.Conflict, hindrance);
            }

            asked.Decide(ScopeRequest.Refused, http.User.FindFirst("sub")!.Value, now);
            events.Audit(account.Fact("identity.scope-refused") with { Reason = body.Reason, Changes = [Change.Add("/request", asked.Id), Change.Add("/scope", asked.Scope)] });
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"it was refused that it may {asked.Scope}.", now, cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> WithdrawAsync(Guid id, Guid request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        DecideAsync(id, request, http, db, (account, asked) =>
        {
            var now = time.GetUtcNow();
            if ((http.User.FindFirst("sub")?.Value == asked.AskedBy ? asked.NoDeciding(now) : "Whoever asked withdraws it.") is { } hindrance)
            {
                return Task.FromResult(Problems.Of(ProblemCodes.Conflict, hindrance));
            }

            asked.Decide(ScopeRequest.Withdrawn, asked.AskedBy, now);
            events.Audit(account.Fact("identity.scope-withdrawn") with { Changes = [Change.Add("/request", asked.Id), Change.Add("/scope", asked.Scope)] });
            return Task.FromResult<IResult>(TypedResults.NoContent());
        }, cancellationToken);

    private static async Task<bool> AskerStandsAsync(ControlPlaneDbContext db, ScopeRequest asked, CancellationToken cancellationToken)
    {
        var id = Guid.Parse(asked.AskedBy["person:".Length..]);
        var roles = await db.Set<HeldRole>().AsNoTracking().Where(row => row.PersonId == id && row.Until == null).Select(row => row.Role).ToListAsync(cancellationToken);
        return Scopes.Include(RoleBook.ScopesOf(roles), TokensApi.Right) && await db.Set<Person>().AnyAsync(row => row.Id == id && row.DisabledAt == null, cancellationToken);
    }

    /// <summary>Why a granter may be the same human as one of those it is to be another than; null: nothing says so. Whoever may invite could make itself a second person within a minute.</summary>
    private static async Task<string?> DoubtAsync(ControlPlaneDbContext db, ServiceAccount account, IReadOnlyList<Guid> former, ScopeRequest asked, Guid granterId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var granter = await db.Set<Person>().AsNoTracking().SingleAsync(row => row.Id == granterId, cancellationToken);
        string[] subjects = [asked.AskedBy, account.MadeBy, Person.SubjectOf(account.OwnerId), .. former.Select(Person.SubjectOf)];
        var ids = subjects.Where(one => one.StartsWith("person:", StringComparison.Ordinal)).Select(one => Guid.Parse(one["person:".Length..])).ToList();
        var addresses = await db.Set<Person>().AsNoTracking().Where(row => ids.Contains(row.Id) && row.Email != "").Select(row => row.Email).ToListAsync(cancellationToken);
        if (addresses.Contains(granter.Email, StringComparer.OrdinalIgnoreCase))
        {
            return "You have the mail address of whoever asked for it, made the account, answers for it or did lately; somebody else grants it.";
        }

        if (granter.IsFederated && granter.CreatedAt > asked.AskedAt)
        {
            return "You came after this was asked for; somebody else grants it.";
        }

        var since = now - ScopeRequest.Life;
        return await db.Set<Invitation>().AnyAsync(row => row.AcceptedAt > since && subjects.Contains(row.InvitedBy) && (row.PersonId == granterId || row.Email == granter.Email), cancellationToken)
            ? "Whoever asked for it, made the account, answers for it or did lately invited you, or gave you a way back, within the last week; somebody else grants it." : null;
    }

    private static Task<IResult> DecideAsync(Guid id, Guid request, HttpContext http, ControlPlaneDbContext db, Func<ServiceAccount, ScopeRequest, Task<IResult>> decide, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
            await db.Set<ScopeRequest>().SingleOrDefaultAsync(row => row.Id == request && row.AccountId == id, cancellationToken) is { } asked ? await decide(account, asked) : Problems.NotFound(), cancellationToken);
}
