using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(MissionControl.CallHome.Tests.HostFixture))]

namespace MissionControl.CallHome.Tests;

/// <summary>One host and one customer for all tests of this assembly; each test enrols its own clusters.</summary>
public sealed class HostFixture : IAsyncLifetime
{
    public ControlPlane Host { get; private set; } = null!;

    public CustomerItem Customer { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000" });
        Customer = await Host.CreateCustomerAsync();
    }

    public Task<TestCluster> EnrollAsync() => TestCluster.EnrollAsync(Host, Customer.Id);

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
