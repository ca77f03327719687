using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>
/// The two shapes. Scenarios are written once, against <see cref="IInstallation"/>, in an abstract class that both shapes inherit; those
/// of one shape share one installation, and keep apart by customers and clusters of their own.
/// In one shape only run: backup and restore, the claim of the data directory and the phases of a first start, which are SQLite's and
/// the embedded process's own (distributed, the servers' tools back up, and no process makes anything); the demo, which the distributed
/// shape refuses; and, distributed only, servers that die, clocks of replicas that differ, and rights at the broker.
/// </summary>
internal static class Shapes
{
    public const string Embedded = "embedded";
    public const string Distributed = "distributed";
    public const string DistributedSetClock = "distributed, by a clock that is set";
}

/// <summary>One process with everything in it.</summary>
public sealed class EmbeddedFixture : IAsyncLifetime
{
    internal HostProcess Installation { get; } = new();

    public async ValueTask InitializeAsync() => await Installation.StartAsync();

    public ValueTask DisposeAsync() => Installation.DisposeAsync();
}

/// <summary>Fourteen processes and two servers: starting them takes most of the time.</summary>
public sealed class DistributedFixture : IAsyncLifetime
{
    internal DistributedInstallation Installation { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Installation = await DistributedInstallation.StartAsync();

    public ValueTask DisposeAsync() => Installation?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>The tests that share the embedded installation.</summary>
[CollectionDefinition(Shapes.Embedded)]
public sealed class EmbeddedShape : ICollectionFixture<EmbeddedFixture>;

/// <summary>The tests that share the distributed installation.</summary>
[CollectionDefinition(Shapes.Distributed)]
public sealed class DistributedShape : ICollectionFixture<DistributedFixture>;

/// <summary>Embedded by another clock than the machine's.</summary>
internal sealed class EmbeddedHost(ControlPlane host) : IInstallation
{
    public Uri Portal => host.Portal;

    public IReadOnlyList<Uri> CallHomes => [host.CallHome];

    public string CaFile => host.CaFile;

    public string AdminToken => host.AdminToken;

    public static async Task<EmbeddedHost> StartAsync(TimeProvider time) => new(await ControlPlane.StartAsync(time: time));

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
