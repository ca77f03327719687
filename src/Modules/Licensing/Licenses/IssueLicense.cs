using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Customers;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Licenses;

/// <summary><c>POST /api/v1/licensing/licenses</c>.</summary>
internal static class IssueLicense
{
    public static async Task<IResult> IssueAsync(IssueLicenseRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, LeaseSigning leases, TimeProvider time, CancellationToken cancellationToken)
    {
        if (LicensesApi.NoChanging(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        var now = LicenseTerms.Whole(time.GetUtcNow());
        var terms = new LicenseTerms();
        var customer = request.CustomerId!.Value;
        if (!await db.Set<Customer>().AnyAsync(row => row.Id == customer && row.State == CustomerState.Active, cancellationToken))
        {
            terms.Wrong("/customerId", "unknown-customer", "There is no such customer, or it is closed.");
        }

        await terms.ContractAsync(db, customer, request.ContractId, cancellationToken);
        terms.Words(request.Kind, request.Enforcement);
        var notBefore = LicenseTerms.Whole(request.NotBefore ?? now);
        if (notBefore.Year is < 2000 or > 2190)
        {
            terms.Wrong("/notBefore", "out-of-range", "notBefore is an instant of our time.");
        }

        var notAfter = terms.End(request.NotAfter!.Value, notBefore > now ? notBefore : now, "notAfter lies ahead, and behind notBefore.");
        var limits = terms.Limits(request.Limits ?? [], await Meters.Meters.AllAsync(db, cancellationToken));
        var entitlements = terms.Entitlements(request.Entitlements ?? []);
        var (clusters, refusal) = await terms.ClustersAsync(db, null, customer, request.Clusters!, now, cancellationToken);
        if (terms.Errors.Count > 0)
        {
            return Problems.Invalid(terms.Errors);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        var license = new License
        {
            Id = Guid.CreateVersion7(now), CustomerId = customer, ContractId = request.ContractId, Plan = request.Plan!.Trim(), Kind = request.Kind!, NotBefore = notBefore, NotAfter = notAfter, Enforcement = request.Enforcement ?? "degrade",
            Limits = limits, Entitlements = entitlements, LeaseDays = request.LeaseDays ?? License.UsualLeaseDays, CreatedAt = now, FromHour = UsageWindow.HourOf(notBefore),
        };
        license.RunTo(notAfter);
        clusters.ForEach(cluster => cluster.LicenseId = license.Id);
        await leases.SignAsync([(license, clusters)], db, events, cancellationToken);
        db.Add(license);
        events.Audit(new AuditFact("licensing.license-issued", AuditLog.Customer, "license", license.Id.ToString())
        {
            CustomerId = customer,
            Changes =
            [
                Change.Add("/plan", license.Plan), Change.Add("/kind", license.Kind), Change.Add("/clusters", request.Clusters), Change.Add("/notBefore", notBefore), Change.Add("/notAfter", notAfter), Change.Add("/enforcement", license.Enforcement),
                Change.Add("/limits", license.ReadLimits()), Change.Add("/entitlements", license.ReadEntitlements()), Change.Add("/contractId", license.ContractId), Change.Add("/serial", license.Serial), Change.Add("/lease", license.Digest),
            ],
        });
        await ChangeStream.SaveAsync(db, time, [license.Changed()], cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/licenses/{license.Id}", await LicensesApi.ItemAsync(license, http, db, time.GetUtcNow(), cancellationToken));
    }
}
