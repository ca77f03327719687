using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Http;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages.Audit;
using MissionControl.Portal.Pages.Billing;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Pages.Customers;
using MissionControl.Portal.Pages.Leaks;
using MissionControl.Portal.Pages.Licenses;

namespace MissionControl.Portal.Lists;

/// <summary>Every list and report that can be had as a file and as a call of the API.</summary>
internal static class ListFiles
{
    public static readonly IReadOnlyList<ListFile> All =
    [
        Rows<ClusterSummary>("/clusters", "fleet:read", "/api/v1/fleet/clusters", "clusters", ClusterFilters.Clusters) with { Own = ["cols"] },
        new("/fleet/versions", "fleet:read", "/api/v1/fleet/versions", "versions", [], async (api, call, name, end) => Csv.File(name, VersionRow.Of(await api.GetAsync<FleetVersions>(call, end)))),
        Rows<NodeItem>("/clusters/{id:guid}/nodes", "fleet:read", "/api/v1/fleet/clusters/{id}/nodes", "nodes-{id}"),
        Rows<RuleChangeItem>("/clusters/{id:guid}/health", "fleet:read", "/api/v1/fleet/clusters/{id}/health/changes", "health-changes-{id}", "rule", "sort", "limit", "cursor"),
        Rows<EventItem>("/clusters/{id:guid}/events", "fleet:read", "/api/v1/fleet/clusters/{id}/events", "events-{id}", ClusterFilters.Events),
        new("/clusters/{id:guid}/metrics", "fleet:read", "/api/v1/fleet/clusters/{id}/history", "metrics-{id}", [], async (api, call, name, end) => Csv.File(name, HistoryRow.Of(await api.GetAsync<HistoryDocument>(call, end))))
        {
            Own = ["range", "with"],
            Meaning = (http, now) => HistorySpan.Of(http.Request).Query(now, HistorySpan.Shown),
        },
        new("/clusters/{id:guid}/usage", "licensing:read", "/api/v1/licensing/usage", "usage-{id}", [], async (api, call, name, end) => Csv.File(name, UsageRow.Of(await api.GetAsync<UsageReport>(call, end))))
        {
            Own = ["days"],
            Meaning = (http, now) => UsageSpan.Of(http.Request, now).Query(Guid.Parse(http.Request.RouteValues["id"]!.ToString()!)),
        },
        Rows<EnrollmentTokenItem>("/clusters/enrol", "callhome:read", "/api/v1/callhome/enrollment-tokens", "enrolment-tokens", "sort", "limit", "cursor") with { Own = ["customer"] },
        Rows<CustomerItem>("/customers", "licensing:read", "/api/v1/licensing/customers", "customers", CustomerForms.Filters),
        Rows<PeriodItem>("/billing/periods", "licensing:read", "/api/v1/licensing/periods", "periods", BillingForms.Periods),
        Rows<StatementItem>("/billing/statements", "licensing:read", "/api/v1/licensing/statements", "statements", BillingForms.Statements),
        Rows<StatementLineItem>("/billing/statements/{id:guid}", "licensing:read", "/api/v1/licensing/statements/{id}/lines", "statement-{id}"),
        Rows<LineSourceItem>("/billing/statements/{id:guid}/lines/{line:long}", "licensing:read", "/api/v1/licensing/statements/{id}/lines/{line}/sources", "statement-{id}-line-{line}", "limit", "cursor"),
        Rows<AdjustmentItem>("/billing/adjustments", "licensing:read", "/api/v1/licensing/adjustments", "adjustments", BillingForms.Adjustments),
        Rows<LicenseItem, LicenseRow>("/licences", "licensing:read", "/api/v1/licensing/licenses", "licences", LicenseRow.Of, LicenseForms.Filters),
        Rows<DeliveryItem>("/messages", "notifications:read", "/api/v1/notifications/deliveries", "messages", "state", "limit", "cursor"),
        Rows<ContactItem>("/messages/contacts", "notifications:read", "/api/v1/notifications/contacts", "contacts", "sort", "limit", "cursor") with { Own = ["customer"] },
        Rows<EndpointItem>("/messages/endpoints", "notifications:read", "/api/v1/notifications/endpoints", "endpoints", "sort", "limit", "cursor") with { Own = ["customer"] },
        Rows<LeakItem>("/leaks", "identity:read", "/api/v1/identity/leaks", "leaks", LeakForms.Filters),
        Rows<AuditEntryItem, AuditRow>("/audit", "audit:read", "/api/v1/audit/entries", "audit", AuditRow.Of, AuditForms.Filters) with
        {
            // Names and addresses must stay erasable, and a file is not.
            Trim = item => (item["entry"] as JsonObject)?.Remove("personal"),
        },
        Rows<ParkedMessageItem>("/system/parked", "system:read", "/api/v1/{role}/parked-messages", "parked-{role}", "consumer", "state", "sort", "limit", "cursor") with { Own = ["role"] },
        Rows<JobItem>("/system/jobs", "system:read", "/api/v1/{role}/jobs", "jobs-{role}") with { Own = ["role"] },
        Rows<TaskSummary>("/tasks", null, "/api/v1/{role}/tasks", "tasks-{role}", "state", "sort", "limit", "cursor") with { Own = ["role"] },
        Rows<TaskResult>("/tasks/{role}/{id:guid}", null, "/api/v1/{role}/tasks/{id}/items", "task-{id}", "sort", "limit", "cursor") with { Own = ["show"], Meaning = (http, _) => TaskWords.Choice(http.Request).Query },
    ];

