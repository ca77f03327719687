using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Me;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Confirmation;

/// <summary><c>/api/v1/identity/me/confirmations</c>: what a program of one's own asks one to confirm. One reads it in the portal, in the words of the role that demands it, and the program gets a proof for its one request.</summary>
internal static class ConfirmationsApi
{
    private const string Over = "This waits no more: it was answered, or it is too old.";

    public static void Map(IEndpointRouteBuilder api)
    {
        var confirmations = api.MapGroup("/me/confirmations/{id:guid}").RequireAuthorization();
        confirmations.MapGet("/", GetAsync).WithName("GetConfirmation").WithSummary("What a program of one's own asks one to confirm").Produces<ConfirmationItem>();
        confirmations.MapPost("/answer", AnswerAsync).WithName("AnswerConfirmation").WithSummary("Confirm it, by the answer to a step-up begun for the same demand").Produces(StatusCodes.Status204NoContent);
        confirmations.MapPost("/refuse", RefuseAsync).WithName("RefuseConfirmation").WithSummary("Refuse it").Produces(StatusCodes.Status204NoContent);
        confirmations.MapPost("/proof", TakeAsync).WithName("TakeConfirmation").WithSummary("The proof, once, for the session that asked").Produces<StepUpProof>();
    }

    private static async Task<IResult> GetAsync(Guid id, [AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } self || await OfAsync(ask.Db, self.Person.Id, id, cancellationToken) is not { } asked)
        {
            return Problems.NotFound();
        }

        var agent = await ask.Db.Set<Session>().Where(row => row.Id == asked.SessionId).Select(row => row.Agent).SingleOrDefaultAsync(cancellationToken);
        return TypedResults.Ok(new ConfirmationItem(id, asked.Demand, asked.SessionId, agent, asked.AskedAt, asked.ExpiresAt, asked.StateAt(ask.Time.GetUtcNow())));
    }

    private static async Task<IResult> AnswerAsync(Guid id, StepUpRequest request, [AsParameters] StepUpCheck check, CancellationToken cancellationToken)
    {
        // Looked at before the passkey is: an answer to what waits no more uses nothing up.
        if (await StepUpApi.FindAsync(check.Db, check.Http.User, cancellationToken) is not { } person || await OfAsync(check.Db, person.Id, id, cancellationToken) is not { } asked)
        {
            return Problems.NotFound();
        }

        return asked.StateAt(check.Time.GetUtcNow()) != ConfirmationStates.Waiting ? Problems.Of(ProblemCodes.Conflict, Over)
            : await check.ProvenAsync(request, async proven =>
            {
                var (question, amr, now) = (proven.Question, proven.Amr, proven.At);
                if (await check.Db.Set<AskedConfirmation>()
                    .Where(row => row.Id == id && row.PersonId == person.Id && row.AnsweredAt == null && row.ExpiresAt > now && row.Audience == question.Audience && row.Purpose == question.Purpose && row.SubjectDigest == question.SubjectDigest)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.AnsweredAt, now).SetProperty(row => row.Factors, amr), cancellationToken) == 0)
                {
                    return Problems.Of(ProblemCodes.Conflict, "This waits no more, or the answer is to something else. Read it once more.");
                }

                check.Events.Audit(Fact("identity.confirmation-given", person, asked));
                return TypedResults.NoContent();
            });
    }

    private static Task<IResult> RefuseAsync(Guid id, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        Actor.IdOf(ask.Http.User) is null ? Task.FromResult(Problems.NotFound()) : ask.ChangeAsync(async self =>
        {
            var now = ask.Time.GetUtcNow();
            if (await OfAsync(ask.Db, self.Person.Id, id, cancellationToken) is not { } asked)
            {
                return Problems.NotFound();
            }

            if (await ask.Db.Set<AskedConfirmation>().Where(row => row.Id == id && row.AnsweredAt == null && row.ExpiresAt > now).ExecuteUpdateAsync(set => set.SetProperty(row => row.AnsweredAt, now), cancellationToken) == 0)
            {
                return Problems.Of(ProblemCodes.Conflict, Over);
            }

            ask.Events.Audit(Fact("identity.confirmation-refused", self.Person, asked) with { Outcome = AuditOutcome.Denied });
            return TypedResults.NoContent();
        });

    private static Task<IResult> TakeAsync(Guid id, [AsParameters] Asking ask, UserTokenKey key, CancellationToken cancellationToken) =>
        Actor.IdOf(ask.Http.User) is null ? Task.FromResult(Problems.NotFound()) : ask.ChangeAsync(async self =>
        {
            var now = ask.Time.GetUtcNow();
            if (await OfAsync(ask.Db, self.Person.Id, id, cancellationToken) is not { } asked || asked.SessionId != self.Session)
            {
                return Problems.NotFound();
            }

            if (asked.StateAt(now) != ConfirmationStates.Confirmed
                || await ask.Db.Set<AskedConfirmation>().Where(row => row.Id == id && row.TakenAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.TakenAt, now), cancellationToken) == 0)
            {
                return Problems.Of(ProblemCodes.Conflict, "It was not confirmed, its proof was fetched already, or that was more than two minutes ago.");
            }

            return TypedResults.Ok(StepUpCheck.ProofOf(asked.Demand, self.Person, asked.SessionId, asked.Factors!, asked.AnsweredAt!.Value, now, key));
        });

    private static Task<AskedConfirmation?> OfAsync(ControlPlaneDbContext db, Guid personId, Guid id, CancellationToken cancellationToken) =>
        db.Set<AskedConfirmation>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.PersonId == personId, cancellationToken);

    private static AuditFact Fact(string type, Person person, AskedConfirmation asked) =>
        person.Fact(type) with { Changes = [Change.Add("/confirmation", asked.Id), Change.Add("/session", asked.SessionId), Change.Add("/subjectDigest", asked.SubjectDigest)] };
}
