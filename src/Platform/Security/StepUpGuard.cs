using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Security;

/// <summary>
/// Guards what matters most: it is done only for somebody who has just proved, for exactly this, who it is. Whoever cannot, a person's own
/// token and a service account, is refused: else either would be a way around. Only what the bootstrap token made is asked for nothing, and
/// that ends when the first administrator signs in.
/// </summary>
public sealed class StepUpGuard
{
    /// <summary>What a proof that was used is written down as, beside the messages that were.</summary>
    private const string Used = "step-up";

    private readonly KnownTokens tokens;
    private readonly TimeProvider time;

    internal StepUpGuard(KnownTokens tokens, TimeProvider time) => (this.tokens, this.time) = (tokens, time);

    /// <summary>Uses up the caller's proof within the open transaction of what it permits.</summary>
    /// <param name="http">The request, with its proof in <see cref="StepUp.Header"/>.</param>
    /// <param name="db">In the transaction that the change is made in.</param>
    /// <param name="subject">What is to be proved.</param>
    /// <param name="text">The same in words, for whoever is to confirm it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null: go on; else the answer.</returns>
    /// <exception cref="InvalidOperationException">No transaction is open: a proof could be used up for nothing, or twice.</exception>
    public async Task<IResult?> DemandAsync(HttpContext http, ControlPlaneDbContext db, StepUpSubject subject, string text, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(subject);
        if (db.CurrentTransaction is null)
        {
            throw new InvalidOperationException("A proof is used up in the transaction of what it permits; none is open.");
        }

        if (http.User.FindFirst("owner") is not null)
        {
            return Problems.Of(ProblemCodes.StepUpImpossible, "This is done only by somebody who confirms it there and then; no token does. Sign in to the portal.");
        }

        // What matters most outlives whoever does it: a key, a person, a role. A program that was stopped must have left none of them.
        if (http.User.FindFirst("account") is not null)
        {
            return Problems.Of(ProblemCodes.StepUpImpossible, "A person does this, and confirms it; no service account does. Sign in to the portal.");
        }

        if (http.User.FindFirst("stamp") is null)
        {
            return null;
        }

        var module = http.GetEndpoint()!.Metadata.GetMetadata<InModule>()!.Module;
        var now = time.GetUtcNow();
        var demand = new StepUpDemand(module, subject.Purpose, subject.Digest, text);
        var proof = http.Request.Headers[StepUp.Header].ToString();
        if (proof.Length == 0)
        {
            return Ask(http, demand, now, "Prove at identity that it is you who wants exactly this, and repeat the request with the proof as MC-Step-Up.");
        }

        var keys = await tokens.UserKeysAsync(module, cancellationToken);
        if (StepUpProofs.Verify(proof, kid => keys.GetValueOrDefault(kid), now) is not { } claims || claims.Aud != module || claims.Purpose != subject.Purpose
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(claims.SubjectDigest), Encoding.UTF8.GetBytes(subject.Digest))
            || claims.Sub != http.User.FindFirst("sub")!.Value || claims.Sid != http.User.FindFirst("session")?.Value)
        {
            return Ask(http, demand, now, "The proof is for something else, is somebody else's, or is too old. Prove it once more.");
        }

        var used = new BulkRows(ModuleTablesModel.Inbox(module), ["consumer", "message_id", "applied_at"], ["consumer", "message_id"], [[Used, claims.Jti, now.ToUnixTimeMilliseconds()]]);
        return await db.Dialect.InsertIfAbsentAsync(db, used, cancellationToken) == 1 ? null : Ask(http, demand, now, "The proof was used already. Prove it once more.");
    }

    // A program without a browser has its person asked in the portal.
    private static IResult Ask(HttpContext http, StepUpDemand demand, DateTimeOffset now, string detail) =>
        demand.Text.Length <= StepUp.MostInPortal && http.Request.Headers[StepUp.AskHeader] == StepUp.InPortal && PersonOf(http) is { } person && Guid.TryParse(http.User.FindFirst("session")?.Value, out var session)
            ? new AskedInPortal(new AskToConfirm(Guid.CreateVersion7(now), person, session, demand, now), detail)
            : Problems.StepUp(demand, detail);

    private static Guid? PersonOf(HttpContext http) => http.User.FindFirst("sub")?.Value is { } subject && subject.StartsWith("person:", StringComparison.Ordinal) && Guid.TryParse(subject.AsSpan(7), out var id) ? id : null;

    /// <summary>Answers when what was asked for has been rolled back: the question is told in a transaction of its own, and stays.</summary>
    private sealed class AskedInPortal(AskToConfirm asked, string detail) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => ProblemCodes.StepUpRequired.Status;

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            // The transaction of a request with an Idempotency-Key is still open.
            if (httpContext.RequestServices.GetRequiredService<ControlPlaneDbContext>().CurrentTransaction is null)
            {
                await TellAsync(httpContext);
            }
            else
            {
                httpContext.Features.Set(new IdempotencyKeys.AfterTransaction(() => TellAsync(httpContext)));
            }

            await Problems.StepUp(asked.Demand with { Confirmation = asked.Id }, detail).ExecuteAsync(httpContext);
        }

        private async Task TellAsync(HttpContext httpContext)
        {
            await using var scope = httpContext.RequestServices.GetRequiredService<IServiceScopeFactory>().CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(asked.Demand.Audience);
            scope.ServiceProvider.GetRequiredService<IEvents>().Publish(asked);
            await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync(httpContext.RequestAborted);
        }
    }
}
