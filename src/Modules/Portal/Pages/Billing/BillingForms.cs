using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Billing;

/// <summary>Closes periods, decides adjustments, and hands statements out as the bytes that they are.</summary>
internal static class BillingForms
{
    /// <summary>The parameters of the list of periods.</summary>
    public static readonly IReadOnlyCollection<string> Periods = ["customer", "contract", "state", "from", "to", "sort", "limit", "cursor"];

    /// <summary>The parameters of the list of statements.</summary>
    public static readonly IReadOnlyCollection<string> Statements = ["q", "customer", "contract", "period", "kind", "sort", "limit", "cursor"];

    /// <summary>The parameters of the list of adjustments.</summary>
    public static readonly IReadOnlyCollection<string> Adjustments = ["customer", "contract", "statement", "kind", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/billing/periods/{id:guid}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<PeriodPage>(http, async (page, form) =>
        {
            var period = await page.Api.GetPeriodAsync(id, page.Aborted);
            if (!BillingWords.IsMonth(form["month"].ToString(), period))
            {
                throw NotNamed(period);
            }

            var waived = form["waive"].OfType<string>().Where(code => code.Length > 0).ToList();
            var reason = form["reason"].ToString().Trim();
            var request = new ClosePeriodRequest(waived.Count == 0 ? null : waived, reason.Length == 0 ? null : reason);
            var statement = await page.Api.ClosePeriodAsync(id, request, new Precondition(form["key"], Tag: form["tag"]), page.Aborted);
            flashes.Leave(http, new Flash($"Closed {BillingWords.Month(period)} of {period.ContractNumber}. What comes later is booked in a later period.", $"/audit?target={id}&type=licensing.period-closed"));
            return Results.LocalRedirect($"/billing/statements/{statement.Id}");
        }));
        pages.MapPost("/billing/adjustments", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<AdjustmentList>(http, async (page, form) =>
        {
            var amount = form["amount"].ToString().Trim();
            var request = new CreateAdjustmentRequest(
                Id(form, "contractId"), form["kind"] == "credit" && amount.Length > 0 && amount[0] != '-' ? $"-{amount}" : amount, form["description"].ToString().Trim(), form["reason"].ToString().Trim(), Id(form, "statementId"));
            var booked = await page.Api.CreateAdjustmentAsync(request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Decided {booked.Amount.Amount} {booked.Amount.Currency}. It stands on the contract's next statement.", $"/audit?target={booked.Id}&type=licensing.adjustment-decided"));
            return Results.LocalRedirect($"/billing/adjustments?contract={booked.ContractId}");
        }));
        pages.MapGet("/billing/statements/{id:guid}/document.json", (Guid id, HttpContext http) => PortalPage.WithReaderAsync(http, async reader =>
        {
            var page = http.RequestServices.GetRequiredService<PageContext>();
            page.Enter(http, reader);
            var statement = page.AskAsync("licensing:read", (api, end) => api.GetStatementAsync(id, end));
            var content = await page.AskAsync("licensing:read", (api, end) => api.GetStatementContentAsync(id, end));
            return content.Refusal is { } refusal
                ? new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = refusal }, status: refusal.Status)
                : TypedResults.Bytes(content.Value!, "application/json", $"{(await statement).Value?.Number ?? id.ToString()}.json");
        }));
    }

    // Nothing is asked of the API that the reader has not named.
    private static ApiException NotNamed(PeriodItem period) => new(HttpStatusCode.UnprocessableEntity, new ProblemDocument(
        "/problems/invalid", "Not closed", 422, "Nothing was changed.", "invalid", null, [new FieldError("/month", "not-the-month", $"Type {BillingWords.Month(period)} to confirm which month it is.")]));

    private static Guid? Id(IFormCollection form, string field) => Guid.TryParse(form[field], CultureInfo.InvariantCulture, out var id) ? id : null;
}
