using System.Net;

namespace MissionControl.Platform.Security;

/// <summary>Configuration <c>AccessTokens</c>: another issuer in place of ours, whose access tokens every role takes.</summary>
public sealed class AccessTokenOptions
{
    /// <summary>The issuer, exactly as its discovery document writes it. Null: ours.</summary>
    public string? Issuer { get; init; }

    /// <summary>What its tokens name as their audience when they are for this installation.</summary>
    public string? Audience { get; init; }

    /// <summary>The claim that holds the scopes, as a text separated by spaces or a list.</summary>
    public string ScopeClaim { get; init; } = "scope";

    /// <summary>Stands before our scopes there, such as <c>mc.</c>; what does not begin with it is no scope of ours.</summary>
    public string ScopePrefix { get; init; } = "";

    /// <summary>The claim that holds the id of the customer that a token is bound to; a token without it is refused. Null: all its tokens are the vendor's.</summary>
    public string? CustomerClaim { get; init; }

    /// <summary>Networks (CIDR) besides the public internet in which the issuer may be.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>PEM of certificate authorities that are trusted besides the system's, to speak to it.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whether it can be used.</summary>
    internal bool IsValid => Issuer is null || (Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer) && issuer is { Scheme: "https", Query: "", Fragment: "" } && Audience is { Length: > 0 } && ScopeClaim.Length > 0
        && AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)) && (CaFile is null or "" || File.Exists(CaFile)));
}
