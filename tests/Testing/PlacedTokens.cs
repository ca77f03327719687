using MissionControl.Protocol.Tokens;

namespace MissionControl.Testing;

/// <summary>Secrets of every form that the detector knows, for whoever puts them where they do not belong.</summary>
public static class PlacedTokens
{
    /// <summary>A signed token; after its first twenty characters nothing of it may be read.</summary>
    public const string Jwt = "eyJhbGciOiJFUzI1NiIsInR5cCI6Im1jLXVzZXIrand0In0.eyJzdWIiOiJ0b2tlbjpzZWNyZXQifQ.c2lnbmF0dXJlLXRoYXQtbXVzdC1ub3QtbGVhaw";

    /// <summary>A new token of every kind there is.</summary>
    public static IReadOnlyList<string> OfEveryKind() => [.. TokenText.Kinds.Select(kind => TokenText.New(kind, out _, out _)), .. SealedToken.Kinds.Select(kind => SealedToken.Format(kind, new byte[52]))];
}
