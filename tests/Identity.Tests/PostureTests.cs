using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Leaks;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;
using static MissionControl.Identity.Tests.PostureSeeds;
using static MissionControl.Identity.Tests.ProgramsHost;

namespace MissionControl.Identity.Tests;

/// <summary>What is loose: each check finds what it looks for, and nothing beside it.</summary>
public sealed class PostureTests : IAsyncLifetime
{
    private const string Path = "/api/v1/identity/posture";

    private static readonly string[] OfCustomers =
    [
        "leaks-open", "few-administrators", "administrators-away", "administrator-invitations", "people-without-passkey", "people-away", "people-without-role", "providers-without-second-factor", "wide-rights",
        "tokens-unused", "credentials-expiring", "accounts-without-owner", "accounts-without-credential",
    ];

    private readonly StatementsOf statements = new(Path);
    private ProgramsHost programs = null!;
    private PostureSeeds seeds = null!;
    private DateTimeOffset now;

    private ControlPlane Host => programs.Host;

    public async ValueTask InitializeAsync()
    {
        programs = await ProgramsHost.StartAsync(
            configuration: new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Command"] = "Information",
                ["Identity:Providers:0:Id"] = "lax", ["Identity:Providers:0:Name"] = "Lax sign-in", ["Identity:Providers:0:Issuer"] = "https://lax.example.com", ["Identity:Providers:0:ClientId"] = "mission-control",
                ["Identity:Providers:1:Id"] = "strict", ["Identity:Providers:1:Name"] = "Strict sign-in", ["Identity:Providers:1:Issuer"] = "https://strict.example.com", ["Identity:Providers:1:ClientId"] = "mission-control", ["Identity:Providers:1:RequiredAmr"] = "hwk",
            },
            services: services => services.AddSingleton<ILoggerProvider>(statements));
        now = DateTimeOffset.FromUnixTimeMilliseconds(programs.Time.GetUtcNow().ToUnixTimeMilliseconds());
        seeds = new PostureSeeds(Host, now);
    }

    public async ValueTask DisposeAsync() => await programs.DisposeAsync();

    [Fact]
    public async Task Each_check_finds_what_it_looks_for_and_nothing_beside_it()
    {
        var (customer, other) = ((await Host.CreateCustomerAsync("Acme")).Id, (await Host.CreateCustomerAsync("Other")).Id);
        var empty = await LookAsync(customer);
        Assert.Equal(OfCustomers, empty.Checks.Select(check => check.Code));
        Assert.Equal(["few-administrators"], FoundIn(empty));
        Assert.Equal(2, Of(empty, "few-administrators").Count);

        // Everything in order, and beside it whatever is nearly loose, or another's.
        var (ada, bob) = (seeds.Somebody(customer, "ada", "customer-administrator"), seeds.Somebody(customer, "bob", "customer-administrator", now.AddDays(-89)));
        var billing = seeds.Account(customer, ada.Id, "in order");
        await seeds.AddAsync([ada, bob, billing, Token(customer, "fresh", now.AddDays(-10), 60, billing.Id)]);
        await AddNearlyLooseAsync(customer, ada.Id);
        await AddLooseAsync(other, []);
        var tidy = await LookAsync(customer);
        Assert.Empty(FoundIn(tidy));
        Assert.Equal(0, tidy.Found);
        Assert.All(tidy.Checks, check => Assert.Equal(("passed", 0L, 0), (check.State, check.Count, check.Things.Count)));
        Assert.All(tidy.Checks, check => Assert.True(check.Title.Length > 10 && check.Advice.Length > 20, check.Code));

        // One loose thing after the other; each is found by its check, and by no other but those that look for the same.
        var seen = new HashSet<string>();
        await AddLooseAsync(customer, seen);
        Assert.Equal(OfCustomers.Except(["few-administrators"]).Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));

        // The one that is left would be the last.
        await seeds.DisableAsync(ada.Id);
        var few = Of(await LookAsync(customer), "few-administrators");
        Assert.Equal((1L, bob.Id.ToString(), "bob"), (few.Count, few.Things.Single().Id, few.Things.Single().Label));
    }

    [Fact]
    public async Task The_vendors_own_is_apart_from_the_customers_and_has_the_token_of_the_first_start()
    {
        var customer = (await Host.CreateCustomerAsync("Acme")).Id;
        await AddLooseAsync(customer, []);
        var posture = await LookAsync(null);
        Assert.Equal(OfCustomers.Prepend("bootstrap-token"), posture.Checks.Select(check => check.Code));
        Assert.Equal(["bootstrap-token", "few-administrators", "providers-without-second-factor"], FoundIn(posture));
        Assert.Equal((1L, 1), (Of(posture, "few-administrators").Count, Of(posture, "few-administrators").Things.Count));
        Assert.Equal(("provider", "lax", "Lax sign-in"), Of(posture, "providers-without-second-factor").Things.Select(thing => (thing.Kind, thing.Id, thing.Label)).Single());

        // A second administrator, and the bootstrap token gone. One who may do everything without being it is wide.
        await SomebodySignedIn.InviteByAsync(Host, programs.Root, "joan@vendor.example", "administrator");
        var (wide, token) = await Host.ClientWithTokenAsync(null, "*");
        using var _ = wide;
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsync(new Uri($"/api/v1/identity/tokens/{Of(posture, "bootstrap-token").Things.Single().Id}/revoke", UriKind.Relative), null)));
        posture = await LookAsync(null);
        Assert.Equal(["providers-without-second-factor", "wide-rights"], FoundIn(posture));
        Assert.Equal(("token", token.Id), Of(posture, "wide-rights").Things.Select(thing => (thing.Kind, thing.Id)).Single());
    }

    [Fact]
    public async Task A_customers_administrator_sees_its_own_and_nobody_sees_another_customers()
    {
        var (customer, other) = ((await Host.CreateCustomerAsync("Acme")).Id, (await Host.CreateCustomerAsync("Other")).Id);
        var ada = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "ada@acme.example", "customer-administrator", customer);
        using var adas = await ada.ApiAsync();
        await AddLooseAsync(other, []);
        var own = (await adas.GetFromJsonAsync<PostureReport>(Path))!;
        Assert.Equal((customer, 1, "few-administrators"), (own.CustomerId!.Value, own.Found, FoundIn(own).Single()));
        Assert.Equal("ada", Of(own, "few-administrators").Things.Single().Label);
        Assert.Equivalent(own with { AsOf = default }, (await adas.GetFromJsonAsync<PostureReport>($"{Path}?customer={customer}"))! with { AsOf = default });
        Assert.Equal("not-found", await CodeAsync(adas.GetAsync(new Uri($"{Path}?customer={other}", UriKind.Relative))));
        Assert.Equal("not-found", await CodeAsync(adas.GetAsync(new Uri($"{Path}?customer={Guid.NewGuid()}", UriKind.Relative))));

        var (fleet, _) = await Host.ClientWithTokenAsync(customer, "fleet:read");
        using var few = fleet;
        Assert.Equal("scope-missing", await CodeAsync(few.GetAsync(new Uri(Path, UriKind.Relative))));
    }

    [Fact]
    public async Task However_many_there_are_as_few_questions_are_asked_and_twenty_things_are_told()
    {
        var customer = (await Host.CreateCustomerAsync("Acme")).Id;
        async Task<int> AskAsync(int people)
        {
            await seeds.AddAsync(Enumerable.Range(0, people).Select(i => seeds.Somebody(customer, $"person {i}", null, now.AddDays(-100 - i), hasPasskey: false)));
            await seeds.AddAsync(Enumerable.Range(0, people).Select(_ => seeds.Leak(customer, "Lost")));
            await seeds.AddAsync(Enumerable.Range(0, people).Select(i => Token(customer, $"token {i}", now.AddDays(-100), 365)));

            // What the host does beside it can only add to the count: the fewest of some looks are its own.
            var fewest = int.MaxValue;
            for (var look = 0; look < 5; look++)
            {
                statements.Clear();
                await LookAsync(customer);
                fewest = Math.Min(fewest, statements.Count);
            }

            return fewest;
        }

        // The first look is written into the customer's log.
        await LookAsync(customer);
        var some = await AskAsync(25);
        var many = await AskAsync(300);
        Assert.InRange(some, 10, 40);
        Assert.Equal(some, many);

        var away = Of(await LookAsync(customer), "people-away");
        Assert.Equal((325L, 20), (away.Count, away.Things.Count));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"person {299 - i}"), away.Things.Select(thing => thing.Label));

        // Where there is a list of just these, the link leads to all of them.
        var leaks = Of(await LookAsync(customer), "leaks-open");
        var list = (await programs.Api.GetFromJsonAsync<Page<LeakItem>>($"{leaks.Link}&count=exact&limit=500"))!;
        Assert.Equal((325L, 325L, customer), (leaks.Count, list.Total!.Value, list.Items.Select(leak => leak.CustomerId).Distinct().Single()!.Value));
        Assert.Null(Of(await LookAsync(null), "leaks-open").Link);
    }

    /// <summary>Of each kind one that is just not loose.</summary>
    private async Task AddNearlyLooseAsync(Guid customer, Guid administrator)
    {
        var gone = seeds.Somebody(customer, "gone", null, now.AddDays(-300), hasPasskey: false);
        gone.Person.Disable(now);
        var (stopped, keyed) = (seeds.Account(customer, administrator, "stopped"), seeds.Account(customer, administrator, "by key"));
        stopped.Disable(now);
        var (used, revoked, rotated) = (Token(customer, "used", now.AddDays(-200), 366), Token(customer, "revoked", now.AddDays(-200), 366), Token(customer, "rotated", now.AddDays(-10), 30));
        Assert.True(revoked.TryRevoke(now));
        var successor = rotated.Rotate(TimeSpan.FromDays(1), TimeSpan.FromDays(90), now, out _);
        var closed = seeds.Leak(customer, "Closed");
        closed.Close("test", "it was a test", "person:x", now);
        await seeds.AddAsync(
        [
            gone, seeds.Somebody(customer, "federated", "customer-viewer", hasPasskey: false, isFederated: true), stopped, keyed, seeds.Key(keyed.Id, 15), used, Used(used.Id, now.AddDays(-89), accepted: 1), revoked, rotated, successor, closed,
            Token(customer, "new", now.AddDays(-89), 300), Token(customer, "ends later", now, 15), Token(customer, "ordinary", now, 90, null, "identity:read", "fleet:write"),
            Invited(customer, "customer-viewer", now), Invited(customer, "customer-administrator", now.AddDays(-8)), seeds.Provider(customer, "strict", "hwk"),
        ]);
    }

    /// <summary>Adds one loose thing after the other, and sees that only those checks find it that look for it.</summary>
    private async Task AddLooseAsync(Guid customer, HashSet<string> seen)
    {
        var (left, keeper) = (seeds.Somebody(customer, "left", "customer-viewer"), seeds.Somebody(customer, "keeper", "customer-viewer"));
        left.Person.Disable(now.AddDays(-3));
        await seeds.AddAsync([left, keeper]);
        await FindAsync("leaks-open", "leak", "Lost", now, [seeds.Leak(customer, "Lost")]);
        await FindAsync("administrators-away", "person", "carl", now.AddDays(-91), [seeds.Somebody(customer, "carl", "customer-administrator", now.AddDays(-91), isFederated: true)], "people-away");
        await FindAsync("administrator-invitations", "invitation", "Invited", now, [Invited(customer, "customer-viewer customer-administrator", now)]);
        await FindAsync("people-without-passkey", "person", "dora", seeds.Made, [seeds.Somebody(customer, "dora", "customer-viewer", hasPasskey: false)]);
        await FindAsync("people-away", "person", "never came", seeds.Made, [seeds.Somebody(customer, "never came", "customer-viewer", neverCame: true)]);
        var erik = seeds.Somebody(customer, "erik", null);
        await FindAsync("people-without-role", "person", "erik", now.AddDays(-5), [erik, new HeldRole { PersonId = erik.Id, Role = "customer-viewer", Since = seeds.Made, Until = now.AddDays(-5) }]);
        await FindAsync("providers-without-second-factor", "provider", "lax", now, [seeds.Provider(customer, "lax", "")]);
        var wide = seeds.Account(customer, keeper.Id, "wide", "fleet:read updates:sign");
        await FindAsync("wide-rights", "service-account", "wide", now, [wide, seeds.Key(wide.Id, 100)]);
        await FindAsync("wide-rights", "token", "everything", now, [Token(customer, "everything", now, 100, null, "*")]);
        var unused = Token(customer, "unused", now.AddDays(-200), 366);
        await FindAsync("tokens-unused", "token", "unused", now.AddDays(-91), [unused, Used(unused.Id, now.AddDays(-91), accepted: 1), Used(unused.Id, now, refused: 9)]);
        await FindAsync("tokens-unused", "token", "never used", now.AddDays(-91), [Token(customer, "never used", now.AddDays(-91), 366)]);
        await FindAsync("credentials-expiring", "token", "ends", now, [Token(customer, "ends", now, 13)]);
        await FindAsync("credentials-expiring", "key", "key", now, [seeds.Key(wide.Id, 13)]);
        var orphan = seeds.Account(customer, left.Id, "nobody's");
        await FindAsync("accounts-without-owner", "service-account", "nobody's", now.AddDays(-3), [orphan, seeds.Key(orphan.Id, 100)]);
        var bare = seeds.Account(customer, keeper.Id, "bare");
        var ended = Token(customer, "ended", now, 100, bare.Id);
        ended.TryRevoke(now);
        await FindAsync("accounts-without-credential", "service-account", "bare", now, [bare, ended]);

        async Task FindAsync(string code, string kind, string label, DateTimeOffset since, IEnumerable<object> rows, params string[] besides)
        {
            var before = await LookAsync(customer);
            await seeds.AddAsync(rows);
            var after = await LookAsync(customer);
            Assert.Equal(besides.Append(code).Order(StringComparer.Ordinal), after.Checks.Where(check => check.Count != Of(before, check.Code).Count).Select(check => check.Code).Order(StringComparer.Ordinal));
            var thing = Of(after, code).Things.Single(thing => thing.Label == label || thing.Label.StartsWith($"{label} (", StringComparison.Ordinal));
            Assert.Equal((code, kind, since), (code, thing.Kind, thing.Since!.Value));
            Assert.Equal("found", Of(after, code).State);
            seen.UnionWith(besides.Append(code));
        }
    }

    private static UsedToken Used(string token, DateTimeOffset at, int accepted = 0, int refused = 0) => new() { TokenId = token, Address = $"192.0.2.{accepted}{refused}", FirstAt = at, LastAt = at, Accepted = accepted, Refused = refused };

    private static string[] FoundIn(PostureReport report) => [.. report.Checks.Where(check => check.State == "found").Select(check => check.Code)];

    private static PostureCheck Of(PostureReport report, string code) => report.Checks.Single(check => check.Code == code);

    private async Task<PostureReport> LookAsync(Guid? customer) => (await programs.Api.GetFromJsonAsync<PostureReport>(customer is null ? Path : $"{Path}?customer={customer}"))!;
}
