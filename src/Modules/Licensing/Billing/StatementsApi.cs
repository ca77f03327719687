using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary><c>/api/v1/licensing/statements</c>: what was billed, as the bytes that its digest is of, and what its lines are made of. A statement never changes.</summary>
internal static class StatementsApi
{
    private static readonly ListOrders<Statement> Orders = new ListOrders<Statement>("-createdAt").By("createdAt", row => row.Id).By("from", row => row.FromHour, row => row.Id).By("number", row => row.Number, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var statements = api.MapGroup("/statements");
        statements.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListStatements").WithSummary("Statements, the newest first").Lists((StatementItem row) => row.Id.ToString()).Produces<Page<StatementItem>>().SortedBy(Orders);
        var one = statements.MapGroup("/{id:guid}").Shows("statement", static (ControlPlaneDbContext db, Guid id) => db.Set<Statement>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        one.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetStatement").WithSummary("One statement").Produces<StatementItem>();
        one.MapGet("/content", ContentAsync).RequireScope("licensing:read").WithName("GetStatementContent").WithSummary("The statement's bytes, which its digest is of").Produces<JsonElement>();
        one.MapGet("/lines", LinesAsync).RequireScope("licensing:read").WithName("ListStatementLines").WithSummary("The statement's lines and corrections; as a file by Accept: text/csv").Produces<Page<StatementLineItem>>();
        LineSources.Map(one);
    }

    private static async Task<IResult> ListAsync(
        ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, Guid? contract, Guid? period, string? kind, string? q, string? count, CancellationToken cancellationToken)
    {
        if (kind is not (null or "bill" or "restatement"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "kind is bill or restatement.");
        }

        var rows = db.Set<Statement>().AsNoTracking();
        rows = customer is null ? rows : rows.Where(row => row.CustomerId == customer);
        rows = contract is null ? rows : rows.Where(row => row.ContractId == contract);
        rows = period is null ? rows : rows.Where(row => row.PeriodId == period);
        rows = kind is null ? rows : rows.Where(row => row.Generation == 1 == (kind == "bill"));
        rows = rows.Holding(row => row.Number, q);
        return await Orders.PageAsync(list, rows, row => row.ToItem(), cancellationToken, count == "exact" ? await rows.LongCountAsync(cancellationToken) : null);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<Statement>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } statement)
        {
            return Problems.NotFound();
        }

        return IsAtHand(http, statement.ContentSha256) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Ok(statement.ToItem());
    }

    private static async Task<IResult> ContentAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<Statement>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } statement)
        {
            return Problems.NotFound();
        }

        return IsAtHand(http, statement.ContentSha256) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Bytes(statement.Content, "application/json");
    }

    private static async Task<IResult> LinesAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<Statement>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } statement)
        {
            return Problems.NotFound();
        }

        var lines = Lines(statement);
        return Csv.IsWanted(http.Request) ? Csv.File($"statement-{statement.Number}", lines) : TypedResults.Ok(new Page<StatementLineItem>(lines, null));
    }

    /// <summary>All that is added up on a statement, numbered as it stands there.</summary>
    public static IReadOnlyList<StatementLineItem> Lines(Statement statement)
    {
        using var document = JsonDocument.Parse(statement.Content);
        var root = document.RootElement;
        var currency = statement.Currency;
        var lines = new List<StatementLineItem>();
        foreach (var line in root.GetProperty("lines").EnumerateArray())
        {
            lines.Add(Line(line, "line", null, statement.FromHour, statement.ToHour));
        }

        foreach (var line in root.GetProperty("corrections").EnumerateArray())
        {
            var period = line.GetProperty("forPeriod");
            lines.Add(Line(line, "correction", line.GetProperty("statement").GetString(), Hour(period, "from"), Hour(period, "to")));
        }

        foreach (var line in root.GetProperty("adjustments").EnumerateArray())
        {
            var amount = line.GetProperty("amount").GetString()!;
            lines.Add(new StatementLineItem(
                lines.Count + 1, "adjustment", line.GetProperty("number").GetString(), UsageWindow.StartOf(statement.FromHour), UsageWindow.StartOf(statement.ToHour), null, 0, "adjustment", "production", false, line.GetProperty("description").GetString()!,
                null, null, null, null, null, amount, new MoneyItem(amount, currency)));
        }

        return lines;

        StatementLineItem Line(JsonElement line, string part, string? reference, int from, int to) => new(
            lines.Count + 1, part, reference, UsageWindow.StartOf(from), UsageWindow.StartOf(to), Text(line, "sku"), line.GetProperty("tier").GetInt32(), Text(line, "kind")!, Text(line, "use")!, line.GetProperty("estimated").GetBoolean(),
            Text(line, "description")!, Text(line, "meter"), Text(line, "quantity"), Text(line, "unit"), Text(line, "listUnitPrice"), Text(line, "unitPrice"), Text(line, "exact")!, new MoneyItem(Text(line, "amount")!, currency));

        static string? Text(JsonElement line, string name) => line.GetProperty(name).GetString();

        static int Hour(JsonElement period, string name) => UsageWindow.TryHour(period.GetProperty(name).GetString()!, out var hour) ? hour : throw new FormatException("The stored statement is damaged.");
    }

    // Equal tags are equal bytes: both are of the content.
    private static bool IsAtHand(HttpContext http, string sha256)
    {
        var tag = new EntityTagHeaderValue($"\"{sha256}\"");
        http.Response.Headers.ETag = tag.ToString();
        http.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return http.Request.GetTypedHeaders().IfNoneMatch is { Count: > 0 } known && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));
    }
}
