using System.Reflection;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Security;
using MissionControl.Testing;

namespace MissionControl.Security.Tests.Api;

/// <summary>Every endpoint of the API as the host itself knows it, so that a new one is attacked without anybody remembering to.</summary>
internal sealed record ApiEndpoint(string Name, string Method, RoutePattern Pattern, Type? Body, IReadOnlyList<ParameterInfo> Parameters, IReadOnlyList<string> Scopes, bool IsOpen)
{
    public static IReadOnlyList<ApiEndpoint> All(ControlPlane host) =>
    [
        .. host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText?.StartsWith("/api/v1/", StringComparison.Ordinal) == true)
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => new ApiEndpoint(
                endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName ?? endpoint.DisplayName!,
                method,
                new RoutePattern(endpoint.RoutePattern.RawText!),
                endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType,
                endpoint.Metadata.GetMetadata<MethodInfo>()?.GetParameters() ?? [],
                [.. endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>().SelectMany(policy => policy.Requirements).OfType<RequiredScope>().Select(required => required.Scope)],
                endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)))
            .OrderBy(endpoint => endpoint.Name, StringComparer.Ordinal),
    ];

    /// <summary>Parameters that come from the query string.</summary>
    public IEnumerable<string> QueryParameters => Parameters.Where(parameter => IsSimple(parameter.ParameterType) && !Pattern.Names.Contains(parameter.Name!, StringComparer.OrdinalIgnoreCase)).Select(parameter => parameter.Name!);

    private static bool IsSimple(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (plain == typeof(string) || plain == typeof(int) || plain == typeof(long) || plain == typeof(bool) || plain == typeof(Guid) || plain == typeof(DateTimeOffset));
}

/// <summary>A route with places to fill.</summary>
internal sealed partial record RoutePattern(string Text)
{
    public IReadOnlyList<string> Names => [.. Place().Matches(Text).Select(match => match.Groups[1].Value)];

    public string Fill(Func<string, string> value) => Place().Replace(Text, match => string.Join('/', value(match.Groups[1].Value).Split('/').Select(Uri.EscapeDataString)));

    [System.Text.RegularExpressions.GeneratedRegex(@"\{\*{0,2}(\w+)(?::\w+)?\??\}")]
    private static partial System.Text.RegularExpressions.Regex Place();
}
