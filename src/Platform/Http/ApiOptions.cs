using System.ComponentModel.DataAnnotations;

namespace MissionControl.Platform.Http;

/// <summary>Settings of the REST API, section <c>Api</c>.</summary>
internal sealed class ApiOptions
{
    /// <summary>Requests per minute of one caller in this process: of a token, or, at the public address, of an address without one. So many may come at once.</summary>
    [Range(60, 10_000_000)]
    public int RequestsPerMinute { get; init; } = 1200;
}
