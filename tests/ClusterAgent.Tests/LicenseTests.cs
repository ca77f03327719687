using System.CommandLine;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Commands;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>A licence is what a key for licences signed, for this cluster, and newer than what is held; and time does not come back.</summary>
public sealed class LicenseTests : IDisposable
{
    private static readonly DateTimeOffset Today = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    private readonly EcdsaSigner root = EcdsaSigner.Create();
    private readonly EcdsaSigner leases = EcdsaSigner.Create();
    private readonly EcdsaSigner receipts = EcdsaSigner.Create();
    private readonly EcdsaSigner later = EcdsaSigner.Create();
    private readonly EcdsaSigner answers = EcdsaSigner.Create();
    private readonly ManualTime time = new(Today);
    private readonly string data = Directory.CreateTempSubdirectory("mc-license-").FullName;
    private readonly FileIdentity identity;

    public LicenseTests()
    {
        identity = new FileIdentity(data);
        identity.Enrollment = new Enrollment(new Uri("https://localhost"), Guid.CreateVersion7(), 2, "sha256:", false, 60, 10, AnchorsOf(1, ("root", root), ("lease", leases), ("receipt", receipts), ("answer", answers)));
    }

    private Guid Cluster => identity.Enrollment!.ClusterId;

    public void Dispose()
    {
        identity.Dispose();
        Directory.Delete(data, recursive: true);
        foreach (var key in new[] { root, leases, receipts, later, answers })
        {
            key.Dispose();
        }
    }

