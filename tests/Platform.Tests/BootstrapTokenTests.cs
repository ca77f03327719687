using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The token that the first start leaves for whoever owns the data directory.</summary>
public sealed class BootstrapTokenTests
{
    [Fact]
    public async Task It_is_an_administrators_for_thirty_days_in_a_file_of_its_owner_and_made_once()
    {
        var data = Directory.CreateTempSubdirectory("mc-bootstrap-");
        try
        {
            string first;
            await using (var host = await ControlPlane.StartAsync(data.FullName))
            {
                first = host.AdminToken;
                var token = Assert.Single((await host.Admin.GetFromJsonAsync<Page<TokenItem>>("/api/v1/identity/tokens"))!.Items);
                Assert.Equal(["*"], token.Scopes);
                Assert.Null(token.CustomerId);
                Assert.Equal(TimeSpan.FromDays(30), token.ExpiresAt - token.CreatedAt);
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data.FullName, "admin.token")));
                await host.StopAsync();
            }

            await using var again = await ControlPlane.StartAsync(data.FullName);
            Assert.Equal(first, again.AdminToken);
            Assert.Single((await again.Admin.GetFromJsonAsync<Page<TokenItem>>("/api/v1/identity/tokens"))!.Items);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }
}
