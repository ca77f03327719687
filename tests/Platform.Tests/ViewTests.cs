using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Saved views: whose they are, who sees them, and which one opens a list.</summary>
public sealed class ViewTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_view_is_seen_by_its_owner_and_a_shared_one_by_those_beside_it()
    {
        var acme = await host.CreateCustomerAsync("Acme");
        var other = await host.CreateCustomerAsync("Other");
        var (first, _) = await host.ClientWithTokenAsync(acme.Id, "fleet:read");
        var (second, _) = await host.ClientWithTokenAsync(acme.Id, "fleet:read");
        var (stranger, _) = await host.ClientWithTokenAsync(other.Id, "*");
        var (staff, _) = await host.ClientWithTokenAsync(null, "fleet:read");
        var mine = await SaveAsync(first, new SaveViewRequest("clusters", "Mine", "health=red"));
        var shared = await SaveAsync(first, new SaveViewRequest("clusters", "Ours", "health=red&sort=-name", Shared: true, IsDefault: true));
        var theirs = await SaveAsync(host.Admin, new SaveViewRequest("clusters", "Staff", "", Shared: true));

        Assert.Equal(["Mine", "Ours"], (await ListAsync(first)).Select(view => view.Name));
        var seen = Assert.Single(await ListAsync(second));
        Assert.Equal((shared.Id, false), (seen.Id, seen.IsDefault));
        Assert.All(seen.Actions, action => Assert.False(action.Allowed));
        Assert.Empty(await ListAsync(stranger));
        Assert.Equal(theirs.Id, Assert.Single(await ListAsync(staff)).Id);
        foreach (var (client, id, status) in new[] { (second, mine.Id, HttpStatusCode.NotFound), (second, shared.Id, HttpStatusCode.Forbidden), (stranger, shared.Id, HttpStatusCode.NotFound), (staff, theirs.Id, HttpStatusCode.Forbidden) })
        {
            Assert.Equal(status, (await client.DeleteAsync(new Uri($"/api/v1/identity/views/{id}", UriKind.Relative))).StatusCode);
        }

        // One's own is told to nobody, and nobody else says with what one's list opens.
        var told = new Page<AuditEntryItem>([], null);
        await Eventually.TrueAsync(async () => (told = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.view-saved"))!).Items.Count == 3, "three entries");
        Assert.DoesNotContain(told.Items, entry => entry.Entry.ToString().Contains("Mine", StringComparison.Ordinal));
        Assert.Contains(told.Items, entry => entry.Entry.ToString().Contains("Ours", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, (await ChangeAsync(shared.Id, new ChangeViewRequest(IsDefault: false), 1)).StatusCode);
        var foreign = await SaveAsync(staff, new SaveViewRequest("audit", "Foreign", "", Shared: true, IsDefault: true));
        Assert.Equal(HttpStatusCode.Forbidden, (await ChangeAsync(foreign.Id, new ChangeViewRequest(IsDefault: false), 1)).StatusCode);
        Assert.Equal([shared.Id], (await first.GetFromJsonAsync<Page<ViewItem>>("/api/v1/identity/views?list=clusters&default=true"))!.Items.Select(view => view.Id));
        Assert.Empty((await second.GetFromJsonAsync<Page<ViewItem>>("/api/v1/identity/views?list=clusters&default=true"))!.Items);

        // Whoever made it may be gone: who keeps identities tidies up.
        var left = await SaveAsync(staff, new SaveViewRequest("audit", "Left behind", "", Shared: true));
        Assert.Equal(HttpStatusCode.NoContent, (await host.Admin.DeleteAsync(new Uri($"/api/v1/identity/views/{left.Id}", UriKind.Relative))).StatusCode);
        Array.ForEach([first, second, stranger, staff], client => client.Dispose());
    }

    [Fact]
    public async Task One_view_opens_a_list_and_a_change_needs_what_was_read()
    {
        var first = await SaveAsync(host.Admin, new SaveViewRequest("clusters", "First", "health=red", IsDefault: true));
        await SaveAsync(host.Admin, new SaveViewRequest("customers", "Elsewhere", "", IsDefault: true));
        var second = await SaveAsync(host.Admin, new SaveViewRequest("clusters", "Second", "health=yellow", IsDefault: true));

        Assert.Equal([("First", false, 2L), ("Second", true, 1L)], (await ListAsync(host.Admin)).Select(view => (view.Name, view.IsDefault, view.Version)));
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await ChangeAsync(first.Id, new ChangeViewRequest(IsDefault: true), null)).StatusCode);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await ChangeAsync(first.Id, new ChangeViewRequest(IsDefault: true), 1)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ChangeAsync(first.Id, new ChangeViewRequest(Name: "Second"), 2)).StatusCode);
        var changed = (await (await ChangeAsync(first.Id, new ChangeViewRequest("Renamed", "health=red&cols=version", true, true), 2)).Content.ReadFromJsonAsync<ViewItem>())!;
        Assert.Equal(("Renamed", "health=red&cols=version", true, true, 3L), (changed.Name, changed.Query, changed.Shared, changed.IsDefault, changed.Version));
        Assert.False((await host.Admin.GetFromJsonAsync<ViewItem>($"/api/v1/identity/views/{second.Id}"))!.IsDefault);
    }

    [Fact]
    public async Task What_is_no_name_no_list_or_no_query_is_refused_field_by_field()
    {
        await SaveAsync(host.Admin, new SaveViewRequest("clusters", "Taken", ""));
        foreach (var (request, pointer) in new[]
        {
            (new SaveViewRequest("clusters", "Taken", ""), "/name"),
            (new SaveViewRequest("clusters", "", ""), "/name"),
            (new SaveViewRequest("Clusters!", "A", ""), "/list"),
            (new SaveViewRequest("clusters", "A", "health=red\r\nSet-Cookie: a=b"), "/query"),
            (new SaveViewRequest("clusters", "A", "\"><script>"), "/query"),
            (new SaveViewRequest("clusters", "A", new string('a', 1001)), "/query"),
        })
        {
            using var response = await host.Admin.PostAsJsonAsync("/api/v1/identity/views", request);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
            Assert.Equal(pointer, (await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors![0].Pointer);
        }
    }

    private static async Task<ViewItem> SaveAsync(HttpClient client, SaveViewRequest request)
    {
        using var response = await client.PostAsJsonAsync("/api/v1/identity/views", request);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<ViewItem>())!;
    }

    private static async Task<IReadOnlyList<ViewItem>> ListAsync(HttpClient client) => (await client.GetFromJsonAsync<Page<ViewItem>>("/api/v1/identity/views?list=clusters"))!.Items;

    private async Task<HttpResponseMessage> ChangeAsync(Guid id, ChangeViewRequest change, long? version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/identity/views/{id}") { Content = JsonContent.Create(change) };
        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
        }

        return await host.Admin.SendAsync(request);
    }
}