    [Fact]
    public void Nothing_but_a_newer_licence_of_this_cluster_by_a_key_for_licences_is_taken()
    {
        var keeper = Keeper();
        Assert.Equal(("none", "NO_LICENSE", "deny"), Standing(keeper));
        var held = Signed(Lease(5));
        keeper.Take(held);
        keeper.Take(held);

        var edited = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Lease(6).ToBytes()).Replace("\"block\"", "\"degrade\"", StringComparison.Ordinal));
        var reordered = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Lease(6).ToBytes()).Replace("{\"v\":1,", "{", StringComparison.Ordinal)[..^1] + ",\"v\":1}");
        var genuine = JsonNode.Parse(Signed(Lease(6)))!;
        (string Why, byte[] Envelope)[] cases =
        [
            ("an older serial", Signed(Lease(4))),
            ("the same serial with other bytes", Signed(Lease(5) with { Enforcement = "advisory" })),
            ("of another cluster", Signed(Lease(6) with { Clusters = [new LeaseCluster(Guid.CreateVersion7().ToString("D"), [OwnKey])] })),
            ("for another installation's key", Signed(Lease(6) with { Clusters = [new LeaseCluster(Cluster.ToString("D"), [later.KeyId])] })),
            ("for no key at all", Signed(Lease(6) with { Clusters = [new LeaseCluster(Cluster.ToString("D"), [])] })),
            ("signed by the key for receipts", Signed(Lease(6), receipts)),
            ("signed by the key for answers", Signed(Lease(6), answers)),
            ("signed by the root", Signed(Lease(6), root)),
            ("signed by a key of nobody", Signed(Lease(6), later)),
            ("of another type, by the right key", Dsse.Sign(UsageReceipt.PayloadType, Lease(6).ToBytes(), leases)),
            ("an edited payload under the same signature", Changed(genuine, edited)),
            ("the same members in another order under the same signature", Changed(genuine, reordered)),
            ("a meter with two limits", Signed(Lease(6) with { Limits = [.. Lease(6).Limits, .. Lease(6).Limits] })),
            ("a limit beyond all numbers", Signed(Lease(6) with { Limits = [Lease(6).Limits[0] with { Limit = new string('9', 40) }] })),
            ("larger than any licence", [.. Signed(Lease(6)), .. Enumerable.Repeat((byte)' ', LicenseLease.MaxBytes)]),
            ("no document", "not json"u8.ToArray()),
            ("nothing", []),
        ];
        Assert.All(cases, each => Assert.True(Record.Exception(() => keeper.Take(each.Envelope)) is CryptographicException, each.Why));
        Assert.Equal(5, keeper.Check(LicenseQuestion.Plain).Serial);

        // After a restart the same; and what somebody wrote into the file is not believed.
        Assert.Equal(5, Keeper().Check(LicenseQuestion.Plain).Serial);

        // What takes the licence away counts also where it names a key that was replaced meanwhile.
        keeper.Take(Signed(Lease(6) with { Status = "suspended", Clusters = [new LeaseCluster(Cluster.ToString("D"), [later.KeyId])] }));
        Assert.Equal(("suspended", "SUSPENDED", "deny"), Standing(Keeper()));
        var file = Path.Combine(data, "license", "held.json");
        var written = JsonNode.Parse(File.ReadAllText(file))!;
        written["Lease"] = Convert.ToBase64String(Changed(genuine, edited));
        File.WriteAllText(file, written.ToJsonString());
        Assert.Contains("signature", Keeper().Problem, StringComparison.Ordinal);
        Assert.Equal(("none", "NO_LICENSE", "deny"), Standing(Keeper()));
    }

    [Fact]
    public void A_clock_that_is_put_back_extends_nothing_also_over_a_restart_and_only_a_signed_word_puts_a_wrong_one_right()
    {
        var keeper = Keeper();
        keeper.Take(Signed(Lease(5)));
        time.Advance(TimeSpan.FromDays(100));
        keeper.Observe(time.GetUtcNow());
        keeper.Heard(time.GetUtcNow());
        Assert.Equal(("expired", "EXPIRED", "deny"), Standing(keeper));

        time.Advance(TimeSpan.FromDays(-95));
        keeper.Observe(time.GetUtcNow());
        Assert.True(keeper.IsRolledBack);
        Assert.Equal(("expired", "EXPIRED", "deny"), Standing(keeper));
        var again = Keeper();
        Assert.True(again.IsRolledBack);
        Assert.Equal("EXPIRED", again.Check(LicenseQuestion.Plain).Code);

        // A licence that runs longer goes on in grace, by the time that was reached.
        again.Take(Signed(Lease(6, end: 400)));
        Assert.Equal(("grace", "CLOCK_ROLLBACK", "allow"), Standing(again));

        // What usage says of the time counts too, where the file is gone.
        Directory.Delete(Path.Combine(data, "license"), recursive: true);
        Assert.False(Keeper().IsRolledBack);
        Assert.True(new LicenseKeeper(data, identity, time, Today.AddDays(100)).IsRolledBack);

        // Wrongly in the future: a lease says how late it is, once.
        again.Observe(time.GetUtcNow());
        again.Take(Signed(Lease(7, end: 400) with { IssuedAt = UsageWindow.Text(Today.AddDays(5)), ClockFrom = UsageWindow.Text(Today.AddDays(5)) }));
        again.Observe(time.GetUtcNow());
        Assert.Equal(("active", "VALID", "allow"), Standing(again));
        Assert.Equal(("active", "VALID", "allow"), Standing(Keeper()));

        // Nor does the usage of that wrong time bring it back; the leases that follow repeat the word, and it counts no second time.
        again = new LicenseKeeper(data, identity, time, Today.AddDays(100));
        Assert.Equal(("active", "VALID", "allow"), Standing(again));
        again.Observe(Today.AddDays(20));
        again.Take(Signed(Lease(8, end: 400) with { IssuedAt = UsageWindow.Text(Today.AddDays(6)), ClockFrom = UsageWindow.Text(Today.AddDays(5)) }));
        again.Observe(time.GetUtcNow());
        Assert.True(again.IsRolledBack);
    }

    [Fact]
    public void A_restored_machine_takes_what_is_newer_and_a_key_that_was_replaced_ends_no_licence_that_it_signed()
    {
        var keeper = Keeper();
        keeper.Take(Signed(Lease(5)));
        var before = File.ReadAllBytes(Path.Combine(data, "license", "held.json"));
        var newest = Signed(Lease(9) with { Status = "revoked" });
        keeper.Take(newest);

        // The machine went back to the state of before; Mission Control tells it the newest again.
        File.WriteAllBytes(Path.Combine(data, "license", "held.json"), before);
        keeper = Keeper();
        Assert.Equal(5, keeper.Check(LicenseQuestion.Plain).Serial);
        keeper.Take(newest);
        Assert.Equal(("revoked", "REVOKED", "deny"), Standing(keeper));

        // With overlap both keys count; the serial says which is newer.
        identity.Enrollment = identity.Enrollment! with { Anchors = AnchorsOf(2, ("root", root), ("lease", leases), ("lease", later)) };
        keeper.Take(Signed(Lease(10), later));
        Assert.ThrowsAny<CryptographicException>(() => keeper.Take(newest));
        keeper.Take(Signed(Lease(11)));

        // The old key is gone: what it signed is held on to, nothing more of it is taken, and it is in the way of nothing: whoever stole it may have made any serial.
        identity.Enrollment = identity.Enrollment! with { Anchors = AnchorsOf(3, ("root", root), ("lease", later)) };
        keeper = Keeper();
        Assert.Equal(11, keeper.Check(LicenseQuestion.Plain).Serial);
        Assert.ThrowsAny<CryptographicException>(() => keeper.Take(Signed(Lease(12))));
        keeper.Take(Signed(Lease(8), later));
        Assert.Equal(8, Keeper().Check(LicenseQuestion.Plain).Serial);
    }

    [Fact]
    public async Task A_licence_comes_with_a_check_in_in_a_carried_answer_and_as_a_file_and_the_command_says_how_it_stands()
    {
        Assert.Equal((6, "NO_LICENSE"), await LicenseAsync());
        var door = new Door(time) { Answer = new CheckInResponse { NextS = 60, Desired = new DesiredState { Etag = "a", Sections = { Section(5) } } } };
        using var http = new HttpClient(door) { BaseAddress = new Uri("https://localhost") };
        using var cluster = new LocalCluster("Oslo", new LinuxMachine(time), new CertificateFiles([]), null, Masking.In(data, new PrivacySettings()), time);
        var (keeper, box) = (Keeper(), new AnswerBox(Path.Combine(data, "answers")));
        var agent = new Agent(identity, new MemorySpool(), cluster, new CallHomeClient(http, identity, time), time, new Random(1), answers: box, license: keeper);

        // The machine starts with a clock years ahead; what it says counts for nothing, for Mission Control says better in a moment.
        time.Advance(TimeSpan.FromDays(4000));
        keeper.Observe(time.GetUtcNow(), believed: false);
        time.Advance(TimeSpan.FromDays(-4000));
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
        Assert.Equal(5, keeper.Check(LicenseQuestion.Plain).Serial);
        Assert.Null(agent.LicenseProblem);
        Assert.Equal((0, "VALID"), await LicenseAsync());

        // One that is not to be trusted is named, and fails no check-in.
        door.Answer.Desired.Sections[0] = Section(6, receipts);
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
        Assert.Contains("not trusted", agent.LicenseProblem, StringComparison.Ordinal);

        box.Put(Carried(Section(7)));
        await agent.StepAsync(CancellationToken.None);
        Assert.Equal((7L, null), (keeper.Check(LicenseQuestion.Plain).Serial, agent.AnswerProblem));

        var (file, foreign) = (Path.Combine(data, "new.license.json"), Path.Combine(data, "foreign.license.json"));
        File.WriteAllBytes(file, Signed(Lease(8) with { Status = "suspended" }));
        File.WriteAllBytes(foreign, Signed(Lease(9), receipts));
        Assert.Equal(1, (await RunAsync("import", foreign)).Exit);
        Assert.Equal(0, (await RunAsync("import", file)).Exit);
        await agent.StepAsync(CancellationToken.None);
        Assert.Equal((6, "SUSPENDED"), await LicenseAsync());

        // The file of before once more: nothing goes back, and it is said.
        box.Put(Signed(Lease(7)));
        await agent.StepAsync(CancellationToken.None);
        Assert.Contains("not newer", agent.AnswerProblem, StringComparison.Ordinal);
        Assert.Equal(8, keeper.Check(LicenseQuestion.Plain).Serial);

        // The clock is put back before the agent starts again, and nothing says what time it is: Mission Control hears of it.
        time.Advance(TimeSpan.FromDays(-9));
        var spool = new MemorySpool();
        var back = new Agent(identity, spool, cluster, new CallHomeClient(http, identity, time), time, new Random(1), offline: true, license: Keeper());
        await back.CheckInAsync(CancellationToken.None);
        await back.CheckInAsync(CancellationToken.None);
        Assert.Single(spool.Peek(100, int.MaxValue, new HashSet<long>()), item => item.Type == "event" && Event.Parser.ParseFrom(item.Body).Kind == "license-clock-rollback");
    }

    [Fact]
    public async Task The_product_asks_on_loopback_and_a_page_in_a_browser_does_not()
    {
        var keeper = Keeper();
        keeper.Take(Signed(Lease(5)));
        var port = FreePort();
        using var endpoint = new LicenseEndpoint(port, keeper.Check);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        var told = (await http.GetFromJsonAsync<LicenseVerdict>("/license"))!;
        Assert.Equal(("active", "allow", 5L), (told.State, told.Decision, told.Serial));
        using var asked = await http.PostAsJsonAsync("/license/check", new LicenseQuestion(new Dictionary<string, string> { ["hosts"] = "13" }, ["sso"]));
        var answer = (await asked.Content.ReadFromJsonAsync<LicenseVerdict>())!;
        Assert.Equal(("LIMIT_EXCEEDED", "deny", "13", true), (answer.Code, answer.Decision, answer.Limits[0].Used, answer.Valid));

        (string Why, int Status, HttpRequestMessage Request)[] cases =
        [
            ("another host", 403, With(HttpMethod.Get, "/license", request => request.Headers.Host = $"evil.example:{port}")),
            ("a page of another site", 403, With(HttpMethod.Get, "/license", request => request.Headers.Add("Origin", "https://evil.example"))),
            ("another path", 404, With(HttpMethod.Get, "/")),
            ("another method", 405, With(HttpMethod.Delete, "/license")),
            ("no JSON", 400, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent("used=1"))),
            ("a member twice", 400, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent("""{"used":{},"used":{}}"""))),
            ("an unknown member", 400, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent("""{"serial":9}"""))),
            ("a quantity that is none", 400, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent("""{"used":{"hosts":"-1"}}"""))),
            ("a null quantity", 400, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent("""{"used":{"hosts":null}}"""))),
            ("too much", 413, With(HttpMethod.Post, "/license/check", request => request.Content = new StringContent(new string(' ', 65 * 1024)))),
        ];
        foreach (var (why, status, request) in cases)
        {
            using var response = await http.SendAsync(request);

            // The listener itself knows no other host, and says so in its own way.
            Assert.True(status == (int)response.StatusCode || (why == "another host" && (int)response.StatusCode is 400 or 404), $"{why}: {(int)response.StatusCode}");
        }

        // On this machine alone: no other address of it answers.
        using var elsewhere = new HttpClient { BaseAddress = new Uri($"http://127.0.0.2:{port}") };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => elsewhere.GetAsync(new Uri("/license", UriKind.Relative)));
        Assert.Throws<HttpListenerException>(() => new LicenseEndpoint(port, keeper.Check));
    }

    private static HttpRequestMessage With(HttpMethod method, string path, Action<HttpRequestMessage>? bend = null)
    {
        var request = new HttpRequestMessage(method, path);
        bend?.Invoke(request);
        return request;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string OwnKey => KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo());

    private LicenseKeeper Keeper() => new(data, identity, time);

    private static (string State, string Code, string Decision) Standing(LicenseKeeper keeper)
    {
        var verdict = keeper.Check(LicenseQuestion.Plain);
        return (verdict.State, verdict.Code, verdict.Decision);
    }

    private LicenseLease Lease(long serial, int end = 60) => new(
        1, "0198d1a0-0000-7000-8000-000000000001", serial, [new LeaseCluster(Cluster.ToString("D"), [OwnKey])], "production", "active", Text(-1), Text(end), Text(end + 30), Text(0), Text(Math.Min(35, end)), 3600, 12 * 3600, 14, "block",
        ["sso"], [new LeaseLimit("hosts", 1, "10", "month", "up-to", "1", 5, 4)]);

    private static string Text(int day) => UsageWindow.Text(Today.AddDays(day));

    private byte[] Signed(LicenseLease lease, EcdsaSigner? key = null) => Dsse.Sign(LicenseLease.PayloadType, lease.ToBytes(), key ?? leases);

    private static byte[] Changed(JsonNode envelope, byte[] payload)
    {
        var changed = envelope.DeepClone();
        changed["payload"] = Convert.ToBase64String(payload);
        return Encoding.UTF8.GetBytes(changed.ToJsonString());
    }

    private Section Section(long serial, EcdsaSigner? key = null) => new() { Name = "lease", Version = serial, Body = ByteString.CopyFrom(Signed(Lease(serial), key)) };

    private byte[] Carried(Section section)
    {
        var answer = new BundleAnswer { ClusterId = Cluster.ToString("D"), Epoch = 2, Response = new CheckInResponse { ServerTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(), Desired = new DesiredState { Sections = { section } } } };
        return Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(new CheckInResponse { SignedAnswer = ByteString.CopyFrom(Dsse.Sign(BundlePart.AnswerPayloadType, answer.ToByteArray(), answers)) }));
    }

    private static byte[] AnchorsOf(long version, params (string Use, EcdsaSigner Key)[] keys)
    {
        var document = new AnchorDocument(1, version, Today, [.. keys.Select(key => new AnchorKey(key.Key.KeyId, "ES256", key.Key.PublicKeySpki, [key.Use], Today.AddDays(-1), Today.AddDays(1000)))]);
        return Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), keys[0].Key);
    }

    private async Task<(int Exit, string Code)> LicenseAsync()
    {
        var (exit, said) = await RunAsync("license");
        return (exit, said!["license"]!["code"]!.GetValue<string>());
    }

    private async Task<(int Exit, JsonNode? Said)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await AgentCommand.Create().Parse([.. arguments, "--data", data, "--output", "json"]).InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return (exit, output.ToString().Length == 0 ? null : JsonNode.Parse(output.ToString()));
    }
}
