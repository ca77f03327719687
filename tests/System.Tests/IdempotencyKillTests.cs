using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Who repeats a request with its key does not know whether the first one had its effect.</summary>
public abstract class IdempotencyKillTests
{
    private readonly IProcesses installation;

    private protected IdempotencyKillTests(IProcesses installation) => this.installation = installation;

    /// <summary>What dies in a round: the role that has the effect, or the one that passes the answer on.</summary>
    private static readonly string[] Victims =
        [.. Enumerable.Repeat<string[]>(["licensing", "portal"], Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1" ? 8 : 1).SelectMany(pair => pair)];

    [Fact]
    public async Task What_is_sent_again_with_its_key_after_kill_9_has_its_effect_once()
    {
        var run = $"customer-{Guid.NewGuid():N}"[..13];
        var answers = Enumerable.Range(0, 60).ToDictionary(i => $"{run}-{i:D2}-{Guid.NewGuid():N}", _ => (CustomerItem?)null);
        for (var round = 0; answers.ContainsValue(null); round++)
        {
            using var client = installation.Admin();
            var open = answers.Where(answer => answer.Value is null).Select(answer => answer.Key).ToList();
            var sending = open.Select(async name => (name, answer: await CreateAsync(client, name))).ToList();
            if (round < Victims.Length)
            {
                // In the middle of it: after the first few answers.
                while (sending.Count(one => one.IsCompleted) < 3 + round)
                {
                    await Task.WhenAny(sending.Where(one => !one.IsCompleted));
                }

                await installation.KillAsync(Victims[round]);
            }

            foreach (var (name, answer) in await Task.WhenAll(sending))
            {
                // Half of the answers are thrown away, as if they had been lost on the way.
                answers[name] = round >= Victims.Length || name[15] % 2 == 0 ? answer : null;
            }

            if (round < Victims.Length)
            {
                await installation.StartAgainAsync(Victims[round]);
            }
        }

        using var admin = installation.Admin();
        var stored = (await admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?limit=500"))!.Items.Where(customer => customer.Name.StartsWith(run, StringComparison.Ordinal)).ToList();
        Assert.Equal(answers.Keys.Order(StringComparer.Ordinal), stored.Select(customer => customer.Name).Order(StringComparer.Ordinal));
        Assert.All(stored, customer => Assert.Equal(answers[customer.Name]!.Id, customer.Id));
    }

    private static async Task<CustomerItem?> CreateAsync(HttpClient client, string name)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/licensing/customers") { Content = JsonContent.Create(new CreateCustomerRequest(name, "eu")) };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", name);
            using var response = await client.SendAsync(request);
            Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable, await response.Content.ReadAsStringAsync());
            return response.StatusCode == HttpStatusCode.Created ? await response.Content.ReadFromJsonAsync<CustomerItem>() : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }
}

/// <summary>The one process dies.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedIdempotencyKillTests(EmbeddedFixture fixture) : IdempotencyKillTests(fixture.Installation);

/// <summary>The processes of a role die, before or behind the portal.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedIdempotencyKillTests(DistributedFixture fixture) : IdempotencyKillTests(fixture.Installation);
