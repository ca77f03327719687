using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using Xunit;

namespace MissionControl.System.Tests;

public sealed class IdempotencyKillTests
{
    [Fact]
    public async Task What_is_sent_again_with_its_key_after_kill_9_has_its_effect_once()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var answers = Enumerable.Range(0, 60).ToDictionary(i => $"customer-{i:D2}-{Guid.NewGuid():N}", _ => (CustomerItem?)null);
        for (var round = 0; answers.ContainsValue(null); round++)
        {
            using var client = host.Client(host.Portal, host.AdminToken);
            var open = answers.Where(answer => answer.Value is null).Select(answer => answer.Key).ToList();
            var sending = open.Select(async name => (name, answer: await CreateAsync(client, name))).ToList();
            if (round < 4)
            {
                // In the middle of it: after the first few answers.
                while (sending.Count(one => one.IsCompleted) < 3 + round)
                {
                    await Task.WhenAny(sending.Where(one => !one.IsCompleted));
                }

                await host.KillAsync();
            }

            foreach (var (name, answer) in await Task.WhenAll(sending))
            {
                // Half of the answers are thrown away, as if they had been lost on the way.
                answers[name] = round >= 4 || name[10] % 2 == 0 ? answer : null;
            }

            if (round < 4)
            {
                await host.StartAsync();
            }
        }

        using var admin = host.Client(host.Portal, host.AdminToken);
        var stored = (await admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?limit=500"))!.Items;
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
            return response.StatusCode == HttpStatusCode.Created ? await response.Content.ReadFromJsonAsync<CustomerItem>() : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }
}
