using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>A clock that tests set, for host and agents alike.</summary>
public abstract class SetClockFixture : IAsyncLifetime
{
    internal ManualTime Time { get; } = new(new DateTimeOffset(2026, 3, 10, 10, 0, 0, TimeSpan.Zero));

    internal IInstallation Installation { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Installation = await StartAsync(Time);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await (Installation?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private protected abstract Task<IInstallation> StartAsync(TimeProvider time);
}

/// <summary>One host by that clock.</summary>
public sealed class SetClockEmbeddedFixture : SetClockFixture
{
    private protected override async Task<IInstallation> StartAsync(TimeProvider time) => await EmbeddedHost.StartAsync(time);
}

/// <summary>A host for every replica by that clock.</summary>
public sealed class SetClockDistributedFixture : SetClockFixture
{
    private protected override async Task<IInstallation> StartAsync(TimeProvider time) => await DistributedInstallation.StartAsync(time);
}

/// <summary>The tests that share the distributed installation with a clock that is set.</summary>
[CollectionDefinition(Shapes.DistributedSetClock)]
public sealed class DistributedSetClockShape : ICollectionFixture<SetClockDistributedFixture>;
