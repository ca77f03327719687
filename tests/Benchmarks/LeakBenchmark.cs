using System.Diagnostics;
using System.Net.Http.Json;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>A report of GitHub's secret scanning with many live tokens: from the request to an answer that says that all of them are revoked.</summary>
internal static class LeakBenchmark
{
    public static async Task<bool> RunAsync(int tokens, int rounds)
    {
        var verdict = Verdict.Begin("leaks", $"one signed report of {tokens} live API tokens by HTTPS, from request to last byte: each verified, revoked, its incident and audit entries written, every role and all owners to be told by the outbox", "SQLite, WAL, synchronous=FULL, committed before the answer");
        var data = Directory.CreateTempSubdirectory("mc-bench-").FullName;
        try
        {
            await using var scanner = await SecretScanner.StartAsync();
            await using var host = new HostProcess(data);
            await host.StartAsync(settings: new Dictionary<string, string> { ["MissionControl__Identity__Leaks__GitHubKeysUrl"] = scanner.KeysUrl });
            using var admin = host.Client(host.Portal, host.AdminToken);
            using var stranger = host.Client(host.Portal);
            await ReportAsync(scanner, stranger, await MakeAsync(admin, 20));
            var times = new List<double>();
            for (var round = 1; round <= rounds; round++)
            {
                var body = await MakeAsync(admin, tokens);
                var before = host.ReadCpu();
                var clock = Stopwatch.StartNew();
                var took = await ReportAsync(scanner, stranger, body);

                // The floor: the same report once more. It is checked and looked up as before, and finds nothing left to do.
                var again = await ReportAsync(scanner, stranger, body);
                var others = host.ReadCpu().OthersSince(before, clock.Elapsed);
                times.Add(took);
                Verdict.Note($"round {round}: {took:0.000} s, {tokens / took:0} tokens/s; the same report again {again:0.000} s; ratio {again / took:0.00}; others {others:0.00}{(others > 0.15 ? " disturbed" : "")}");
            }

            var leaks = (await admin.GetFromJsonAsync<Page<LeakItem>>(new Uri("/api/v1/identity/leaks?state=open&limit=1&count=exact", UriKind.Relative)))!;
            verdict.Holds($"every token has its incident ({leaks.Total})", leaks.Total == (tokens * rounds) + 20);
            verdict.Holds($"the host complained of nothing ({host.Complaints.FirstOrDefault()})", host.Complaints.Count == 0);
            verdict.AtMost($"a report of {tokens} tokens, median", times.Order().ElementAt(times.Count / 2), 2, " s");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task<byte[]> MakeAsync(HttpClient admin, int count)
    {
        var made = new List<string>();
        for (var i = 0; i < count; i++)
        {
            using var answer = await admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest($"job {i}", ["fleet:read"]));
            made.Add((await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        }

        return SecretScanner.Body([.. made.Select((token, i) => (token, $"https://github.com/acme/infra/blob/main/{i}.yaml"))]);
    }

    private static async Task<double> ReportAsync(SecretScanner scanner, HttpClient stranger, byte[] body)
    {
        var start = Stopwatch.GetTimestamp();
        using var answer = await scanner.SendAsync(stranger, body);
        await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
