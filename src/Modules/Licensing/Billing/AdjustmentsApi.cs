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
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Billing;

/// <summary><c>/api/v1/licensing/adjustments</c>: credit and debit notes. Restatements make their own; what somebody decides is booked on the contract's next statement.</summary>
internal static class AdjustmentsApi
{
    /// <summary>In minor units: far beyond any invoice, and so far below what sums may be that a period is never kept from being rated by notes.</summary>
    private const long Most = 1_000_000_000_000_000;

    private static readonly ListOrders<Adjustment> Orders = new ListOrders<Adjustment>("-createdAt").By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var adjustments = api.MapGroup("/adjustments");
        adjustments.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListAdjustments").WithSummary("Credit and debit notes, the newest first").Lists((AdjustmentItem row) => row.Id.ToString()).Produces<Page<AdjustmentItem>>().SortedBy(Orders);
        adjustments.MapGet("/{id:guid}", GetAsync).RequireScope("licensing:read").Shows("adjustment", static (ControlPlaneDbContext db, Guid id) => db.Set<Adjustment>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId))
            .WithName("GetAdjustment").WithSummary("One credit or debit note").Produces<AdjustmentItem>();
        adjustments.MapPost("/", CreateAsync).RequireScope(StaffOnly.Right).WithName("CreateAdjustment").WithSummary("Book an amount on a contract's next statement; needs Idempotency-Key").Produces<AdjustmentItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
    }

    private static async Task<IResult> ListAsync(ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, Guid? contract, Guid? statement, string? kind, string? count, CancellationToken cancellationToken)
    {
        if (kind is not (null or "credit-note" or "debit-note"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "kind is credit-note or debit-note.");
        }

        var rows = db.Set<Adjustment>().AsNoTracking();
        rows = customer is null ? rows : rows.Where(row => row.CustomerId == customer);
        rows = contract is null ? rows : rows.Where(row => row.ContractId == contract);
        rows = statement is null ? rows : rows.Where(row => row.StatementId == statement || row.OriginalId == statement);
        rows = kind is null ? rows : rows.Where(row => row.AmountMinor < 0 == (kind == "credit-note"));
        return await Orders.PageAsync(list, rows, row => row.ToItem(), cancellationToken, count == "exact" ? await rows.LongCountAsync(cancellationToken) : null);
    }

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Set<Adjustment>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } adjustment ? TypedResults.Ok(adjustment.ToItem()) : Problems.NotFound();

    private static async Task<IResult> CreateAsync(CreateAdjustmentRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (StaffOnly.Hindrance(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (IdempotencyKeys.Missing(http.Request) is { } keyless)
        {
            return keyless;
        }

        var contract = await db.Set<Contract>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == request.ContractId, cancellationToken);
        if (contract is not { State: ContractState.Active })
        {
            return Problems.Invalid([contract is null ? new FieldError("/contractId", "unknown-contract", "There is no such contract.") : new FieldError("/contractId", "contract-draft", "The contract is a draft: nothing is billed by it.")]);
        }

        var errors = new List<FieldError>();
        if (!TryRead(request.Amount!, Currencies.Exponent(contract.Currency), out var minor))
        {
            errors.Add(new FieldError("/amount", "too-precise", $"{contract.Currency} has {Currencies.Exponent(contract.Currency)} digits after the point."));
        }
        else if (minor is > Most or < -Most)
        {
            errors.Add(new FieldError("/amount", "too-large", "This is more than one note may be about."));
        }
        else if (minor == 0)
        {
            errors.Add(new FieldError("/amount", "out-of-range", "Nothing is booked."));
        }

        if (request.StatementId is { } about && !await db.Set<Statement>().AnyAsync(row => row.Id == about && row.ContractId == contract.Id, cancellationToken))
        {
            errors.Add(new FieldError("/statementId", "unknown-statement", "The contract has no such statement."));
        }

        // A contract of which every period is closed has no statement to come.
        if (await db.Set<Period>().AnyAsync(row => row.ContractId == contract.Id && row.State == PeriodState.Closed && row.ToHour >= contract.ToHour, cancellationToken))
        {
            errors.Add(new FieldError("/contractId", "no-open-period", "Every period of the contract is closed; there is no statement to come."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var adjustment = new Adjustment
        {
            Id = id,
            Number = $"{(minor < 0 ? "CN" : "DN")}-{id:N}",
            CustomerId = contract.CustomerId,
            ContractId = contract.Id,
            OriginalId = request.StatementId,
            AmountMinor = minor,
            Currency = contract.Currency,
            Description = request.Description!.Trim(),
            Reason = request.Reason!.Trim(),
            CreatedAt = now,
        };
        db.Add(adjustment);
        events.Audit(new AuditFact("licensing.adjustment-decided", AuditLog.Customer, "adjustment", id.ToString())
        {
            CustomerId = contract.CustomerId,
            Reason = adjustment.Reason,
            Changes = [Change.Add("/amount", adjustment.ToItem().Amount.Amount), Change.Add("/currency", adjustment.Currency), Change.Add("/contractId", contract.Id), Change.Add("/description", adjustment.Description)],
        });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.Adjustment, contract.CustomerId, id.ToString(), Version: adjustment.Version)], cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/adjustments/{id}", adjustment.ToItem());
    }

    private static bool TryRead(string text, int exponent, out long minor)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var fraction = point < 0 ? "" : text[(point + 1)..];
        minor = 0;
        if (fraction.Length > exponent)
        {
            return false;
        }

        // What is too large for the number is too large anyhow.
        minor = long.TryParse((point < 0 ? text : text[..point]) + fraction.PadRight(exponent, '0'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var read) ? read : long.MaxValue;
        return true;
    }
}
