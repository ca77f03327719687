using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Licenses;

/// <summary>What is done to a licence that there is: each change is a new lease with a higher serial, audited, and told to its clusters.</summary>
internal static class ChangeLicense
{
    /// <summary>What can be done.</summary>
    public static IReadOnlyList<string> Verbs { get; } = ["renew", "switch", "suspend", "resume", "revoke"];

    /// <summary>Why something cannot be done, in words; null: it can.</summary>
    public static string? Hindrance(License license, string verb) => (license.Status, verb) switch
    {
        (LicenseStatus.Revoked, _) => "The licence is revoked, for good; issue another.",
        (LicenseStatus.Suspended, "suspend") => "The licence is suspended already.",
        (LicenseStatus.Active, "resume") => "The licence is not suspended.",
        _ => null,
    };

    public static Task<IResult> RenewAsync(Guid id, RenewLicenseRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, "renew", http, db, async license =>
        {
            var terms = new LicenseTerms();
            var before = license.NotAfter;
            if (request.ResetClock && request.Reason is null)
            {
                terms.Wrong("/reason", "required", "Say why the clusters' record of the time is void.");
            }

            if (request.NotAfter is { } end)
            {
                var now = time.GetUtcNow();
                var notAfter = terms.End(end, license.NotAfter > now ? license.NotAfter : now, "A renewal ends later than the licence does now, and not in the past.");
                license.RunTo(notAfter);
            }

            if (terms.Errors.Count > 0)
            {
                return Problems.Invalid(terms.Errors);
            }

            await SignAsync(license, db, events, leases, cancellationToken, request.ResetClock);
            Audit(license, "renewed", events, [Change.Replace("/notAfter", before, license.NotAfter), .. request.ResetClock ? new[] { Change.Add("/clockFrom", license.IssuedAt) } : []], request.Reason);
            await ChangeStream.SaveAsync(db, time, [license.Changed()], cancellationToken);
            return TypedResults.Ok(await LicensesApi.ItemAsync(license, http, db, time.GetUtcNow(), cancellationToken));
        }, cancellationToken);

    public static Task<IResult> SwitchAsync(Guid id, SwitchLicenseRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, "switch", http, db, async license =>
        {
            var terms = new LicenseTerms();
            var changes = new List<AuditChange>();
            terms.Words(request.Kind, request.Enforcement);
            Set("/plan", license.Plan, request.Plan?.Trim(), value => license.Plan = value);
            Set("/kind", license.Kind, request.Kind, value => license.Kind = value);
            Set("/enforcement", license.Enforcement, request.Enforcement, value => license.Enforcement = value);
            Set("/limits", license.Limits, request.Limits is null ? null : terms.Limits(request.Limits, await Meters.Meters.AllAsync(db, cancellationToken)), value => license.Limits = value);
            Set("/entitlements", license.Entitlements, request.Entitlements is null ? null : terms.Entitlements(request.Entitlements), value => license.Entitlements = value);
            if (request.LeaseDays is { } days && days != license.LeaseDays)
            {
                changes.Add(Change.Replace("/leaseDays", license.LeaseDays, days));
                license.LeaseDays = days;
            }

            if (request.ContractId is { } contract && contract != license.ContractId)
            {
                await terms.ContractAsync(db, license.CustomerId, contract, cancellationToken);
                changes.Add(Change.Replace("/contractId", license.ContractId, contract));
                license.ContractId = contract;
            }

            if (request.Clusters is { } wanted)
            {
                var had = await db.Set<LicensedCluster>().Where(row => row.LicenseId == id).ToListAsync(cancellationToken);
                var (rows, refusal) = await terms.ClustersAsync(db, id, license.CustomerId, wanted, time.GetUtcNow(), cancellationToken);
                if (terms.Errors.Count == 0 && refusal is not null)
                {
                    return refusal;
                }

                if (terms.Errors.Count == 0)
                {
                    await leases.ReleaseAsync(license, [.. had.Except(rows)], db, events, cancellationToken);
                    rows.ForEach(row => row.LicenseId = id);
                    changes.Add(Change.Replace("/clusters", had.Select(row => row.ClusterId).Order(), wanted.Order()));
                    await leases.SignAsync([(license, rows)], db, events, cancellationToken);
                }
            }

            if (terms.Errors.Count > 0)
            {
                return Problems.Invalid(terms.Errors);
            }

            if (changes.Count > 0)
            {
                if (request.Clusters is null)
                {
                    await SignAsync(license, db, events, leases, cancellationToken);
                }

                Audit(license, "switched", events, changes, null);
                await ChangeStream.SaveAsync(db, time, [license.Changed()], cancellationToken);
            }

            return TypedResults.Ok(await LicensesApi.ItemAsync(license, http, db, time.GetUtcNow(), cancellationToken));

            void Set(string path, string old, string? value, Action<string> set)
            {
                if (value is not null && value != old)
                {
                    changes.Add(Change.Replace(path, old, value));
                    set(value);
                }
            }
        }, cancellationToken);

