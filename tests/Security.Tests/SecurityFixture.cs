using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(MissionControl.Security.Tests.SecurityFixture))]

namespace MissionControl.Security.Tests;

/// <summary>One host with two customers for all tests of this assembly; each test enrols its own clusters.</summary>
public sealed class SecurityFixture : IAsyncLifetime
{
    /// <summary>The host under attack.</summary>
    public ControlPlane Host { get; private set; } = null!;

    /// <summary>The customer whose clusters attack.</summary>
    public CustomerItem Customer { get; private set; } = null!;

    /// <summary>The customer who must notice nothing.</summary>
    public CustomerItem Neighbour { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // All attacks come from one address, within minutes; that its limit holds is tested at hosts of their own.
        Host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000", ["Api:RequestsPerMinute"] = "1000000" });
        Customer = await Host.CreateCustomerAsync("Attacker");
        Neighbour = await Host.CreateCustomerAsync("Neighbour");
    }

    /// <summary>A cluster of <see cref="Customer"/>.</summary>
    public Task<TestCluster> EnrollAsync() => TestCluster.EnrollAsync(Host, Customer.Id, "attacker");

    /// <summary>A cluster of <see cref="Neighbour"/>.</summary>
    public Task<TestCluster> EnrollNeighbourAsync() => TestCluster.EnrollAsync(Host, Neighbour.Id, "neighbour");

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
