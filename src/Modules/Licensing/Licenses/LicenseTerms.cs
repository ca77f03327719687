using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Licenses;

/// <summary>Reads what people wrote of a licence; every mistake at once.</summary>
internal sealed class LicenseTerms
{
    private readonly List<FieldError> errors = [];

    public IReadOnlyList<FieldError> Errors => errors;

    public void Words(string? kind, string? enforcement)
    {
        if (kind is not (null or "trial" or "production" or "internal"))
        {
            Wrong("/kind", "unknown-value", "kind is trial, production or internal.");
        }

        if (enforcement is not (null or "advisory" or "degrade" or "block"))
        {
            Wrong("/enforcement", "unknown-value", "enforcement is advisory, degrade or block.");
        }
    }

    public void Wrong(string pointer, string code, string detail) => errors.Add(new FieldError(pointer, code, detail));

    /// <summary>An end that lies ahead, in whole seconds, as documents write it.</summary>
    public DateTimeOffset End(DateTimeOffset end, DateTimeOffset after, string detail)
    {
        var whole = Whole(end);
        if (whole <= after || whole.Year is < 2000 or > 2190)
        {
            Wrong("/notAfter", "out-of-range", detail);
        }

        return whole;
    }

    /// <summary>Whole seconds.</summary>
    public static DateTimeOffset Whole(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());

    /// <summary>The entitlements as they are stored.</summary>
    public string Entitlements(IReadOnlyList<string> wanted)
    {
        if (wanted.Any(one => !IsKey(one)) || wanted.Distinct(StringComparer.Ordinal).Count() != wanted.Count)
        {
            Wrong("/entitlements", "malformed", "Entitlements are written [a-z][a-z0-9_]{0,62}, each once.");
        }

        return JsonSerializer.Serialize(wanted.Order(StringComparer.Ordinal), JsonSerializerOptions.Web);
    }

    /// <summary>The limits as they are stored.</summary>
    public string Limits(IReadOnlyList<LicenseLimitRequest> wanted, Dictionary<(string Key, int Version), Meter> meters)
    {
        var limits = new List<LicenseLimit>();
        for (var i = 0; i < wanted.Count; i++)
        {
            var (one, at) = (wanted[i], $"/limits/{i}");
            if (one?.Meter is null || one.Limit is null)
            {
                Wrong(at, "required", "A limit names a meter and a quantity.");
                continue;
            }

            var version = one.Version ?? meters.Keys.Where(key => key.Key == one.Meter).Select(key => key.Version).DefaultIfEmpty().Max();
            if (!meters.TryGetValue((one.Meter, version), out var meter))
            {
                Wrong($"{at}/meter", "unknown-meter", $"There is no meter {one.Meter}{(one.Version is null ? "" : $" of version {one.Version}")}.");
                continue;
            }

            if (meter.Aggregation is Aggregation.Last or Aggregation.PeriodCumulative)
            {
                Wrong($"{at}/meter", "not-limitable", $"{one.Meter} is a level, or counted up by each cluster itself: only what adds up (sum, unit_seconds) or has a highest hour (max) has a limit.");
            }

            if (limits.Any(before => before.Meter == one.Meter))
            {
                Wrong($"{at}/meter", "meter-twice", $"{one.Meter} has a limit already.");
            }

            if (!Quantity.TryParse(one.Limit, meter.Scale, out _))
            {
                Wrong($"{at}/limit", "malformed", $"A limit of {one.Meter} is decimal text with at most {meter.Scale} digits after the point, below 2^63 / 10^{meter.Scale}.");
            }

            if (one.Policy is not (null or "deny" or "allow" or "up-to") || one.Per is not (null or "month" or "term"))
            {
                Wrong(at, "unknown-value", "policy is deny, allow or up-to; per is month or term.");
            }

            if (!FactorFits(one))
            {
                Wrong(at, "out-of-range", $"numerator and denominator stand with up-to alone: whole numbers of 1 to {LicenseLease.MaxFactor}, the numerator not the smaller one.");
            }

            limits.Add(new LicenseLimit(one.Meter, version, one.Limit, one.Per ?? "month", one.Policy ?? "deny", one.Numerator, one.Denominator));
        }

        return JsonSerializer.Serialize(limits, JsonSerializerOptions.Web);
    }

    /// <summary>The contract that a licence stands on, of the same customer, and no draft: nothing is agreed by one.</summary>
    public async Task ContractAsync(ControlPlaneDbContext db, Guid customer, Guid? contract, CancellationToken cancellationToken)
    {
        if (contract is { } id && !await db.Set<Contract>().AnyAsync(row => row.Id == id && row.CustomerId == customer && row.State == ContractState.Active, cancellationToken))
        {
            Wrong("/contractId", "unknown-contract", "The customer has no such contract, or it is a draft.");
        }
    }

    /// <summary>
    /// The rows of a customer's clusters for a licence that is to admit them: those that have another licence in force are refused, those
    /// whose licence is revoked or over are taken.
    /// </summary>
    /// <returns>The rows, tracked; or the answer why not.</returns>
    public async Task<(List<LicensedCluster> Rows, IResult? Refusal)> ClustersAsync(ControlPlaneDbContext db, Guid? license, Guid customer, IReadOnlyList<Guid> wanted, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = wanted.Distinct().ToList();
        if (ids.Count != wanted.Count)
        {
            Wrong("/clusters", "cluster-twice", "A cluster stands twice.");
        }

        var known = await db.Set<LedgerCluster>().AsNoTracking().Where(row => ids.Contains(row.Id) && row.CustomerId == customer && row.State != "decommissioned").Select(row => row.Id).ToListAsync(cancellationToken);
        foreach (var stranger in ids.Except(known))
        {
            Wrong("/clusters", "unknown-cluster", $"The customer has no cluster {stranger}.");
        }

        var rows = await db.Set<LicensedCluster>().Where(row => ids.Contains(row.ClusterId)).ToListAsync(cancellationToken);
        var others = rows.Where(row => row.LicenseId is { } other && other != license).Select(row => row.LicenseId!.Value).ToList();
        var taken = await db.Set<License>().AsNoTracking().Where(row => others.Contains(row.Id) && row.Status != LicenseStatus.Revoked && row.GraceUntil > now).Select(row => row.Id).ToListAsync(cancellationToken);
        if (rows.FirstOrDefault(row => row.LicenseId is { } other && taken.Contains(other)) is { } busy)
        {
            return ([], Problems.Of(ProblemCodes.ClusterLicensed, $"Cluster {busy.ClusterId} has licence {busy.LicenseId}. Switch that to other clusters, or revoke it, first."));
        }

        if (errors.Count == 0)
        {
            foreach (var fresh in ids.Except(rows.Select(row => row.ClusterId)).Select(id => new LicensedCluster { ClusterId = id, CustomerId = customer }).ToList())
            {
                db.Add(fresh);
                rows.Add(fresh);
            }
        }

        return (rows, null);
    }

    private static bool FactorFits(LicenseLimitRequest one) => one.Policy == "up-to"
        ? one.Numerator is >= 1 and <= LicenseLease.MaxFactor && one.Denominator is >= 1 and <= LicenseLease.MaxFactor && one.Numerator >= one.Denominator
        : one.Numerator is null && one.Denominator is null;

    private static bool IsKey(string? text) => text is { Length: >= 1 and <= 63 } && text[0] is >= 'a' and <= 'z' && text.All(one => one is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_');
}
