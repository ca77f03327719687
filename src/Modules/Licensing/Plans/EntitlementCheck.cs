using System.Text.RegularExpressions;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Plans;

/// <summary>What use beyond a limit is.</summary>
internal enum OverageRule
{
    /// <summary>It is refused.</summary>
    Deny,

    /// <summary>It goes on.</summary>
    Allow,

    /// <summary>It goes on up to the limit times a factor.</summary>
    AllowUpTo,
}

/// <summary>All rules of entitlements; every mistake at once.</summary>
internal static partial class EntitlementCheck
{
    private const int Most = 200;

    public static async Task<List<FieldError>> MistakesAsync(IReadOnlyList<EntitlementItem> entitlements, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        if (entitlements.Count is 0 or > Most)
        {
            errors.Add(new FieldError("/entitlements", "invalid-value", $"A plan has 1 to {Most} entitlements."));
        }

        var meters = (await Meters.Meters.AllAsync(db, cancellationToken)).Keys.Select(key => key.Key).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, entitlement) in entitlements.Take(Most).Index())
        {
            var at = $"/entitlements/{i}";
            if (entitlement?.Feature is not { } feature || !Feature().IsMatch(feature))
            {
                errors.Add(new FieldError($"{at}/feature", "invalid-feature", "A feature is [a-z][a-z0-9_.-]{0,62}."));
            }
            else if (!seen.Add(feature))
            {
                errors.Add(new FieldError($"{at}/feature", "duplicate-feature", $"{feature} stands there before."));
            }

            if (entitlement is not null)
            {
                OfType(entitlement, at, meters, errors);
            }
        }

        return errors;
    }

    private static void OfType(EntitlementItem entitlement, string at, HashSet<string> meters, List<FieldError> errors)
    {
        if (entitlement.Type is not ("boolean" or "static" or "metered"))
        {
            errors.Add(new FieldError($"{at}/type", "unknown-type", "An entitlement is boolean, static or metered."));
            return;
        }

        if ((entitlement.Type == "static") != entitlement.Value is { Length: > 0 and <= 200 })
        {
            errors.Add(new FieldError($"{at}/value", "invalid-value", "A static entitlement has a value of 1 to 200 characters, and no other has one."));
        }

        if (entitlement.Type != "metered")
        {
            if (entitlement is not { Meter: null, Limit: null, Overage: null })
            {
                errors.Add(new FieldError(at, "metered-only", "Only a metered entitlement has meter, limit and overage."));
            }

            return;
        }

        if (entitlement.Meter is not { } meter || !meters.Contains(meter))
        {
            errors.Add(new FieldError($"{at}/meter", "unknown-meter", "There is no such meter. Define it first."));
        }

        if (!Nano.TryRead(entitlement.Limit ?? "", out _, out var mistake))
        {
            errors.Add(new FieldError($"{at}/limit", mistake.Code, mistake.Detail));
        }

        var overage = entitlement.Overage ?? new EntitlementOverage("deny");
        var rule = Words.Read<OverageRule>(overage.Policy);
        if (rule is null)
        {
            errors.Add(new FieldError($"{at}/overage/policy", "unknown-policy", $"Use beyond the limit is one of {Words.All<OverageRule>()}."));
        }
        else if (rule == OverageRule.AllowUpTo ? overage.Denominator < 1 || overage.Numerator <= overage.Denominator || overage.Numerator > 1_000_000 : (overage.Numerator, overage.Denominator) != (1, 1))
        {
            errors.Add(new FieldError($"{at}/overage", "invalid-factor", "The factor of allow_up_to is more than 1, with a numerator of 1,000,000 at most; no other policy has one."));
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_.-]{0,62}\z")]
    private static partial Regex Feature();
}
