using System.Buffers.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Credentials;

/// <summary>A verified assertion (RFC 7523): who signed it, with which key, and its claims.</summary>
internal sealed record Assertion(Cluster Cluster, ClusterKeyRow Key, IReadOnlyList<ClusterKeyRow> Keys, JsonElement Claims);

/// <summary>Why an assertion does not count.</summary>
internal enum AssertionError
{
    None,
    Invalid,
    NeedsNonce,

    /// <summary>Signed by a key from before the cluster was enrolled anew: the machine that it was taken from is still there.</summary>
    Replaced,
}

/// <summary>
/// Verifies the ES256 assertions by which a cluster proves itself. Freshness comes from the server's nonce, never from the
/// cluster's clock, so that a wrong clock locks nobody out; <c>exp</c> is only checked to be no more than an hour after <c>iat</c>.
/// </summary>
internal sealed class Assertions(ControlPlaneDbContext db, Nonces nonces, CloneAlarm clones, TimeProvider time)
{
    public const string Audience = "missioncontrol/callhome";
    private const int MaxLength = 4096;
    private Cluster? replaced;

    /// <summary>Verifies inside the caller's write transaction, which consumes the nonce.</summary>
    /// <param name="text">The assertion.</param>
    /// <param name="use">The route that was called. An assertion is good for the one that it names: whoever reads along, as a proxy that ends TLS does, must not turn the fetching of a token into a farewell.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<(Assertion? Assertion, AssertionError Error)> VerifyAsync(string text, string use, CancellationToken cancellationToken)
    {
        if (!TryRead(text, out var parts, out var clusterId, out var claims) || Text(claims, "use") != use)
        {
            return (null, AssertionError.Invalid);
        }

        // The cluster's rows, not the caller's: nobody is signed in yet.
        db.Scope.OpenAll("an assertion names the cluster whose keys verify it");
        var cluster = await db.Set<Cluster>().SingleOrDefaultAsync(row => row.Id == clusterId, cancellationToken);
        var keys = await db.Set<ClusterKeyRow>().Where(row => row.ClusterId == clusterId && row.Use == ClusterKeyRow.Identity).ToListAsync(cancellationToken);
        var now = time.GetUtcNow();
        var signed = System.Text.Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        var signature = new byte[64];
        if (cluster is null || parts[2].Length != 86 || Base64Url.DecodeFromChars(parts[2], signature, out _, out var length) != System.Buffers.OperationStatus.Done || length != 64)
        {
            return (null, AssertionError.Invalid);
        }

        var key = keys.Find(key => (key.NotAfter is null || key.NotAfter > now) && VerificationKey.FromSpki(key.Spki).Verify(signed, signature));
        if (key is null)
        {
            return (null, await JudgeReplacedAsync(cluster, keys, claims, signed, signature, cancellationToken));
        }

        // The nonce is asked for last: only the holder of the key learns that everything else was right, and only it can burn one.
        if (Text(claims, "nonce") is not { } nonce || !await nonces.TryUseAsync(db, nonce, cancellationToken))
        {
            return (null, AssertionError.NeedsNonce);
        }

        if (key.FirstUsedAt is null)
        {
            key.FirstUsedAt = now;
        }

        return (new Assertion(cluster, key, keys, claims), AssertionError.None);
    }

    /// <summary>Tells everybody of a sender whose key was replaced; the caller's transaction has ended.</summary>
    public Task AlarmAsync(CancellationToken cancellationToken) => replaced is null
        ? Task.CompletedTask
        : clones.RaiseAsync(replaced.Id, replaced.CustomerId, "a key from before the cluster was enrolled anew spoke", cancellationToken);

    // Only whoever still holds the key and answers to a fresh nonce raises the alarm: not an assertion that was overheard once.
    private async Task<AssertionError> JudgeReplacedAsync(Cluster cluster, List<ClusterKeyRow> keys, JsonElement claims, byte[] signed, byte[] signature, CancellationToken cancellationToken)
    {
        if (!keys.Exists(key => key.Admission < cluster.Admission && VerificationKey.FromSpki(key.Spki).Verify(signed, signature)))
        {
            return AssertionError.Invalid;
        }

        if (Text(claims, "nonce") is not { } nonce || !await nonces.TryUseAsync(db, nonce, cancellationToken))
        {
            return AssertionError.NeedsNonce;
        }

        replaced = cluster;
        return AssertionError.Replaced;
    }

    /// <summary>Whether a text can be an assertion at all: what cannot must not take a turn at the database, for anybody may send it.</summary>
    public static bool IsWellFormed(string text) => TryRead(text, out _, out _, out _);

    private static bool TryRead(string text, out string[] parts, out Guid clusterId, out JsonElement claims)
    {
        clusterId = default;
        claims = default;
        parts = text.Length <= MaxLength ? text.Split('.', 4) : [];
        return parts.Length == 3 && TryJson(parts[0], out var header) && TryJson(parts[1], out claims)
            && Text(header, "alg") == "ES256" && Text(claims, "aud") == Audience && Text(claims, "iss") is { } issuer
            && issuer == Text(claims, "sub") && Guid.TryParse(issuer, out clusterId) && HasSaneLife(claims);
    }

    private static bool HasSaneLife(JsonElement claims) =>
        Number(claims, "iat") is { } issued && Number(claims, "exp") is { } expires && issued >= 0 && expires > issued && expires - issued <= 3600
        && Text(claims, "jti") is { Length: > 0 and <= 100 };

    private static long? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>A claim that is a text; null when it is none.</summary>
    public static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool TryJson(string part, out JsonElement element)
    {
        element = default;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(part), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 4 });
            element = document.RootElement.Clone();

            // A text that is half a character or not UTF-8 shows only when it is read.
            return element.ValueKind == JsonValueKind.Object
                && element.EnumerateObject().All(member => member.Name.Length > 0 && (member.Value.ValueKind != JsonValueKind.String || member.Value.GetString() is not null));
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
