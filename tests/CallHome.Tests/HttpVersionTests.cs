using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>The listener offers HTTP/1.1 and HTTP/2 over TLS, and means the same by both.</summary>
public sealed class HttpVersionTests(HostFixture fixture)
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_check_in_is_taken_and_a_large_one_refused_over_either_version(string version)
    {
        using var cluster = await fixture.EnrollAsync();

        using var taken = await SendAsync(cluster, Version.Parse(version), new ByteArrayContent(cluster.Request(cluster.Health(1), cluster.Health(2)).ToByteArray()));
        using var large = await SendAsync(cluster, Version.Parse(version), CheckInTests.Gzip(new byte[32 * 1024 * 1024]));
        using var plain = await SendAsync(cluster, Version.Parse(version), new ByteArrayContent(new byte[8 * 1024 * 1024]));
        using var again = await SendAsync(cluster, Version.Parse(version), new ByteArrayContent(cluster.Request(cluster.Health(3)).ToByteArray()));

        Assert.Equal(2, (await TestCluster.ReadAsync(taken, CheckInResponse.Parser)).Ack);
        foreach (var refused in new[] { large, plain })
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
            Assert.Equal("payload-too-large", (await TestCluster.ProblemAsync(refused)).Code);
            Assert.NotEmpty(refused.Headers.GetValues("MC-Limits"));
        }

        // A refusal does not spoil the connection, or is at least no hindrance to the next.
        Assert.Equal(3, (await TestCluster.ReadAsync(again, CheckInResponse.Parser)).Ack);
        Assert.All(new[] { taken, large, plain, again }, response => Assert.Equal(Version.Parse(version), response.Version));
    }

    private static async Task<HttpResponseMessage> SendAsync(TestCluster cluster, Version version, ByteArrayContent content)
    {
        content.Headers.ContentType ??= new MediaTypeHeaderValue("application/x-protobuf");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/callhome/v1/checkin") { Content = content, Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", cluster.AccessToken);

        // The refusal comes before all of it is sent: the client waits for it as agents do.
        request.Headers.ExpectContinue = true;
        return await cluster.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
