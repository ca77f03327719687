using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>The portal's pages over a large fleet, signed in as a person is.</summary>
internal static partial class PageBenchmark
{
    public static async Task<bool> RunAsync(int clusters, int times)
    {
        var verdict = Verdict.Begin("pages", $"one page of the portal by GET over a kept TLS connection, {clusters} clusters, from request to last byte", "none");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            using var ca = X509CertificateLoader.LoadCertificateFromFile(host.CaFile);
            using var http = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer(), AllowAutoRedirect = true, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = HostProcess.Trusting(ca) } }) { BaseAddress = host.Portal };
            await SignInAsync(http, host.AdminToken);
            var one = StoredFleet.ClustersOf(data)[0].Id;
            var floor = await TimeAsync(http, "/health/nothing-here", times, wanted: null);
            Verdict.Note($"{"floor: an address that is not there",-44} p50 {floor.Milliseconds(0.5),7:0.0} ms  p95 {floor.Milliseconds(0.95),7:0.0} ms");
            foreach (var path in new[] { "/", "/clusters", "/clusters?health=red", "/clusters?q=cluster-99", $"/clusters/{one}", "/customers", "/fleet", "/fleet/versions", "/clusters/enrol", "/system" })
            {
                var seen = await TimeAsync(http, path, times, HttpStatusCode.OK);
                var name = path.Replace(one.ToString(), "{id}", StringComparison.Ordinal);
                Verdict.Note($"{name,-44} p50 {seen.Milliseconds(0.5),7:0.0} ms  p95 {seen.Milliseconds(0.95),7:0.0} ms  ratio {floor.Milliseconds(0.5) / seen.Milliseconds(0.5):0.000}");
                verdict.AtMost($"{name}, p95", seen.Milliseconds(0.95), 150, " ms");
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task<Histogram> TimeAsync(HttpClient http, string path, int times, HttpStatusCode? wanted)
    {
        var seen = new Histogram();
        for (var i = 0; i < times; i++)
        {
            var start = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            if (wanted is not null && answer.StatusCode != wanted)
            {
                throw new InvalidOperationException($"{path} answered {answer.StatusCode}.");
            }

            // The first few compile the page.
            if (i >= 5)
            {
                seen.Add(Stopwatch.GetElapsedTime(start));
            }
        }

        return seen;
    }

    private static async Task SignInAsync(HttpClient http, string token)
    {
        var form = await http.GetStringAsync(new Uri("/signin", UriKind.Relative));
        var fields = Hidden().Matches(form).ToDictionary(match => match.Groups["name"].Value, match => WebUtility.HtmlDecode(match.Groups["value"].Value));
        fields["token"] = token;
        using var content = new FormUrlEncodedContent(fields);
        using var answer = await http.PostAsync(new Uri("/signin", UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
        if (answer.RequestMessage!.RequestUri!.AbsolutePath.StartsWith("/signin", StringComparison.Ordinal))
        {
            throw new InvalidOperationException("Signing in did not lead to a page.");
        }
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]+)\"(?: value=\"(?<value>[^\"]*)\")?")]
    private static partial Regex Hidden();
}
