using Microsoft.Extensions.Options;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.OAuth;

/// <summary>Who signs the access tokens of clients, by which address, and for whom. Without an address there is no issuer, and where another one is configured in place of ours there is none either.</summary>
internal sealed class Issuer(IOptions<IdentityOptions> options, IOptions<AccessTokenOptions> others)
{
    /// <summary>Whether access tokens are given out here.</summary>
    public bool Own => Name is not null;

    /// <summary>The issuer, without a slash at its end.</summary>
    public string? Name { get; } = others.Value.Issuer is null ? options.Value.PortalAddress?.GetLeftPart(UriPartial.Authority) : null;

    public string TokenEndpoint => $"{Name}/api/v1/identity/oauth/token";

    public string Keys => $"{Name}/api/v1/identity/oauth/jwks";
}
