using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>How pages look to somebody is kept with the person, and is nobody else's.</summary>
public sealed class PreferencesTests : IAsyncLifetime
{
    private const string Path = "/api/v1/identity/me/preferences";
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task What_somebody_chose_is_there_in_every_session_whole_and_is_cleared_whole()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        using var api = await ada.ApiAsync();
        Assert.Equal(new PreferencesItem(null, null, null, false, false, null), await PreferencesAsync(api));

        var all = new SetPreferencesRequest("dark", "compact", "Asia/Kathmandu", true, true);
        await SetAsync(api, all);
        await SetAsync(api, all);
        using var signedIn = await ada.TryAsync(code: ada.RecoveryCodes[0]);
        var other = new SomebodySignedIn(host, ada.Email) { Session = (await signedIn.Content.ReadFromJsonAsync<CreatedSession>())!.Session };
        using var elsewhere = await other.ApiAsync();
        var kept = await PreferencesAsync(elsewhere);
        Assert.Equal(new PreferencesItem("dark", "compact", "Asia/Kathmandu", true, true, kept.ChangedAt), kept);
        Assert.NotNull(kept.ChangedAt);
        using var graces = await grace.ApiAsync();
        Assert.Null((await PreferencesAsync(graces)).ChangedAt);

        await SetAsync(elsewhere, new SetPreferencesRequest());
        var cleared = await PreferencesAsync(api);
        Assert.Equal(new PreferencesItem(null, null, null, false, false, cleared.ChangedAt), cleared);
        Assert.NotNull(cleared.ChangedAt);

        // Twice the same is one change. Which fields changed is told, and never where somebody is.
        var id = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        IReadOnlyList<AuditEntryItem> entries = [];
        await Eventually.TrueAsync(async () => (entries = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=identity.preferences-changed&target={id}"))!.Items).Count >= 2, "both changes are told");
        Assert.Equal(2, entries.Count);
        Assert.All(entries, entry =>
        {
            Assert.All(new[] { "/theme", "/density", "/zone", "/inUtc", "/keysOff", "compact" }, word => Assert.Contains(word, entry.Entry.GetRawText(), StringComparison.Ordinal));
            Assert.DoesNotContain("Kathmandu", entry.Entry.GetRawText(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task What_is_no_theme_density_or_zone_is_refused_and_changes_nothing_and_a_token_has_none()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var api = await ada.ApiAsync();
        foreach (var (request, pointer, code) in new[]
        {
            (new SetPreferencesRequest(Theme: "Dark"), "/theme", "unknown-theme"), (new SetPreferencesRequest(Theme: ""), "/theme", "unknown-theme"), (new SetPreferencesRequest(Density: "cosy"), "/density", "unknown-density"),
            (new SetPreferencesRequest(Zone: ""), "/zone", "unknown-zone"), (new SetPreferencesRequest(Zone: "Europe/Ber lin"), "/zone", "unknown-zone"), (new SetPreferencesRequest(Zone: "../etc"), "/zone", "unknown-zone"),
            (new SetPreferencesRequest(Zone: "Europe/Köln"), "/zone", "unknown-zone"), (new SetPreferencesRequest(Zone: new string('z', 65)), "/zone", "invalid-value"),
        })
        {
            using var refused = await api.PutAsJsonAsync(Path, request);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            var mistake = Assert.Single((await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!);
            Assert.Equal((pointer, code), (mistake.Pointer, mistake.Code));
        }

        Assert.Null((await PreferencesAsync(api)).ChangedAt);
        await SetAsync(api, new SetPreferencesRequest(Zone: new string('z', 64)));

        using var read = await host.Admin.GetAsync(new Uri(Path, UriKind.Relative));
        using var written = await host.Admin.PutAsJsonAsync(Path, new SetPreferencesRequest("dark"));
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (read.StatusCode, written.StatusCode));
        using var anonymous = host.Client(host.Portal);
        using var nobody = await anonymous.PutAsJsonAsync(Path, new SetPreferencesRequest("dark"));
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    private static async Task<PreferencesItem> PreferencesAsync(HttpClient api) => (await api.GetFromJsonAsync<PreferencesItem>(Path))!;

    private static async Task SetAsync(HttpClient api, SetPreferencesRequest request)
    {
        using var answer = await api.PutAsJsonAsync(Path, request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }
}
