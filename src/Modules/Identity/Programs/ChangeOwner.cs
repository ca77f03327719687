using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Programs;

/// <summary>
/// Somebody else answers for a service account. The owner is one of those who grant it nothing that takes two people, so what was
/// asked for under the one is withdrawn, and whoever answered for it a moment ago is still one of them.
/// </summary>
internal static class ChangeOwner
{
    public static void Map(IEndpointRouteBuilder accounts) =>
        accounts.MapPost("/{id:guid}/owner", ChangeAsync).RequireScope(TokensApi.Right).WithName("ChangeServiceAccountOwner").WithSummary("Say who else answers for a service account; what was asked for it is withdrawn").Produces(StatusCodes.Status204NoContent);

    /// <summary>Who may answer for the accounts of a customer, or of staff: staff names whom it likes of its own or of the customer, a customer's user its own customer's.</summary>
    public static IQueryable<Person> MayOwn(ControlPlaneDbContext db, Guid? customerId)
    {
        var all = db.Scope.IsAll;
        return db.Set<Person>().AsNoTracking().Where(row => row.DisabledAt == null && (row.CustomerId == customerId || (all && row.CustomerId == null)));
    }

    private static Task<IResult> ChangeAsync(Guid id, ChangeOwnerRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            if (Actor.IdOf(http.User) is null)
            {
                return Problems.Of(ProblemCodes.StepUpImpossible, "A person says who answers for it; no program does. Sign in to the portal.");
            }

            if (Etags.Moved(http.Request, account.Version) is { } moved)
            {
                return moved;
            }

            var owner = request.OwnerId is { } asked ? await MayOwn(db, account.CustomerId).SingleOrDefaultAsync(row => row.Id == asked, cancellationToken) : null;
            var mistake = Reasons.Mistake(request.Reason, out var reason);
            if (owner is null || mistake is not null)
            {
                var nobody = new FieldError("/ownerId", request.OwnerId is null ? "required" : "unknown-person", "Name a person who answers for it: one of the vendor's staff, or of the customer it is bound to.");
                return Problems.Invalid([.. owner is null ? [nobody] : Array.Empty<FieldError>(), .. mistake is null ? [] : new[] { mistake }]);
            }

            if (owner.Id == account.OwnerId)
            {
                return Problems.Of(ProblemCodes.Conflict, $"{owner.Name} answers for it already.");
            }

            if (await guard.DemandAsync(http, db, StepUp.ChangeOwner(id, owner.Id, account.ScopeList()), $"{owner.Name} answers for the service account “{account.Name}” from now on, and is told what happens to it.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            var (now, before) = (time.GetUtcNow(), account.OwnerId);
            await WithdrawAsync(db, events, account, http.User.FindFirst("sub")!.Value, now, cancellationToken);
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, "somebody else answers for it from now on, and what was asked for it is withdrawn.", now, cancellationToken);
            db.Add(new FormerOwner { AccountId = id, PersonId = before, Until = now });
            account.PassTo(owner.Id);
            events.Publish(account.ToEvent());
            events.Audit(account.Fact("identity.service-account-owner-changed") with { Reason = reason, Changes = [Change.Replace("/ownerId", before, owner.Id)] });
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, "it was somebody else until now. If that is wrong, say so to whoever manages people here.", now, cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    private static async Task WithdrawAsync(ControlPlaneDbContext db, IEvents events, ServiceAccount account, string by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var asked in await db.Set<ScopeRequest>().Where(row => row.AccountId == account.Id && row.State == ScopeRequest.Asked && row.ExpiresAt > now).ToListAsync(cancellationToken))
        {
            asked.Decide(ScopeRequest.Withdrawn, by, now);
            events.Audit(account.Fact("identity.scope-withdrawn") with { Reason = "somebody else answers for the account now", Changes = [Change.Add("/request", asked.Id), Change.Add("/scope", asked.Scope)] });
        }
    }
}
