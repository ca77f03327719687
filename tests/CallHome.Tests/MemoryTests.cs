using System.Net;
using System.Net.Http.Headers;
using MissionControl.Testing;
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

    [Fact]
    public async Task A_line_of_a_bundle_that_never_ends_is_refused_and_a_bundle_beyond_the_limit_is_never_asked_for()
    {
        using var cluster = await fixture.EnrollAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);

        // As much as makes the line too long, and no more: whoever goes on sending meets a closed connection.
        using var endless = await cluster.UploadAsync(new byte[(6 * 1024 * 1024) + 1]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/callhome/v1/bundles") { Content = new Announced((1024L * 1024 * 1024) + 1) };
        request.Headers.ExpectContinue = true;
        using var large = await cluster.Http.SendAsync(request);

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 64 * 1024 * 1024);
        foreach (var response in new[] { endless, large })
        {
            Assert.Equal("payload-too-large", (await TestCluster.ProblemAsync(response)).Code);
            Assert.NotEmpty(response.Headers.GetValues("MC-Limits"));
        }
    }

    /// <summary>Says how long it is and is never sent.</summary>
    private sealed class Announced : HttpContent
    {
        private readonly long length;

        public Announced(long length)
        {
            this.length = length;
            Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new InvalidOperationException("It was asked for.");

        protected override bool TryComputeLength(out long length)
        {
            length = this.length;
            return true;
        }
    }
}
