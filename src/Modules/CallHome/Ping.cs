using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome;

/// <summary><c>GET /callhome/v1/ping</c>: the server's time and limits, for <c>check-connection</c> and for clocks that are far off.</summary>
internal static class Ping
{
    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapGet("/ping", static (HttpContext context, TimeProvider time) => Wire.WriteAsync(context, new PingResponse
        {
            ServerTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            MaxCompressedBytes = Limits.CompressedBytes,
            MaxInflatedBytes = Limits.InflatedBytes,
            MaxUsageCompressedBytes = Limits.UsageCompressedBytes,
            MaxUsageInflatedBytes = Limits.UsageInflatedBytes,
            MaxItems = Limits.Items,
            Version = "v1",
        })).AllowAnonymous().WithName("Ping").WithSummary("The server's time and limits").ExcludeFromDescription();
}
