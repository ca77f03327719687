using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Host;
using MissionControl.Identity.SignIn;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Whatever state an account is in, or whether there is one at all: who is not let in learns it neither from the words nor from the time.</summary>
public sealed class EnumerationTests : IAsyncLifetime
{
    private const string Wrong = "not this one, but long";

    // Answers to strangers leave at full half seconds: what is compared is at which one, in milliseconds.
    private const double Beat = 500;
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" },
        services: static services => services.PostConfigure<PasswordHasherOptions>(static options => options.IterationCount = Passwords.Iterations));

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_guess_costs_what_it_should_where_no_test_says_otherwise()
    {
        await using var product = ControlPlaneHost.Build(new HostSettings { Data = host.Data, Serves = false });
        Assert.True(product.Services.GetRequiredService<IOptions<PasswordHasherOptions>>().Value.IterationCount >= 210_000);
        Assert.Equal(PasswordHasherCompatibilityMode.IdentityV3, product.Services.GetRequiredService<IOptions<PasswordHasherOptions>>().Value.CompatibilityMode);
    }

    [Fact]
    public async Task Known_unknown_disabled_locked_and_passkey_only_accounts_get_one_answer_at_one_beat()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var known = await SomebodySignedIn.InviteAsync(host, "known@vendor.example", "viewer");
        var disabled = await SomebodySignedIn.InviteAsync(host, "disabled@vendor.example", "viewer");
        var locked = await SomebodySignedIn.InviteAsync(host, "locked@vendor.example", "viewer");
        var keyed = await SomebodySignedIn.InviteAsync(host, "keyed@vendor.example", "viewer");
        var nobody = new SomebodySignedIn(host, "nobody@vendor.example") { Secret = known.Secret };
        using (var api = await keyed.ApiAsync())
        {
            using var given = await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/remove", new RemoveFactorRequest());
            Assert.Equal(HttpStatusCode.NoContent, given.StatusCode);
        }

        using (var api = await root.ApiAsync())
        {
            var id = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=100"))!.Items.Single(person => person.Email == disabled.Email).Id;
            using var stopped = await api.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest());
            stopped.EnsureSuccessStatusCode();
        }

        // So often that it stays locked as long as this takes.
        for (var i = 0; i < 12; i++)
        {
            using var wrong = await locked.TryAsync(Wrong);
            time.Advance(i < 11 ? TimeSpan.FromMinutes(16) : TimeSpan.Zero);
        }

        var least = new Dictionary<string, double>();
        var said = new HashSet<string>();
        var round = 0;

        // What else the machine does only adds to an answer's time: the shortest of each says at which beat it leaves, once there are enough of them.
        await Eventually.TrueAsync(async () =>
        {
            foreach (var (what, who, password, code) in new[]
            {
                ("a wrong password", known, Wrong, "000000"), ("nobody", nobody, Wrong, "000000"), ("disabled, and all is right", disabled, SomebodySignedIn.Password, disabled.Code()), ("locked, and all is right", locked, SomebodySignedIn.Password, locked.Code()),
                ("passkeys only, and the password of before", keyed, SomebodySignedIn.Password, "000000"), ("no mail address at all", new SomebodySignedIn(host, "x"), Wrong, "x"),
            })
            {
                var began = Stopwatch.GetTimestamp();
                using var answer = await who.TryAsync(password, code);
                var took = Math.Floor(Stopwatch.GetElapsedTime(began).TotalMilliseconds / Beat);
                least[what] = Math.Min(least.GetValueOrDefault(what, double.MaxValue), took);
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                var problem = (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!;
                said.Add($"{problem.Code} {problem.Title} {problem.Detail} {string.Join(',', answer.Headers.Select(header => header.Key).Order())}");
            }

            return ++round >= 4 && least.Values.Distinct().Count() == 1;
        }, "all answers leave at one beat", TimeSpan.FromMinutes(3));
        Assert.Single(said);
        Assert.All(least.Values, beat => Assert.InRange(beat, 1, 20));
    }
}
