using System.Text.RegularExpressions;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>A real host, and an administrator of it with a browser, who signs the real <c>mc</c> in and confirms what it asks.</summary>
public sealed partial class SignedInHost : IAsyncLifetime
{
    private HttpClient http = null!;
    private string kept = null!;

    public ControlPlane Host { get; private set; } = null!;

    /// <summary>As one types it.</summary>
    public string Server { get; private set; } = null!;

    public SomebodySignedIn Ada { get; private set; } = null!;

    /// <summary>What the person does in the portal, with a token of this moment: what some tests do ends those from before.</summary>
    public async Task<MissionControlClient> BrowserAsync() => new(http, (await Ada.TradeAsync())!.AccessToken);

    public async ValueTask InitializeAsync()
    {
        var portal = new Uri($"https://localhost:{Ports.Free()}");
        Server = portal.GetLeftPart(UriPartial.Authority);
        Host = await ControlPlane.StartAsync(portal: portal, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:PortalAddress"] = Server, ["Audit:Epoch"] = "00:00:01" });
        Ada = await SomebodySignedIn.InviteAsync(Host, "ada@vendor.example", "administrator");
        http = await Ada.ApiAsync();
        foreach (var path in new[] { "/api/v1/licensing/customers", "/api/v1/fleet/clusters", "/api/v1/audit/entries" })
        {
            await Eventually.TrueAsync(async () => (await http.GetAsync(new Uri(path, UriKind.Relative))).IsSuccessStatusCode, $"the person is known for {path}");
        }

        using var space = new Workspace();
        var (code, _, error) = await SignInAsync(space);
        Assert.True(code == 0, error);
        kept = File.ReadAllText(space.PathOf(Kept));
    }

    public async ValueTask DisposeAsync()
    {
        http?.Dispose();
        if (Host is not null)
        {
            await Host.DisposeAsync();
        }
    }

    /// <summary>Where <c>mc</c> keeps a sign-in.</summary>
    public static string Kept => Path.Combine("config", "mission-control", "mc.json");

    /// <summary>A workspace that is signed in; all of them share one session.</summary>
    public Workspace Workspace()
    {
        var space = new Workspace();
        Keep(space, kept);
        TrustsTheHostAlone(space);
        return space;
    }

    /// <summary>Without the roots of this machine: to read them takes a fifth of a call. Signing in does, in its own tests.</summary>
    public static void TrustsTheHostAlone(Workspace space) => (space.Environment["SSL_CERT_FILE"], space.Environment["SSL_CERT_DIR"]) = ("/dev/null", space.PathOf("no-roots"));

    /// <summary>Puts a sign-in where <c>mc</c> keeps it.</summary>
    public static void Keep(Workspace space, string text)
    {
        space.Write(Kept, text);
        File.SetUnixFileMode(space.PathOf(Kept), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        space.NeverSays(SessionIn(text));
    }

    /// <summary>The session's secret.</summary>
    public static string SessionIn(string text) => SessionMember().Match(text).Groups[1].Value;

    /// <summary>Signs in by <c>mc</c>; the person permits it, or does something else.</summary>
    public async Task<(int Code, string Said, string Error)> SignInAsync(Workspace space, Func<DeviceItem, Task>? decides = null, string? caFile = null)
    {
        var result = await space.TalkAsync(space.Start(Path.Combine(Cli.Tests.Workspace.Programs, "mc"), "sign-in", "--server", Server, "--ca-file", caFile ?? Host.CaFile), (_, line) => DecideAsync(line, decides));
        if (File.Exists(space.PathOf(Kept)))
        {
            var session = SessionIn(File.ReadAllText(space.PathOf(Kept)));
            space.NeverSays(session);
            space.AssertSaysNothingSecret("mc sign-in", result.Said + result.Error);
        }

        return result;
    }

    /// <summary>Permits what shows a code in a line.</summary>
    public async Task DecideAsync(string line, Func<DeviceItem, Task>? decides = null)
    {
        if (ShownCode().Match(line) is { Success: true } code)
        {
            var browser = await BrowserAsync();
            var device = await browser.FindDeviceAsync(code.Groups[1].Value, CancellationToken.None);
            await (decides ?? (item => browser.ApproveDeviceAsync(item.Id, null, CancellationToken.None)))(device);
        }
    }

    /// <summary>Calls the API by <c>mc</c>; the person confirms what is to be confirmed, or refuses.</summary>
    public Task<(int Code, string Said, string Error)> ApiAsync(Workspace space, bool confirms, params string[] arguments) =>
        space.TalkAsync(space.Start(Path.Combine(Cli.Tests.Workspace.Programs, "mc"), ["api", .. arguments]), (_, line) => ConfirmAsync(line, confirms));

    /// <summary>Confirms, or refuses, what a line says where to confirm.</summary>
    public async Task<ConfirmationItem?> ConfirmAsync(string line, bool confirms = true)
    {
        if (!line.Contains($"{Server}/confirm/", StringComparison.Ordinal))
        {
            return null;
        }

        var (id, browser) = (Guid.Parse(line[(line.LastIndexOf('/') + 1)..]), await BrowserAsync());
        ConfirmationItem item = null!;
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                item = await browser.GetConfirmationAsync(id, CancellationToken.None);
                return true;
            }
            catch (ApiException absent) when (absent.Status == System.Net.HttpStatusCode.NotFound)
            {
                return false;
            }
        }, "the portal knows what is to be confirmed");
        if (!confirms)
        {
            await browser.RefuseConfirmationAsync(id, CancellationToken.None);
            return item;
        }

        var begun = await browser.BeginStepUpAsync(new BeginStepUpRequest(item.Demand.Audience, item.Demand.Purpose, item.Demand.SubjectDigest), CancellationToken.None);
        await browser.AnswerConfirmationAsync(id, new StepUpRequest(begun.Challenge, Ada.Passkey.Get(begun.Options!)), CancellationToken.None);
        return item;
    }

    [GeneratedRegex("\"session\": *\"([^\"]+)\"")]
    private static partial Regex SessionMember();

    [GeneratedRegex("^and type ([A-Z]{4}-[A-Z]{4})$")]
    private static partial Regex ShownCode();
}
