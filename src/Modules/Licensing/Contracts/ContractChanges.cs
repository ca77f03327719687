using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Customers;
using MissionControl.Licensing.Pricing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Contracts;

/// <summary>Changing contracts: a draft is made, replaced, discarded or activated; what counts is amended or terminated.</summary>
internal static class ContractChanges
{
    public static void Map(RouteGroupBuilder one, RouteGroupBuilder contracts)
    {
        contracts.MapPost("/", CreateAsync).RequireScope(StaffOnly.Right).WithName("CreateContract").WithSummary("Create the draft of a contract").Produces<ContractDetail>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        one.MapPut("/", ReplaceAsync).RequireScope(StaffOnly.Right).WithName("ReplaceContract").WithSummary("Replace what a draft says; needs If-Match").Produces<ContractDetail>();
        one.MapDelete("/", DiscardAsync).RequireScope(StaffOnly.Right).WithName("DiscardContract").WithSummary("Discard a draft; needs If-Match").Produces(StatusCodes.Status204NoContent);
        one.MapPost("/activate", ActivateAsync).RequireScope(StaffOnly.Right).WithName("ActivateContract").WithSummary("Make a draft a contract that counts; needs If-Match and Idempotency-Key").Produces<ContractDetail>().AcceptIdempotencyKey();
        one.MapPost("/amend", AmendAsync).RequireScope(StaffOnly.Right).WithName("AmendContract").WithSummary("Agree other terms from a month to come on; needs If-Match and Idempotency-Key").Produces<ContractDetail>().AcceptIdempotencyKey();
        one.MapPost("/terminate", TerminateAsync).RequireScope(StaffOnly.Right).WithName("TerminateContract").WithSummary("End a contract early; needs If-Match and Idempotency-Key").Produces<ContractDetail>().AcceptIdempotencyKey();
    }

    private static async Task<IResult> CreateAsync(CreateContractRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (StaffOnly.Hindrance(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        var customer = await db.Set<Customer>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == request.CustomerId, cancellationToken);
        var account = await db.Set<BillingAccount>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == request.AccountId && row.CustomerId == request.CustomerId, cancellationToken);
        if (customer is not { State: CustomerState.Active } || account is not { State: AccountState.Active })
        {
            return Problems.Invalid([customer is null ? new FieldError("/customerId", "unknown-customer", "There is no such customer.")
                : customer.State == CustomerState.Closed ? new FieldError("/customerId", "customer-closed", "The customer is closed.")
                : account is null ? new FieldError("/accountId", "unknown-account", "The customer has no such billing account.") : new FieldError("/accountId", "account-closed", "The billing account is closed.")]);
        }

        var number = request.Number!.Trim();
        var check = new ContractCheck(db, customer.Id, account.Currency);
        if (await db.Set<Contract>().AnyAsync(row => row.Number == number, cancellationToken))
        {
            check.Add("/number", "number-taken", "Another contract has this number.");
        }

        var from = check.Hour(request.From, "/from");
        if (await check.TermsAsync(request.Terms!, from, cancellationToken) is not { } terms)
        {
            return Problems.Invalid(check.Errors);
        }

        var now = time.GetUtcNow();
        var contract = new Contract { Id = Guid.CreateVersion7(now), CustomerId = customer.Id, AccountId = account.Id, Number = number, Currency = account.Currency, CreatedAt = now };
        var version = Add(db, contract, ContractVersionKind.Original, from!.Value, terms, request.Reason, now);
        contract.FromHour = version.FromHour;
        db.Add(contract);
        try
        {
            await contract.SaveAsync(db, events, time, "licensing.contract-created", [Change.Add("/number", number), Change.Add("/accountId", account.Id), .. Told(version, contract.Currency)], request.Reason, cancellationToken);
        }
        catch (DbUpdateException exception) when (exception is not DbUpdateConcurrencyException && exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database))
        {
            return Problems.Of(ProblemCodes.Conflict, "Another contract was given this number at the same moment.");
        }

