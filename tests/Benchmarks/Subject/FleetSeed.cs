using System.Diagnostics;
using System.Net.Http.Json;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Benchmarks.Subject;

/// <summary>A cluster that was enrolled through the door.</summary>
/// <param name="Client">Its side of the protocol.</param>
/// <param name="Identity">Its key and enrolment.</param>
internal sealed record EnrolledCluster(CallHomeClient Client, MemoryIdentity Identity)
{
    public Guid Id => Identity.Enrollment!.ClusterId;

    /// <summary>Its last access token.</summary>
    public string Bearer { get; private set; } = "";

    /// <summary>The number of its next item.</summary>
    public long NextSequence { get; set; } = 1;

    public async Task AuthorizeAsync() => Bearer = await Client.AuthorizeAsync(CancellationToken.None);
}

/// <summary>Enrols fleets of any size through the product's own doors: customers and enrolment tokens by the API, clusters over HTTPS.</summary>
internal static class FleetSeed
{
    public static async Task<IReadOnlyList<EnrolledCluster>> EnrollAsync(HostProcess host, int clusters)
    {
        var clock = Stopwatch.StartNew();
        using var admin = host.Client(host.Portal, host.AdminToken);
        var customers = new List<Guid>();
        for (var i = 0; i < Math.Clamp(clusters / 500, 1, 20); i++)
        {
            var customer = await RetryAsync(async () => await PostAsync<CustomerItem>(admin, "/api/v1/licensing/customers", new CreateCustomerRequest($"Customer {i + 1}", "eu")));
            customers.Add(customer.Id);
        }

        var enrolled = new EnrolledCluster[clusters];
        var http = host.Client(host.CallHome);

        await Parallel.ForAsync(0, clusters, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
        {
            var created = await RetryAsync(async () => await PostAsync<CreatedEnrollmentToken>(admin, "/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customers[i % customers.Count])));
            var identity = new MemoryIdentity();
            var client = new CallHomeClient(http, identity, TimeProvider.System);
            var response = await client.EnrollAsync(created.Token, new Facts { Name = $"cluster-{i}", AgentVersion = "1.0.0", ProductVersion = "1.339.0" }, true, cancellationToken);
            identity.Enrollment = new Enrollment(host.CallHome, Guid.Parse(response.ClusterId), response.Epoch, "", true, 60, 10);
            enrolled[i] = new EnrolledCluster(client, identity);
        });

        Console.WriteLine($"  ({clusters} clusters enrolled in {clock.Elapsed.TotalSeconds:0.0} s)");
        return enrolled;
    }

    /// <summary>Gets access for all of them.</summary>
    public static Task AuthorizeAsync(IEnumerable<EnrolledCluster> clusters) =>
        Parallel.ForEachAsync(clusters, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (cluster, _) => await cluster.AuthorizeAsync());

    private static async Task<T> PostAsync<T>(HttpClient client, string path, object request)
    {
        using var response = await client.PostAsJsonAsync(path, request);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<T>())!;
    }

    /// <summary>A fact of one role reaches the others within a second.</summary>
    private static async Task<T> RetryAsync<T>(Func<Task<T>> act)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await act();
            }
            catch (HttpRequestException) when (attempt < 200)
            {
                await Task.Delay(50);
            }
        }
    }
}
