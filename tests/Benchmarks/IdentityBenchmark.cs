using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
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
        await RevocationsAsync(verdict, [host], revocations, atOnce: 1);
        return verdict.Passed;
    }

    /// <summary>How long a revoked token is still taken anywhere, by two of each role over PostgreSQL and RabbitMQ.</summary>
    public static async Task<bool> ReplicasAsync(int revocations)
    {
        var verdict = Verdict.Begin("identity --replicas", $"{revocations} tokens, eight at once, from their revocation until four roles of two processes refuse them", "PostgreSQL and RabbitMQ of this run's own");
        await using var servers = await Servers.StartAsync(new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        await servers.StartBesideAsync();

        // The bootstrap token is told to the roles by message.
        await Task.WhenAll(Doors.Append("/api/v1/identity/tokens").Select(door => Eventually.TrueAsync(async () => (await servers.Host.Admin.GetAsync(new Uri(door, UriKind.Relative))).IsSuccessStatusCode, $"the administrator's token opens {door}")));
        await RevocationsAsync(verdict, [servers.Host, servers.Beside!], revocations, atOnce: 8);
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

        using (var commands = new Commands())
        {
            await CpuAsync(1000, LookAsync);
            verdict.AtMost("commands to the database in 1000 of them", commands.Count, 0, "");
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

    private static async Task RevocationsAsync(Verdict verdict, ControlPlane[] hosts, int revocations, int atOnce)
    {
        var times = new ConcurrentBag<double>();
        await Parallel.ForAsync(0, revocations, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (i, cancellationToken) =>
        {
            using var made = await hosts[0].Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest($"job {i}", ["licensing:read", "fleet:read", "callhome:read", "notifications:read"]), cancellationToken);
            var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>(cancellationToken))!;
            var programs = hosts.Select(host => host.Client(host.Portal, token.Token)).ToList();
            await Task.WhenAll(programs.Select(program => AllAsync(program, HttpStatusCode.OK)));
            using var revoked = await hosts[0].Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null, cancellationToken);
            revoked.EnsureSuccessStatusCode();
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(programs.Select(program => AllAsync(program, HttpStatusCode.Unauthorized)));
            times.Add(clock.Elapsed.TotalSeconds);
            programs.ForEach(program => program.Dispose());
        });

        var all = times.ToList();
        Verdict.Note($"from the answer to the revocation until all refuse: median {At(all, 0.5):0.00} s, longest {all.Max():0.00} s");
        verdict.AtMost("from revocation to refusal, p99", At(all, 0.99), 5, " s");

        static async Task AllAsync(HttpClient program, HttpStatusCode status)
        {
            foreach (var door in Doors)
            {
                await Eventually.TrueAsync(async () => (await program.GetAsync(new Uri(door, UriKind.Relative))).StatusCode == status, $"{door} answers {status}");
            }
        }
    }

    private static double At(List<double> figures, double share) => figures.Order().ElementAt((int)Math.Min(figures.Count - 1, Math.Ceiling(figures.Count * share) - 1));

    /// <summary>Counts what whoever made it, and whatever that calls, asks of the database; not what the host does beside it.</summary>
    private sealed class Commands : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private readonly AsyncLocal<bool> counts = new();
        private readonly List<IDisposable> subscriptions = [];
        private int count;

        public Commands()
        {
            counts.Value = true;
            subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public int Count => count;

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == DbLoggerCategory.Name)
            {
                subscriptions.Add(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (counts.Value && value.Key == RelationalEventId.CommandExecuting.Name)
            {
                Interlocked.Increment(ref count);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => subscriptions.ForEach(one => one.Dispose());
    }
}
