using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
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

    [Fact]
    public async Task It_opens_every_role_from_the_moment_at_which_the_process_is_ready()
    {
        await using var host = await ControlPlane.StartAsync();

        foreach (var path in new[] { "licensing/customers", "callhome/enrollment-tokens", "fleet/summary", "audit/entries", "identity/tokens" })
        {
            using var answer = await host.Admin.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_process_is_not_ready_while_identity_has_something_to_say_from_before_its_start()
    {
        var data = Directory.CreateTempSubdirectory("mc-bootstrap-");
        try
        {
            var message = new CustomerChanged(Guid.CreateVersion7(), "Acme", "eu", "active", 1);
            await using (var host = await ControlPlane.StartAsync(data.FullName))
            {
                await using var scope = host.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                var now = host.Time.GetUtcNow();

                // Due only when the next process has long been able to answer.
                db.Outbox("identity").Add(new OutboxMessage { Id = Guid.CreateVersion7(now), Type = MessageJson.WireName(typeof(CustomerChanged)), Key = message.Key, Payload = MessageJson.Write(message), CreatedAt = now, NextAttemptAt = now.AddSeconds(4) });
                await db.SaveChangesAsync(TestContext.Current.CancellationToken);
                await host.StopAsync();
            }

            await using var again = await ControlPlane.StartAsync(data.FullName);
            await using var after = again.Services.CreateAsyncScope();
            Assert.Empty(await after.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Outbox("identity").Select(row => row.Type).ToListAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }
}
