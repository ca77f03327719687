using System.Net;

namespace MissionControl.Cli.Server;

/// <summary>Where Mission Control is.</summary>
internal static class ServerAddress
{
    /// <summary>How it is written.</summary>
    public const string Rule = "The address of Mission Control is written https://control.example.com, or http:// to this machine itself; without a path, and without credentials.";

    /// <summary>The address; null: it is not written so.</summary>
    public static Uri? Parse(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address)
        && IsSafe(address) && address is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
            ? new Uri(address.GetLeftPart(UriPartial.Authority))
            : null;

    /// <summary>Whether nobody on the way hears or changes what is said there.</summary>
    public static bool IsSafe(Uri address) => address.Host.Length > 0 && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && IsThisMachine(address)));

    /// <summary>Whether what is sent there leaves this machine; a name that only looks so may be anybody's.</summary>
    public static bool IsThisMachine(Uri address) => address.IdnHost == "localhost" || (IPAddress.TryParse(address.IdnHost, out var ip) && IPAddress.IsLoopback(ip));

    /// <summary>As it was typed: without the slash that no one types.</summary>
    public static string Said(Uri server) => server.GetLeftPart(UriPartial.Authority);
}
