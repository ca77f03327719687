using System.Net;
using Xunit;
namespace MissionControl.CallHome.Tests;

[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

/// <summary>Measures what a request makes this process allocate, and so runs while nothing else does.</summary>
[Collection("alone")]
public sealed class MemoryTests(HostFixture fixture)
{
    [Fact]
    public async Task A_gzip_bomb_is_refused_before_it_is_inflated()
    {
        using var cluster = await fixture.EnrollAsync();
        using var content = CheckInTests.Gzip(new byte[32 * 1024 * 1024]);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        using var response = await cluster.SendAsync("checkin", content);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.NotEmpty(response.Headers.GetValues("MC-Limits"));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 8 * 1024 * 1024);
    }
}
