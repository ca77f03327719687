using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>
/// The pages where every role is a process of its own: a person is at whichever replica of the portal the load balancer chose, and each
/// of them asks roles that run elsewhere. What the pages show and how is the portal's own tests' affair.
/// </summary>
[Collection(Shapes.Distributed)]
public sealed partial class DistributedPortalTests(DistributedFixture fixture)
{
    private readonly DistributedInstallation installation = fixture.Installation;

    [Fact]
    public async Task One_session_is_good_at_every_replica_of_the_portal_and_ends_at_all_of_them()
    {
        var (first, second) = (installation.Of("portal")[0].Portal, installation.Of("portal")[1].Portal);
        using var person = Person();

        // The form is drawn by one replica and sent to the other, from the start.
        var signIn = await GetAsync(person, new Uri(first, "/signin"));
        using var signedIn = await PostAsync(person, new Uri(second, "/signin"), signIn, ("token", installation.AdminToken));
        Assert.True(signedIn.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect, $"{(int)signedIn.StatusCode}");

        foreach (var page in new[] { "/", "/fleet", "/clusters", "/fleet/versions", "/customers", "/clusters/enrol", "/audit", "/system", "/system/parked", "/system/jobs", "/tasks" })
        {
            foreach (var portal in new[] { first, second })
            {
                using var response = await person.GetAsync(new Uri(portal, page));
                var text = await response.Content.ReadAsStringAsync();
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{portal}{page}: {(int)response.StatusCode}");
                Assert.DoesNotContain("does not answer", text, StringComparison.Ordinal);
            }
        }

        var name = $"Across replicas {Guid.NewGuid():N}";
        var form = await GetAsync(person, new Uri(second, "/customers/new"));
        using (var created = await PostAsync(person, new Uri(first, "/customers/new"), form, ("name", name), ("region", "eu"), ("key", Field(form, "key"))))
        {
            Assert.True(created.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect, await created.Content.ReadAsStringAsync());
        }

        await Eventually.TrueAsync(async () => (await GetAsync(person, new Uri(second, $"/customers?q={Uri.EscapeDataString(name)}"))).Contains($">{name}<", StringComparison.Ordinal), "the other replica shows the customer");

        // The stream of changes comes through the same way, and ends with the session.
        using var stream = await person.GetAsync(new Uri(second, "/_changes?topic=clusters"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Contains("ready", await lines.ReadLineAsync(), StringComparison.Ordinal);

        using (var signedOut = await PostAsync(person, new Uri(first, "/signout"), await GetAsync(person, new Uri(second, "/"))))
        {
            Assert.True(signedOut.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect, $"{(int)signedOut.StatusCode}");
        }

        await Eventually.TrueAsync(async () =>
        {
            using var page = await person.GetAsync(new Uri(second, "/clusters"));
            return page.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect;
        }, "the session has ended at the other replica", TimeSpan.FromSeconds(5));
        while (await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) is { } line && !line.Contains("signedout", StringComparison.Ordinal))
        {
        }
    }

    private static async Task<string> GetAsync(HttpClient person, Uri address) => await person.GetStringAsync(address);

    private static Task<HttpResponseMessage> PostAsync(HttpClient person, Uri address, string page, params (string Name, string Value)[] fields) => person.PostAsync(
        address, new FormUrlEncodedContent(fields.Append(("__RequestVerificationToken", Field(page, "__RequestVerificationToken"))).Select(field => KeyValuePair.Create(field.Item1, field.Item2))));

    private static string Field(string page, string name) => Hidden().Matches(page).First(match => match.Groups["name"].Value == name).Groups["value"].Value;

    // Cookies go to a name, not to a port: both replicas are the same host, as behind a load balancer.
    private HttpClient Person()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(installation.CaFile)));
        return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true, SslOptions = { CertificateChainPolicy = policy } });
    }

    [GeneratedRegex("<input[^>]*name=\"(?<name>[^\"]+)\"[^>]*value=\"(?<value>[^\"]*)\"")]
    private static partial Regex Hidden();
}
