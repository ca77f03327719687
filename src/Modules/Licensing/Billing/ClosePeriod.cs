using System.Data.Common;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Billing;

/// <summary>
/// <c>POST /api/v1/licensing/periods/{id}/close</c>. What is written was reckoned before the transaction began, at a watermark below
/// which nothing can come any more: a window that is judged meanwhile is behind it, and is corrected in the next period. So nothing is in
/// both and nothing in neither, and nobody waits for a reckoning to be able to write.
/// </summary>
internal static class ClosePeriod
{
    public const string Right = "licensing:close";

    public static void Map(RouteGroupBuilder period) => period.MapPost("/close", HandleAsync).RequireScope(Right).WithName("ClosePeriod")
        .WithSummary("Close a period with what its preview said; needs If-Match and Idempotency-Key, and the person's proof").Produces<StatementItem>().AcceptIdempotencyKey().PreparedBy(PrepareAsync);

    private static async Task<object?> PrepareAsync(HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var time = (TimeProvider)http.RequestServices.GetService(typeof(TimeProvider))!;
        return http.GetRouteValue("id") is string text && Guid.TryParse(text, out var id) && await db.Set<Period>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { State: PeriodState.Open } period
            ? new Prepared(await PeriodsApi.DraftAsync(db, period, time.GetUtcNow(), cancellationToken))
            : null;
    }

