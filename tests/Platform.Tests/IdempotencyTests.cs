using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class IdempotencyTests : IAsyncLifetime
{
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time);

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Twenty_at_once_with_one_key_are_one_effect_and_one_answer()
    {
        var key = Guid.NewGuid().ToString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CreateAsync(host.Admin, key, "Twenty")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.Status));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Single(answers.Select(answer => answer.Location).Distinct());
        Assert.Equal(1, answers.Count(answer => !answer.Replayed));
        Assert.Single((await host.Admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?q=Twenty"))!.Items);
    }

    [Fact]
    public async Task Whoever_hangs_up_in_the_middle_is_given_the_whole_answer_when_he_asks_again()
    {
        var keys = Enumerable.Range(0, 100).Select(_ => Guid.NewGuid().ToString()).ToList();
        foreach (var some in keys.Chunk(10))
        {
            using var hangUp = new CancellationTokenSource();
            var running = some.Select(key => AbandonAsync(key, hangUp.Token)).ToList();
            await Task.WhenAny(running);
            await hangUp.CancelAsync();
            await Task.WhenAll(running);
        }

        var answers = await Task.WhenAll(keys.Select(key => CreateAsync(host.Admin, key, "Hung up")));

        Assert.All(answers, answer => Assert.True(answer.Status == HttpStatusCode.Created && answer.Body.Contains("Hung up", StringComparison.Ordinal), $"{answer.Status} {answer.Body}"));
        Assert.Equal(keys.Count, answers.Select(answer => answer.Location).Distinct().Count());

        async Task AbandonAsync(string key, CancellationToken hangUp)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/licensing/customers") { Content = new StringContent("""{"name":"Hung up","region":"eu"}""", Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
            try
            {
                using var response = await host.Admin.SendAsync(request, hangUp);
            }
            catch (OperationCanceledException)
            {
                // As intended.
            }
        }
    }

    [Fact]
    public async Task A_key_belongs_to_its_body_its_route_and_its_principal()
    {
        var key = Guid.NewGuid().ToString();
        var first = await CreateAsync(host.Admin, key, "First");
        var (other, _) = await host.ClientWithTokenAsync(null, "licensing:write", "licensing:read");

        var otherBody = await CreateAsync(host.Admin, key, "Second");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, otherBody.Status);
        Assert.Contains("idempotency-key-reused", otherBody.Body);

        var otherPrincipal = await CreateAsync(other, key, "First");
        Assert.Equal(HttpStatusCode.Created, otherPrincipal.Status);
        Assert.False(otherPrincipal.Replayed);
        Assert.NotEqual(first.Body, otherPrincipal.Body);

        var otherRoute = await SendAsync(host.Admin, "/api/v1/identity/tokens", key, """{"name":"x","scopes":["fleet:read"]}""");
        Assert.Equal(HttpStatusCode.Created, otherRoute.Status);
    }

    [Fact]
    public async Task A_secret_shown_once_can_be_asked_for_again_and_does_not_stand_in_the_database()
    {
        var key = Guid.NewGuid().ToString();
        const string Body = """{"name":"x","scopes":["fleet:read"]}""";

        var first = await SendAsync(host.Admin, "/api/v1/identity/tokens", key, Body);
        var again = await SendAsync(host.Admin, "/api/v1/identity/tokens", key, Body);

        Assert.True(again.Replayed);
        Assert.Equal(first.Body, again.Body);
        await using var scope = host.Services.CreateAsyncScope();
        var row = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().IdempotencyRecords("identity").AsNoTracking().SingleAsync();
        var secret = System.Text.Json.JsonSerializer.Deserialize<CreatedToken>(first.Body, System.Text.Json.JsonSerializerOptions.Web)!.Token;
        Assert.DoesNotContain(secret, Encoding.Latin1.GetString(row.Body));
        Assert.NotEqual(key, row.Key);
    }

    [Fact]
    public async Task What_was_refused_may_be_tried_again_and_a_day_later_the_key_is_new()
    {
        var key = Guid.NewGuid().ToString();

        var refused = await CreateAsync(host.Admin, key, "");
        var corrected = await CreateAsync(host.Admin, key, "Corrected");
        time.Advance(TimeSpan.FromHours(25));
        var later = await CreateAsync(host.Admin, key, "Later");

        Assert.Equal(HttpStatusCode.Created, corrected.Status);
        Assert.True(refused.Status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity);
        Assert.Equal(HttpStatusCode.Created, later.Status);
        Assert.False(later.Replayed);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("with a space in the middle")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789x")]
    public async Task A_key_of_another_form_is_refused(string key)
    {
        var answer = await CreateAsync(host.Admin, key, "Never");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?q=Never"))!.Items);
    }

    private static Task<Answer> CreateAsync(HttpClient client, string key, string name) =>
        SendAsync(client, "/api/v1/licensing/customers", key, $$"""{"name":"{{name}}","region":"eu"}""");

    private static async Task<Answer> SendAsync(HttpClient client, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var response = await client.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.Location?.ToString(), response.Headers.Contains("Idempotency-Replayed"));
    }

    private sealed record Answer(HttpStatusCode Status, string Body, string? Location, bool Replayed);
}
