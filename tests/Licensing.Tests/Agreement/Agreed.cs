using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Agreement;

/// <summary>One host for all tests of what is agreed: 15 November 2026, a customer with two clusters, another one, prices in two currencies, and a plan.</summary>
public sealed class Agreed : IAsyncLifetime
{
    public const string Base = "/api/v1/licensing";

    public const string Sheet = """
        currency: EUR
        effectiveFrom: 2026-01-01T00:00:00Z
        rates:
          - { sku: hosts, meter: host_unit_seconds, unit: host unit hour, per: 3600, model: flat, tiers: [{ price: 0.05 }] }
        """;

    private int numbers;

    public ControlPlane Host { get; private set; } = null!;

    public ManualTime Time { get; } = new(new DateTimeOffset(2026, 11, 15, 12, 0, 0, TimeSpan.Zero));

    public Guid Customer { get; private set; }

    public Guid Other { get; private set; }

    public IReadOnlyList<Guid> Clusters { get; private set; } = [];

    public Guid Account { get; private set; }

    public Guid Book { get; private set; }

    public Guid Dollars { get; private set; }

    public Guid Plan { get; private set; }

    public HttpClient Own { get; private set; } = null!;

    public HttpClient Stranger { get; private set; } = null!;

    /// <summary>May everything, for as long as months of a contract take.</summary>
    public HttpClient Staff { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync(time: Time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        (Customer, Other) = ((await Host.CreateCustomerAsync("North")).Id, (await Host.CreateCustomerAsync("South")).Id);
        using var oslo = await TestCluster.EnrollAsync(Host, Customer, "Oslo");
        using var bergen = await TestCluster.EnrollAsync(Host, Customer, "Bergen");
        Clusters = [Guid.Parse(oslo.Id), Guid.Parse(bergen.Id)];
        (Own, Stranger) = (await ForAYearAsync(Customer, "licensing:read", "licensing:write"), await ForAYearAsync(Other, "licensing:read", "licensing:write"));
        Staff = await ForAYearAsync(null, "*");
        Account = (await MadeAsync<BillingAccountItem>("billing-accounts", new CreateBillingAccountRequest(Customer, "North AS", "EUR", "NO", "PO 7"))).Id;
        Plan = (await MadeAsync<PlanItem>("plans", new CreatePlanRequest("Standard", [new EntitlementItem("sso", "boolean"), new EntitlementItem("hosts", "metered", Meter: "host_unit_seconds", Limit: "3600")]))).Id;
        (Book, Dollars) = (await PublishedAsync("List", Sheet), await PublishedAsync("US", Sheet.Replace("EUR", "USD", StringComparison.Ordinal)));

        // A contract names clusters that licensing has learnt of.
        await Eventually.TrueAsync(async () =>
        {
            using var made = await SendAsync(HttpMethod.Post, "contracts", Draft(Terms(Clusters)));
            return made.StatusCode == HttpStatusCode.Created;
        }, "licensing knows the clusters");
    }

    public async ValueTask DisposeAsync()
    {
        Own?.Dispose();
        Stranger?.Dispose();
        Staff?.Dispose();
        await Host.DisposeAsync();
    }

    private async Task<HttpClient> ForAYearAsync(Guid? customer, params string[] scopes)
    {
        using var response = await Host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("test", scopes, customer, 366));
        response.EnsureSuccessStatusCode();
        var client = Host.Client(Host.Portal, (await response.Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri($"{Base}/customers", UriKind.Relative))).StatusCode == HttpStatusCode.OK, "the token is known");
        return client;
    }

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    public AgreedTerms Terms(IReadOnlyList<Guid>? clusters, string to = "2027-12-01T00:00:00Z") => new(At(to), null, Book, Plan, 1, clusters);

    public CreateContractRequest Draft(AgreedTerms terms, string from = "2026-12-01T00:00:00Z") => new(Customer, Account, $"C-{Interlocked.Increment(ref numbers)}", At(from), terms);

    /// <summary>Each call asks with a key of its own, unless it says otherwise.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body = null, string? match = null, string? key = "", HttpClient? by = null, string? type = null, string? accept = null)
    {
        using var request = new HttpRequestMessage(method, $"{Base}/{path}")
        {
            Content = body is string text ? new StringContent(text, Encoding.UTF8, string.IsNullOrEmpty(type) ? "application/yaml" : type) : body is null ? null : JsonContent.Create(body, body.GetType()),
        };
        if (type == "")
        {
            request.Content!.Headers.ContentType = null;
        }

        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key.Length > 0 ? key : Guid.CreateVersion7().ToString());
        }

        if (accept is not null)
        {
            request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        }

        return await (by ?? Staff).SendAsync(request);
    }

    public async Task<T> MadeAsync<T>(string path, object body, string? match = null)
    {
        using var made = await SendAsync(HttpMethod.Post, path, body, match);
        Assert.True(made.IsSuccessStatusCode, $"{path}: {made.StatusCode} {await made.Content.ReadAsStringAsync()}");
        return (await made.Content.ReadFromJsonAsync<T>())!;
    }

    public async Task<Guid> PublishedAsync(string name, string sheet)
    {
        var book = (await MadeAsync<PriceBookItem>("price-books", new CreatePriceBookRequest(name, sheet[10..13]))).Id;
        await MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions", sheet);
        await MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions/1/publish", new { }, "*");
        return book;
    }

    /// <summary>The problem of an answer, with its errors in order: pointer and code.</summary>
    public static async Task<string> ProblemAsync(HttpResponseMessage answer)
    {
        Assert.False(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        var problem = (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!;
        return string.Join(' ', new[] { $"{(int)answer.StatusCode} {problem.Code}" }.Concat((problem.Errors ?? []).Select(error => $"{error.Pointer}:{error.Code}")));
    }

    public async Task<T> GetAsync<T>(string path, HttpClient? by = null) => (await (by ?? Staff).GetFromJsonAsync<T>($"{Base}/{path}"))!;
}