        return TypedResults.Created($"/api/v1/licensing/contracts/{contract.Id}", await ContractsApi.DetailAsync(contract, http, db, time, cancellationToken));
    }

    private static async Task<IResult> ReplaceAsync(Guid id, ReplaceContractRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (contract, refusal) = await FindAsync(id, http, db, row => row.NoDraft(), cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        var check = new ContractCheck(db, contract!.CustomerId, contract.Currency);
        var from = check.Hour(request.From, "/from");
        if (await check.TermsAsync(request.Terms!, from, cancellationToken) is not { } terms)
        {
            return Problems.Invalid(check.Errors);
        }

        var version = await db.Set<ContractVersion>().SingleAsync(row => row.ContractId == id, cancellationToken);
        (version.FromHour, version.ToHour, version.PriceBookId, version.PlanId, version.PlanVersion) = (from!.Value, terms.ToHour, terms.PriceBookId, terms.PlanId, terms.PlanVersion);
        (version.Terms, version.Reason, version.CreatedAt) = (terms.Stored.ToText(), request.Reason, time.GetUtcNow());
        (contract.FromHour, contract.ToHour) = (version.FromHour, version.ToHour);
        contract.Version++;
        await contract.SaveAsync(db, events, time, "licensing.contract-replaced", Told(version, contract.Currency), request.Reason, cancellationToken);
        return TypedResults.Ok(await ContractsApi.DetailAsync(contract, http, db, time, cancellationToken));
    }

    private static async Task<IResult> DiscardAsync(Guid id, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (contract, refusal) = await FindAsync(id, http, db, row => row.NoDraft(), cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        db.RemoveRange(await db.Set<ContractVersion>().Where(row => row.ContractId == id).ToListAsync(cancellationToken));
        db.Remove(contract!);
        await contract!.SaveAsync(db, events, time, "licensing.contract-discarded", [Change.Remove("/number", contract.Number)], null, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> ActivateAsync(Guid id, ActivateContractRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (contract, refusal) = await FindAsync(id, http, db, row => row.NoDraft(), cancellationToken, needsKey: true);
        if (refusal is not null)
        {
            return refusal;
        }

        // What it names may have changed since it was drafted.
        var versions = await ContractsApi.VersionsAsync(id, db, cancellationToken);
        var check = new ContractCheck(db, contract!.CustomerId, contract.Currency);
        if (!await db.Set<BillingAccount>().AnyAsync(row => row.Id == contract.AccountId && row.State == AccountState.Active, cancellationToken))
        {
            check.Add("/accountId", "account-closed", "The billing account is closed.");
        }

        if (await check.TermsAsync(versions[0].ToItem(contract.Currency).Terms, contract.FromHour, cancellationToken) is null || check.Errors.Count > 0)
        {
            return Problems.Invalid(check.Errors);
        }

        await HoldTurnAsync(contract.CustomerId, db, cancellationToken);
        if (await check.OverlapsAsync(id, versions, cancellationToken) is { Count: > 0 } overlaps)
        {
            return Problems.Of(ProblemCodes.ContractOverlap, "Take the clusters out of one of the two contracts, or let one end before the other begins.", overlaps);
        }

        contract.State = ContractState.Active;
        contract.Version++;
        await contract.SaveAsync(db, events, time, "licensing.contract-activated", [Change.Replace("/state", "draft", "active")], request.Reason, cancellationToken);
        return TypedResults.Ok(await ContractsApi.DetailAsync(contract, http, db, time, cancellationToken));
    }

    private static async Task<IResult> AmendAsync(Guid id, AmendContractRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (contract, refusal) = await FindAsync(id, http, db, row => row.NotRunning(now), cancellationToken, needsKey: true);
        if (refusal is not null)
        {
            return refusal;
        }

        var check = new ContractCheck(db, contract!.CustomerId, contract.Currency);
        var from = check.Hour(request.EffectiveFrom, "/effectiveFrom");
        if (from is { } hour)
        {
            if (hour <= UsageWindow.HourOf(now) || Hours.MonthOf(hour) != hour || hour <= contract.FromHour)
            {
                check.Add("/effectiveFrom", "not-a-coming-period", "An amendment counts from the first instant of a month (UTC) that is to come, and lies behind the contract's beginning.");
            }
            else if (hour > contract.ToHour)
            {
                check.Add("/effectiveFrom", "contract-hole", $"The contract ends at {Hours.Text(contract.ToHour)}: between that and the amendment nothing would be agreed.");
            }
        }

        var (reason, isTold) = Reason(request.Reason, check);
        if (await check.TermsAsync(request.Terms!, from, cancellationToken) is not { } terms || !isTold)
        {
            return Problems.Invalid(check.Errors);
        }

        await HoldTurnAsync(contract.CustomerId, db, cancellationToken);
        var versions = await ContractsApi.VersionsAsync(id, db, cancellationToken);
        var version = Add(db, contract, ContractVersionKind.Amendment, from!.Value, terms, reason, now);
        if (await check.OverlapsAsync(id, [.. versions, version], cancellationToken) is { Count: > 0 } overlaps)
        {
            return Problems.Of(ProblemCodes.ContractOverlap, "Take the clusters out of one of the two contracts, or let one end before the other begins.", overlaps);
        }

        contract.Version++;
        await contract.SaveAsync(db, events, time, "licensing.contract-amended", [Change.Add("/version", version.Number), .. Told(version, contract.Currency)], reason, cancellationToken);
        return TypedResults.Ok(await ContractsApi.DetailAsync(contract, http, db, time, cancellationToken));
    }

    private static async Task<IResult> TerminateAsync(Guid id, TerminateContractRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (contract, refusal) = await FindAsync(id, http, db, row => row.NotRunning(now), cancellationToken, needsKey: true);
        if (refusal is not null)
        {
            return refusal;
        }

        var check = new ContractCheck(db, contract!.CustomerId, contract.Currency);
        var month = Hours.MonthOf(UsageWindow.HourOf(now));
        if (check.Hour(request.At, "/at") is { } hour && (hour <= contract.FromHour || hour >= contract.ToHour || hour < month))
        {
            check.Add("/at", hour < month ? "in-the-past" : "outside-contract", $"It can end between {Hours.Text(Math.Max(contract.FromHour, month))} and {Hours.Text(contract.ToHour)}; months that are over are not taken back.");
        }

        var (reason, _) = Reason(request.Reason, check);
        if (check.Errors.Count > 0)
        {
            return Problems.Invalid(check.Errors);
        }

        // The same terms as were in force, to another end, from the first hour of the period that it ends in.
        var (end, before) = (UsageWindow.HourOf(request.At!.Value), contract.ToHour);
        var from = Math.Max(contract.FromHour, Hours.MonthOf(end - 1));
        var last = Pins.At(await ContractsApi.VersionsAsync(id, db, cancellationToken), from)!;
        Add(db, contract, ContractVersionKind.Termination, from, new CheckedTerms(end, last.PriceBookId, last.PlanId, last.PlanVersion, last.Read()), reason, now);
        contract.TerminationReason = reason;
        contract.Version++;
        await contract.SaveAsync(db, events, time, "licensing.contract-terminated", [Change.Replace("/to", Hours.Text(before), Hours.Text(end))], reason, cancellationToken);
        return TypedResults.Ok(await ContractsApi.DetailAsync(contract, http, db, time, cancellationToken));
    }

    /// <summary>The contract, or why nothing is done with it.</summary>
    private static async Task<(Contract? Contract, IResult? Refusal)> FindAsync(Guid id, HttpContext http, ControlPlaneDbContext db, Func<Contract, string?> hindered, CancellationToken cancellationToken, bool needsKey = false)
    {
        var contract = await db.Set<Contract>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        var refusal = contract is null ? Problems.NotFound()
            : StaffOnly.Hindrance(http.User, db) is { } hindrance ? Problems.Of(ProblemCodes.ScopeMissing, hindrance)
            : (needsKey ? IdempotencyKeys.Missing(http.Request) : null) ?? Etags.Mismatch(http.Request, contract.Version) ?? (hindered(contract) is { } why ? Problems.Of(ProblemCodes.ContractStateConflict, why) : null);
        return (contract, refusal);
    }

    /// <summary>
    /// One contract of a customer at a time: two that overlap would otherwise both find nothing. The row's lock lasts until the commit of
    /// the request's transaction, which its Idempotency-Key has opened.
    /// </summary>
    private static Task HoldTurnAsync(Guid customer, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Set<Customer>().Where(row => row.Id == customer).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, row => row.State), cancellationToken);

    private static ContractVersion Add(ControlPlaneDbContext db, Contract contract, ContractVersionKind kind, int from, CheckedTerms terms, string? reason, DateTimeOffset now)
    {
        var version = new ContractVersion
        {
            ContractId = contract.Id, Number = ++contract.LastNumber, CustomerId = contract.CustomerId, Kind = kind, FromHour = from, ToHour = terms.ToHour, PriceBookId = terms.PriceBookId, PlanId = terms.PlanId, PlanVersion = terms.PlanVersion,
            Terms = terms.Stored.ToText(), Reason = reason, CreatedAt = now,
        };
        contract.ToHour = terms.ToHour;
        db.Add(version);
        return version;
    }

    private static (string Reason, bool IsTold) Reason(string? said, ContractCheck check)
    {
        var mistake = Reasons.Mistake(said, out var reason);
        if (mistake is not null)
        {
            check.Add(mistake.Pointer, mistake.Code, mistake.Detail);
        }

        return (reason, mistake is null);
    }

    private static AuditChange[] Told(ContractVersion version, string currency) => [Change.Add("/from", Hours.Text(version.FromHour)), Change.Add("/terms", version.ToItem(currency).Terms)];
}
