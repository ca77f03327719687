using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Platform.Http;

namespace MissionControl.Platform.Security;

/// <summary>The right an endpoint asks for.</summary>
/// <param name="Scope"><c>{role}:{verb}</c>.</param>
public sealed record RequiredScope(string Scope) : IAuthorizationRequirement;

/// <summary>Guards endpoints by scopes, and the start by the rule that every endpoint is guarded.</summary>
public static class Scopes
{
    /// <summary>The scope that includes all others; the bootstrap token's.</summary>
    public const string Everything = "*";

    /// <summary>Only principals with the scope reach the endpoint.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(new RequiredScope(scope)));

    /// <summary>Whether a space-separated list of scopes includes one.</summary>
    public static bool Include(string granted, string scope)
    {
        ArgumentNullException.ThrowIfNull(granted);
        foreach (var range in granted.AsSpan().Split(' '))
        {
            var one = granted.AsSpan(range);
            if (one.SequenceEqual(Everything) || one.SequenceEqual(scope))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Why a reader who lacks a scope may not do something, in words for a page; null when it holds it.</summary>
    public static string? Lacking(ClaimsPrincipal reader, string scope)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Include(reader.FindFirst("scope")?.Value ?? "", scope) ? null : $"This needs the right {scope}.";
    }
}

/// <summary>Decides scopes, and says which one is missing.</summary>
internal sealed class ScopeHandler : AuthorizationHandler<RequiredScope>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, RequiredScope requirement)
    {
        if (Scopes.Include(context.User.FindFirst("scope")?.Value ?? "", requirement.Scope))
        {
            context.Succeed(requirement);
        }
        else if (context.Resource is HttpContext http)
        {
            http.Items[nameof(RequiredScope)] = requirement.Scope;
        }

        return Task.CompletedTask;
    }
}

/// <summary>Checked at every start: an endpoint has a policy, or stands on the short anonymous list.</summary>
public static class EndpointSecurity
{
    private static readonly HashSet<string> Anonymous =
    [
        "Ping", "Enroll", "ExchangeToken", "CheckIn", "TakeBundle", "RequestEpoch", "RotateKey", "Unenroll",
        "Live", "Ready", "Metrics", "DescribeProblem", "DescribeApi",
    ];

    /// <summary>Adds names of a module to the anonymous list; pages before sign-in and their files.</summary>
    public static TBuilder OpenToAll<TBuilder>(this TBuilder builder, string why)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(why);
        builder.Add(endpoint => endpoint.Metadata.Add(new OpenReason(why)));
        return builder.AllowAnonymous();
    }

    /// <summary>Throws, naming every endpoint that is neither guarded nor on the list.</summary>
    /// <exception cref="InvalidOperationException">An endpoint is open by mistake.</exception>
    public static void AssertEveryEndpointIsGuarded(IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var open = routes.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Where(endpoint => !IsGuarded(endpoint)).Select(endpoint => endpoint.DisplayName).ToList();
        if (open.Count > 0)
        {
            throw new InvalidOperationException($"Endpoints without a policy: {string.Join("; ", open)}.");
        }
    }

    private static bool IsGuarded(RouteEndpoint endpoint)
    {
        var name = endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;
        return endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
            ? (name is not null && Anonymous.Contains(name)) || endpoint.Metadata.GetMetadata<OpenReason>() is not null
            : endpoint.Metadata.GetMetadata<AuthorizationPolicy>() is not null || endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null;
    }

    private sealed record OpenReason(string Why);
}

/// <summary>Answers refusals as problem documents.</summary>
internal static class Refusals
{
    public static Task UnauthenticatedAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.WriteAsync(context, ProblemCodes.Unauthenticated, "Send a valid token as Authorization: Bearer mca_….");
    }

    public static Task ForbiddenAsync(HttpContext context) =>
        Problems.WriteAsync(context, ProblemCodes.ScopeMissing, context.Items[nameof(RequiredScope)] is string scope
            ? $"The token lacks the scope {scope}; an administrator can give it."
            : "The token lacks a right.");
}