    public static Task<IResult> SuspendAsync(Guid id, LicenseReasonRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        EnterAsync(id, "suspend", "suspended", LicenseStatus.Suspended, request, http, db, events, leases, time, cancellationToken);

    public static Task<IResult> ResumeAsync(Guid id, LicenseReasonRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        EnterAsync(id, "resume", "resumed", LicenseStatus.Active, request, http, db, events, leases, time, cancellationToken);

    public static Task<IResult> RevokeAsync(Guid id, LicenseReasonRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        EnterAsync(id, "revoke", "revoked", LicenseStatus.Revoked, request, http, db, events, leases, time, cancellationToken);

    private static Task<IResult> EnterAsync(
        Guid id, string verb, string past, LicenseStatus to, LicenseReasonRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, verb, http, db, async license =>
        {
            var before = license.Status;
            license.Status = to;
            license.Reason = to == LicenseStatus.Active ? null : request.Reason;
            await SignAsync(license, db, events, leases, cancellationToken);
            Audit(license, past, events, [Change.Replace("/status", before, to)], request.Reason, request.Ticket);
            await ChangeStream.SaveAsync(db, time, [license.Changed()], cancellationToken);
            return TypedResults.Ok(await LicensesApi.ItemAsync(license, http, db, time.GetUtcNow(), cancellationToken));
        }, cancellationToken);

    private static async Task<IResult> ChangeAsync(Guid id, string verb, HttpContext http, ControlPlaneDbContext db, Func<License, Task<IResult>> act, CancellationToken cancellationToken)
    {
        if (await db.Set<License>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } license)
        {
            return Problems.NotFound();
        }

        if (LicensesApi.NoChanging(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (Etags.Mismatch(http.Request, license.Version) is { } mismatch)
        {
            return mismatch;
        }

        return Hindrance(license, verb) is { } conflict ? Problems.Of(ProblemCodes.LicenseStateConflict, conflict) : await act(license);
    }

    private static async Task SignAsync(License license, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, CancellationToken cancellationToken, bool resetClock = false) =>
        await leases.SignAsync([(license, await db.Set<LicensedCluster>().Where(row => row.LicenseId == license.Id).ToListAsync(cancellationToken))], db, events, cancellationToken, resetClock);

    private static void Audit(License license, string past, IEvents events, IReadOnlyList<AuditChange> changes, string? reason, string? ticket = null) =>
        events.Audit(new AuditFact($"licensing.license-{past}", AuditLog.Customer, "license", license.Id.ToString())
        {
            CustomerId = license.CustomerId,
            Reason = reason,
            Ticket = ticket,
            Changes = [.. changes, Change.Add("/serial", license.Serial), Change.Add("/lease", license.Digest)],
        });
}