    private static async Task<IResult> HandleAsync(
        Guid id, ClosePeriodRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<Period>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } period)
        {
            return Problems.NotFound();
        }

        if (PeriodsApi.Hindrance(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (IdempotencyKeys.Missing(http.Request) is { } keyless)
        {
            return keyless;
        }

        var now = time.GetUtcNow();
        if (period.NoClosing(now) is { } state)
        {
            return period.State == PeriodState.Closed ? Problems.Of(ProblemCodes.PeriodClosed, $"It was closed with statement {period.StatementId}.") : Problems.Of(ProblemCodes.PeriodNotReady, state);
        }

        if (http.Features.Get<Prepared>() is not { } prepared)
        {
            return Problems.Of(ProblemCodes.Conflict, "The period was changed a moment ago. Look at its preview again.");
        }

        if (prepared.Draft.Refusal is { } refusal)
        {
            return refusal;
        }

        var draft = prepared.Draft.Draft!;
        if (http.Request.Headers.IfMatch.Count == 0)
        {
            return Problems.Of(ProblemCodes.PreconditionRequired, "Send the ETag of the preview that was looked at in If-Match: only that is closed.");
        }

        if (http.Request.Headers.IfMatch.ToString() != $"\"{draft.Tag}\"" || draft.Period.Version != period.Version)
        {
            return Problems.Of(ProblemCodes.PreconditionFailed, $"The preview has ETag \"{draft.Tag}\" now and comes to {Money.Item(draft.Document.PayableMinor, draft.Contract.Currency).Amount} {draft.Contract.Currency}. Look at it again.");
        }

        var waived = request.Waive?.Distinct().ToList() ?? [];
        if (Wrong(request, waived, draft) is { } wrong)
        {
            return wrong;
        }

        // A program that closes got that right from two persons, each of whom confirmed it; a person confirms this very closing.
        if (http.User.FindFirst("account") is null
            && await guard.DemandAsync(http, db, StepUp.Close(id, draft.Tag, waived), Told(draft, waived), cancellationToken) is { } unproven)
        {
            return unproven;
        }

        try
        {
            return TypedResults.Ok((await WriteAsync(draft, period, waived, request.Reason, db, events, time, cancellationToken)).ToItem());
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || (exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database)))
        {
            return Problems.Of(ProblemCodes.PreconditionFailed, "Somebody else closed it, or booked on it, at the same moment. Look at it again.");
        }
    }

    private static IResult? Wrong(ClosePeriodRequest request, List<string> waived, PeriodDraft draft)
    {
        var errors = new List<FieldError>();
        foreach (var code in waived)
        {
            if (draft.Checks.FirstOrDefault(check => check.Code == code) is not { Blocks: true, Waivable: true, Count: > 0 })
            {
                errors.Add(new FieldError("/waive", "not-waivable", $"'{code}' does not block this period, or cannot be put up with."));
            }
        }

        if (waived.Count > 0 && string.IsNullOrWhiteSpace(request.Reason))
        {
            errors.Add(new FieldError("/reason", "required", "Say why it is put up with."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var open = draft.Checks.Where(check => check is { Blocks: true, Count: > 0 } && !waived.Contains(check.Code)).ToList();
        return open.Count == 0 ? null : Problems.Of(
            ProblemCodes.PeriodNotReady, "Mend what is named, or name it in waive with a reason where that is possible.",
            open.ConvertAll(check => new FieldError(check.Code, check.Waivable ? "waivable" : "blocks", string.Create(CultureInfo.InvariantCulture, $"{check.Count}: {check.Detail}"))));
    }

    private static string Told(PeriodDraft draft, List<string> waived)
    {
        var money = Money.Item(draft.Document.PayableMinor, draft.Contract.Currency);
        var corrections = draft.Restated.Count == 0 ? "" : $" It corrects {string.Join(", ", draft.Restated.Select(one => $"{Period.Month(one.Last.FromHour)} by {Money.Item(one.Minor, money.Currency).Amount} {money.Currency}"))}.";
        return $"{draft.Period.Name} of contract {draft.Contract.Number} is closed for good: statement {draft.Document.Number} over {money.Amount} {money.Currency}.{corrections}{(waived.Count == 0 ? "" : $" Put up with: {string.Join(", ", waived)}.")}";
    }

    private static async Task<Statement> WriteAsync(
        PeriodDraft draft, Period period, List<string> waived, string? reason, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var bill = Row(draft, draft.Document, period.Id, period.Id, draft.Inputs, draft.Agreed.Number, draft.Prices.BookId, draft.Prices.Number, now, waived.Count == 0 ? null : $"{string.Join(", ", waived)}: {reason}");
        db.Add(bill);
        period.Close(bill.Id, now);
        List<Noted> noted = [new(Kinds.Period, period.CustomerId, period.Id.ToString(), Version: period.Version), new(Kinds.Statement, period.CustomerId, bill.Id.ToString(), Version: 1)];
        foreach (var one in draft.Restated)
        {
            var next = Row(draft, one.Document, one.Last.PeriodId, period.Id, one.Inputs, one.Last.ContractVersion, one.Last.PriceBookId, one.Last.PriceBookVersion, now, null);
            db.Add(next);
            noted.Add(new Noted(Kinds.Statement, period.CustomerId, next.Id.ToString(), Version: next.Generation));
            if (one.Minor != 0)
            {
                var adjustment = new Adjustment
                {
                    Id = Guid.CreateVersion7(now),
                    Number = $"{(one.Minor < 0 ? "CN" : "DN")}-{next.Number}",
                    CustomerId = period.CustomerId,
                    ContractId = period.ContractId,
                    OriginalId = one.Last.Id,
                    RestatedId = next.Id,
                    AmountMinor = one.Minor,
                    Currency = draft.Contract.Currency,
                    Description = $"Correction of {Period.Month(one.Last.FromHour)}",
                    Reason = "Usage that came, or was corrected, after the period was closed.",
                    CreatedAt = now,
                };
                adjustment.Book(bill.Id);
                db.Add(adjustment);
                noted.Add(new Noted(Kinds.Adjustment, period.CustomerId, adjustment.Id.ToString(), Version: adjustment.Version));
            }
        }

        // What was decided after the draft was made waits for the next one.
        foreach (var decided in draft.Decided)
        {
            db.Attach(decided);
            decided.Book(bill.Id);
            noted.Add(new Noted(Kinds.Adjustment, period.CustomerId, decided.Id.ToString(), Version: decided.Version));
        }

        events.Audit(new AuditFact("licensing.period-closed", AuditLog.Customer, "period", period.Id.ToString())
        {
            CustomerId = period.CustomerId,
            Reason = reason,
            Changes =
            [
                Change.Replace("/state", "open", "closed"), Change.Add("/statement", bill.Number), Change.Add("/contentSha256", bill.ContentSha256), Change.Add("/payable", bill.ToItem().Payable.Amount),
                Change.Add("/watermark", bill.Watermark), .. waived.Select(code => Change.Add("/waived/-", code)), .. draft.Restated.Select(one => Change.Add("/restated/-", one.Document.Number)),
            ],
        });
        await ChangeStream.SaveAsync(db, time, noted, cancellationToken);
        return bill;
    }

    private static Statement Row(
        PeriodDraft draft, StatementDocument document, Guid period, Guid bookedIn, StoredInputs inputs, int contractVersion, Guid book, int bookVersion, DateTimeOffset now, string? waived)
    {
        var bytes = document.ToBytes();
        return new Statement
        {
            Id = Guid.CreateVersion7(now),
            Number = document.Number,
            CustomerId = draft.Contract.CustomerId,
            ContractId = draft.Contract.Id,
            PeriodId = period,
            BookedIn = bookedIn,
            Generation = document.Generation,
            FromHour = document.Rated.Period.FromHour,
            ToHour = document.Rated.Period.ToHour,
            Watermark = document.Watermark,
            ContractVersion = contractVersion,
            PriceBookId = book,
            PriceBookVersion = bookVersion,
            Currency = draft.Contract.Currency,
            PayableMinor = document.PayableMinor,
            Content = bytes,
            ContentSha256 = StatementDocument.Sha256(bytes),
            InputsSha256 = document.InputsSha256,
            Inputs = Statement.Text(inputs),
            Rated = Statement.Text(document.Rated),
            Waived = waived,
            CreatedAt = now,
        };
    }

    private sealed record Prepared((PeriodDraft? Draft, IResult? Refusal) Draft);
}