    /// <summary>The list that a request is for, by the route of its page; null when it shows none.</summary>
    public static ListFile? Of(HttpContext http) => http.GetEndpoint() is RouteEndpoint endpoint ? All.FirstOrDefault(list => list.Route == endpoint.RoutePattern.RawText) : null;

    public static void Map(IEndpointRouteBuilder pages)
    {
        foreach (var list in All)
        {
            list.Map(pages);
        }
    }

    private static ListFile Rows<T>(string route, string? scope, string api, string name, params IReadOnlyCollection<string> takes) => Rows<T, T>(route, scope, api, name, row => row, takes);

    private static ListFile Rows<T, TRow>(string route, string? scope, string api, string name, Func<T, TRow> row, IReadOnlyCollection<string> takes) => new(route, scope, api, name, takes, async (client, call, file, end) =>
    {
        var first = await client.GetAsync<Page<T>>(call, end);
        return Csv.File(file, EveryPage.OfAsync(first, next => client.GetAsync<Page<T>>(next, end)).Select(row));
    });

    /// <summary>One meter in one hour or day; null where nothing was reported.</summary>
    private sealed record UsageRow(DateTimeOffset At, string Meter, int Version, string Unit, string? Value, long ReceivedHours, long MissingHours)
    {
        public static IEnumerable<UsageRow> Of(UsageReport report) => report.Series.SelectMany(series => report.Buckets.Select((bucket, i) =>
            new UsageRow(bucket.At, series.Meter, series.Version, series.Unit, series.Values[i], bucket.Completeness.ReceivedHours, bucket.Completeness.MissingHours)));
    }

    /// <summary>A version of the product or of the collectors, and how many have it.</summary>
    private sealed record VersionRow(string Kind, string Version, long Clusters, long? Customers, long? Collectors)
    {
        public static IEnumerable<VersionRow> Of(FleetVersions versions) => versions.Product.Select(one => new VersionRow("product", one.Version, one.Clusters, one.Customers, null))
            .Concat(versions.Collectors.Select(one => new VersionRow("collector", one.Version, one.Clusters, null, one.Collectors)));
    }

    /// <summary>A metric at an instant: mean, least and greatest; null where nothing was measured.</summary>
    private sealed record HistoryRow(DateTimeOffset At, string Metric, double? Value, double? Least, double? Greatest)
    {
        public static IEnumerable<HistoryRow> Of(HistoryDocument history) => history.Series.SelectMany(series => series.Values.Select((value, i) =>
            new HistoryRow(history.From.AddSeconds((double)i * history.StepSeconds), series.Metric, value, series.Least[i], series.Greatest[i])));
    }

    /// <summary>An entry without names and addresses: those must stay erasable, and a file is not.</summary>
    private sealed record AuditRow(
        Guid Id, DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, string Log, string Type, string Outcome, string ActorKind, string ActorId, string TargetType, string TargetId, Guid? CustomerId, Guid? ClusterId,
        string? Reason, string Producer, long ProducerSeq)
    {
        public static AuditRow Of(AuditEntryItem entry) => new(
            entry.Id, entry.OccurredAt, entry.RecordedAt, entry.Log, entry.Type, entry.Outcome, entry.ActorKind, entry.ActorId, entry.TargetType, entry.TargetId, entry.CustomerId, entry.ClusterId,
            entry.Reason, entry.Producer, entry.ProducerSeq);
    }
}
