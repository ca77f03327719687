using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Http;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>What identity costs: looking at a token, signing in, and how long a revoked token is still taken.</summary>
internal static class IdentityBenchmark
{
    private static readonly string[] Doors = ["/api/v1/licensing/customers", "/api/v1/fleet/clusters", "/api/v1/callhome/enrollment-tokens", "/api/v1/notifications/contacts"];

    public static async Task<bool> RunAsync(int checks, int signIns, int revocations)
    {
        var verdict = Verdict.Begin("identity", $"{checks} looks at an API token that is remembered; {signIns} sign-ins with a passkey by HTTPS, question and answer; {revocations} tokens from their revocation until four roles refuse them", "SQLite, WAL, synchronous=FULL");
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        await ChecksAsync(verdict, host, checks);
        await SignInsAsync(verdict, host, time, signIns);
        await RevocationsAsync(verdict, host, revocations);
        return verdict.Passed;
    }

    private static async Task ChecksAsync(Verdict verdict, ControlPlane host, int checks)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var endpoint = new Endpoint(null, new EndpointMetadataCollection(new InModule("licensing")), "benchmark");
        var scheme = (await scope.ServiceProvider.GetRequiredService<IAuthenticationSchemeProvider>().GetSchemeAsync("Bearer"))!;
        var secret = Encoding.ASCII.GetBytes(host.AdminToken);
        var figures = new List<(double Check, double Floor)>();
        for (var round = 0; round < 6; round++)
        {
            var floor = await CpuAsync(checks, () => Task.FromResult(SHA256.HashData(secret).Length == 32));
            figures.Add((await CpuAsync(checks, LookAsync), floor));
        }

        foreach (var (check, floor) in figures.Skip(1))
        {
            Verdict.Note($"a look {check:0.00} µs, one SHA-256 of its text {floor:0.00} µs, ratio {floor / check:0.00}");
        }

        verdict.AtMost("a look at a token that is remembered, processor time, median", figures.Skip(1).Select(one => one.Check).Order().ElementAt(2), 20, " µs");

        async Task<bool> LookAsync()
        {
            var http = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
            http.SetEndpoint(endpoint);
            http.Connection.RemoteIpAddress = IPAddress.Loopback;
            http.Request.Headers.Authorization = $"Bearer {host.AdminToken}";
            // One request, one handler, as it is made for a request.
            var handler = (IAuthenticationHandler)ActivatorUtilities.CreateInstance(scope.ServiceProvider, scheme.HandlerType);
            await handler.InitializeAsync(scheme, http);
            return (await handler.AuthenticateAsync()).Succeeded;
        }
    }

    private static async Task<double> CpuAsync(int times, Func<Task<bool>> act)
    {
        var before = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < times; i++)
        {
            if (!await act())
            {
                throw new InvalidOperationException("The token is not taken.");
            }
        }

        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / times;
    }

    private static async Task SignInsAsync(Verdict verdict, ControlPlane host, ManualTime time, int signIns)
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var browser = host.Client(host.Portal);
        var passkey = new List<double>();
        for (var i = 0; i < signIns + 20; i++)
        {
            var clock = Stopwatch.StartNew();
            using var begun = await browser.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
            var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
            using var answer = await browser.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(asked.Challenge, ada.Passkey.Get(asked.Options)));
            answer.EnsureSuccessStatusCode();
            passkey.Add(clock.Elapsed.TotalMilliseconds);
        }

        // A code counts once, so every password has a half minute of its own; the clock is moved, not waited for.
        var hasher = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 210_000 }));
        var hash = hasher.HashPassword(ada, SomebodySignedIn.Password);
        var (password, hashing) = (new List<double>(), new List<double>());
        for (var i = 0; i < Math.Max(20, signIns / 5); i++)
        {
            time.Advance(TimeSpan.FromSeconds(31));
            var clock = Stopwatch.StartNew();
            using var answer = await ada.TryAsync();
            answer.EnsureSuccessStatusCode();
            password.Add(clock.Elapsed.TotalMilliseconds);
            clock.Restart();
            hasher.VerifyHashedPassword(ada, hash, SomebodySignedIn.Password);
            hashing.Add(clock.Elapsed.TotalMilliseconds);
        }

        var median = hashing.Order().ElementAt(hashing.Count / 2);
        Verdict.Note($"passkey: median {At(passkey, 0.5):0.0} ms, p99 {At(passkey, 0.99):0.0} ms; password: median {At(password, 0.5):0.0} ms, p99 {At(password, 0.99):0.0} ms, of which the hash {median:0.0} ms");
        verdict.AtMost("sign-in with a passkey, p99", At(passkey, 0.99), 500, " ms");
        verdict.AtMost("sign-in with password and code besides the hash, p99", At(password, 0.99) - median, 500, " ms");
    }

    private static async Task RevocationsAsync(Verdict verdict, ControlPlane host, int revocations)
    {
        var times = new List<double>();
        for (var i = 0; i < revocations; i++)
        {
            using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest($"job {i}", ["licensing:read", "fleet:read", "callhome:read", "notifications:read"]));
            var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
            using var program = host.Client(host.Portal, token.Token);
            await AllAsync(program, HttpStatusCode.OK);
            using var revoked = await host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);
            revoked.EnsureSuccessStatusCode();
            var clock = Stopwatch.StartNew();
            await AllAsync(program, HttpStatusCode.Unauthorized);
            times.Add(clock.Elapsed.TotalSeconds);
        }

        Verdict.Note($"from the answer to the revocation until all refuse: median {At(times, 0.5):0.00} s, longest {times.Max():0.00} s");
        verdict.AtMost("from revocation to refusal, p99", At(times, 0.99), 5, " s");

        static async Task AllAsync(HttpClient program, HttpStatusCode status)
        {
            foreach (var door in Doors)
            {
                await Eventually.TrueAsync(async () => (await program.GetAsync(new Uri(door, UriKind.Relative))).StatusCode == status, $"{door} answers {status}");
            }
        }
    }

    private static double At(List<double> figures, double share) => figures.Order().ElementAt((int)Math.Min(figures.Count - 1, Math.Ceiling(figures.Count * share) - 1));
}
