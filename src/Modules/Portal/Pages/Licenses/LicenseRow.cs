using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Portal.Pages.Licenses;

/// <summary>A licence in one line of a file.</summary>
internal sealed record LicenseRow(
    Guid Id, Guid CustomerId, string Plan, string Kind, string State, string Code, string Decision, string Clusters, string Limits, DateTimeOffset? LastReportAt, DateTimeOffset? LeaseUntil, DateTimeOffset NotBefore, DateTimeOffset NotAfter, long? Serial)
{
    public static LicenseRow Of(LicenseItem item) => new(
        item.Id, item.CustomerId, item.Plan, item.Kind, item.Standing.State, item.Standing.Code, item.Standing.Decision, string.Join(' ', item.Clusters), string.Join("; ", item.Standing.Limits.Select(limit => $"{limit.Meter} {limit.Used} of {limit.Limit}")),
        item.LastReportAt, item.Standing.LeaseUntil, item.NotBefore, item.NotAfter, item.Standing.Serial);
}
