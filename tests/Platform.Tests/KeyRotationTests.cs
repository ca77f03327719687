using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The real command beside a running host.</summary>
public sealed class KeyRotationTests : IAsyncLifetime
{
    private ControlPlane host = null!;
    private Guid customer;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync();
        customer = (await host.CreateCustomerAsync()).Id;
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Rotated_keys_reach_clusters_and_roles_without_a_restart()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var shownBefore = await host.CreateEnrollmentTokenAsync(customer);
        var session = await (await host.Admin.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null)).Content.ReadFromJsonAsync<CreatedSession>();
        var userToken = await TradeAsync(session!);

        await KeysAsync(0, "rotate", "receipt", "--after", "0m");
        await KeysAsync(0, "rotate", "answer", "--after", "0m");
        await KeysAsync(0, "rotate", "lease", "--after", "0m");
        await KeysAsync(0, "rotate", "root", "--after", "0m");
        await KeysAsync(0, "rotate", "token-sealing", "--after", "0m");
        await KeysAsync(0, "rotate", "user-token", "--after", "0m");

        // One version after the other, each signed by a root of the one before.
        await Eventually.TrueAsync(async () =>
        {
            await cluster.CheckInAsync();
            return cluster.Anchors.Version == 5;
        }, "the cluster holds the newest anchors");
        Assert.Equal(2, cluster.Anchors.Keys.Count(key => key.Uses.Contains("receipt")));
        Assert.Equal(2, cluster.Anchors.Keys.Count(key => key.Uses.Contains("root")));

        // A licence by the new key, which the newest anchors name last.
        await Eventually.TrueAsync(async () => (await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(customer, [Guid.Parse(cluster.Id)], "Standard", "internal", null, host.Time.GetUtcNow().AddDays(100)))).IsSuccessStatusCode, "licensing knows the cluster");
        await Eventually.TrueAsync(async () => (await cluster.CheckInAsync()).Desired?.Sections.SingleOrDefault(section => section.Name == "lease") is { } section
            && cluster.Lease(section).Serial > 0 && section.Body.ToStringUtf8().Contains(cluster.Anchors.Keys.Last(key => key.Uses.Contains("lease")).Kid, StringComparison.Ordinal), "the licence is signed by the new key");

        // A receipt by the new key; the old access token still counts, and a new one is to be had.
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(UsageWindow.HourOf(host.Time.GetUtcNow()) - 2)));
        await cluster.ReceiptAsync(receipt => receipt.Results.Any(result => result.Verdict == "accepted"));
        await cluster.AuthorizeAsync();
        await cluster.CheckInAsync(cluster.Health());

        // An answer to a bundle by the new key, which the newest anchors name.
        var bundle = cluster.Part(cluster.Request(cluster.Event("carried")));
        await Eventually.TrueAsync(async () => cluster.Answer(await cluster.HandInAsync(bundle)).Kid == cluster.Anchors.Keys.Last(key => key.Uses.Contains("answer")).Kid, "answers are signed by the new key");

        // User tokens of before and after the rotation.
        Assert.Equal(200, await StatusAsync(userToken));
        await Eventually.TrueAsync(async () => await TradeAsync(session!) is var fresh && Header(fresh) != Header(userToken) && await StatusAsync(fresh) == 200, "a user token by the new key counts");

        // Who was shown a digest before the rotation gets just that document at enrolment.
        using var late = new TestCluster(host);
        using var enrolled = await late.SendAsync("enroll", late.EnrollmentRequest(shownBefore.Token, "Late"));
        var anchors = (await TestCluster.ReadAsync(enrolled, EnrollResponse.Parser)).Anchors;
        Assert.Equal(shownBefore.AnchorsSha256, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(anchors.Span))}");

        foreach (var (type, target) in new[] { ("licensing.key-rotated", "receipt"), ("licensing.key-rotated", "lease"), ("callhome.key-rotated", "root"), ("callhome.key-rotated", "answer"), ("callhome.key-rotated", "token-sealing"), ("identity.key-rotated", "user-token") })
        {
            await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&target={target}"))!.Items.Count == 1, $"the rotation of {target} is audited");
        }
    }

    [Fact]
    public async Task A_second_rotation_waits_and_a_foreign_root_is_refused()
    {
        await KeysAsync(0, "rotate", "receipt", "--after", "1h");
        Assert.Contains("under way", await KeysAsync(2, "rotate", "receipt"));

        var other = Directory.CreateTempSubdirectory("mc-root-");
        using (var foreign = Trust.Envelopes.EcdsaSigner.LoadOrCreate(Path.Combine(other.FullName, "root.pem")))
        {
            Assert.Contains("is not a root", await KeysAsync(2, "rotate", "root", "--root", Path.Combine(other.FullName, "root.pem")));
        }

        other.Delete(recursive: true);
        var list = await KeysAsync(0, "list");
        Assert.Contains("anchor document 2", list);
        Assert.Matches("receipt .* next ", list);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Directory.EnumerateFiles(Path.Combine(host.Data, "keys")).Where(file => !file.EndsWith(".dsse", StringComparison.Ordinal)).Select(File.GetUnixFileMode).Distinct().Single());

        File.SetUnixFileMode(Path.Combine(host.Data, "keys", "receipt.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("can be read by others", await KeysAsync(1, "list"));
    }

    [Fact]
    public async Task Keys_can_be_made_before_anything_runs()
    {
        var data = Directory.CreateTempSubdirectory("mc-keys-").FullName;
        var made = await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", data);
        var again = await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", data);

        Assert.Contains("made", made);
        Assert.DoesNotContain("made ", again);
        Assert.Equal(made.Split("sha256:")[1], again.Split("sha256:")[1]);
        Assert.Contains("migrate", await HostCommand.RunAsync(2, "admin", "keys", "rotate", "receipt", "--data", data));
        Directory.Delete(data, recursive: true);
    }

    private static string Header(string jwt) => jwt.Split('.')[0];

    private async Task<string> TradeAsync(CreatedSession session)
    {
        using var response = await host.Admin.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session.Session));
        return (await response.Content.ReadFromJsonAsync<TradedSession>())!.AccessToken;
    }

    private async Task<int> StatusAsync(string bearer)
    {
        using var client = host.Client(host.Portal, bearer);
        using var response = await client.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative));
        return (int)response.StatusCode;
    }

    private Task<string> KeysAsync(int expected, params string[] arguments) => HostCommand.RunAsync(expected, ["admin", "keys", .. arguments, "--data", host.Data]);
}
