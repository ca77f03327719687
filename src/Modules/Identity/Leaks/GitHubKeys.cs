using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// The public keys that GitHub signs its reports with, fetched when first needed, when a report names an unknown one, and after an
/// hour, so that a key that GitHub took back does not stay good. However many strangers name keys that do not exist, it is asked once a
/// minute at most. Keys that are listed and not current are good: messages under way were signed by them.
/// </summary>
internal sealed partial class GitHubKeys : IDisposable
{
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    /// <summary>When they cannot be had anew for so long, none is good any more.</summary>
    private static readonly TimeSpan Usable = TimeSpan.FromDays(1);

    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxResponseHeadersLength = 16, ConnectTimeout = TimeSpan.FromSeconds(3) })
    {
        Timeout = TimeSpan.FromSeconds(4),
        MaxResponseContentBufferSize = 1024 * 1024,
    };

    private readonly string url;
    private readonly TimeProvider time;
    private readonly ILogger<GitHubKeys> logger;
    private readonly Lock gate = new();
    private FrozenDictionary<string, byte[]> keys = FrozenDictionary<string, byte[]>.Empty;
    private EntityTagHeaderValue? tag;
    private DateTimeOffset readAt = DateTimeOffset.MinValue;
    private DateTimeOffset triedAt = DateTimeOffset.MinValue;
    private Task trying = Task.CompletedTask;

    public GitHubKeys(IOptions<LeakOptions> options, TimeProvider time, ILogger<GitHubKeys> logger)
    {
        (url, this.time, this.logger) = (options.Value.GitHubKeysUrl, time, logger);
        http.DefaultRequestHeaders.UserAgent.ParseAdd("missioncontrol");
        http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    /// <summary>Whether GitHub's reports are taken at all.</summary>
    public bool IsOn => url.Length > 0;

    /// <summary>Whether the last question was answered: then a key that is not listed is none of GitHub's.</summary>
    public bool AreCurrent => readAt != DateTimeOffset.MinValue && readAt >= triedAt;

    /// <summary>The key of an id as SubjectPublicKeyInfo; null: there is none.</summary>
    public async ValueTask<byte[]?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (Age(readAt) > Fresh || !keys.ContainsKey(id))
        {
            await TryRefresh().WaitAsync(cancellationToken);
        }

        return Age(readAt) < Usable ? keys.GetValueOrDefault(id) : null;
    }

    /// <summary>Whether a signature, in DER as GitHub writes it, is the key's over exactly these bytes.</summary>
    public static bool Verifies(byte[] key, ReadOnlySpan<byte> body, ReadOnlySpan<byte> signature)
    {
        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(key, out _);
            return ecdsa.VerifyData(body, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose() => http.Dispose();

    // Whoever comes while somebody asks waits for the same answer.
    private Task TryRefresh()
    {
        lock (gate)
        {
            if (trying.IsCompleted && Age(triedAt) > AtMostEvery)
            {
                triedAt = time.GetUtcNow();
                trying = RefreshAsync();
            }

            return trying;
        }
    }

    private async Task RefreshAsync()
    {
        // Not on the caller's thread, which holds the gate.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            if (tag is not null)
            {
                request.Headers.IfNoneMatch.Add(tag);
            }

            using var response = await http.SendAsync(request);
            if (response.StatusCode != HttpStatusCode.NotModified)
            {
                var list = JsonSerializer.Deserialize<KeyList>(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync())?.Keys ?? [];
                keys = list.Where(key => key is { Id: not null, Pem: not null }).DistinctBy(key => key.Id).Select(key => (Id: key.Id!, Spki: Read(key.Pem!))).Where(key => key.Spki is not null).ToFrozenDictionary(key => key.Id, key => key.Spki!, StringComparer.Ordinal);
                tag = response.Headers.ETag;
            }

            readAt = time.GetUtcNow();
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or OperationCanceledException or IOException)
        {
            LogFailed(logger, exception, url);
        }
    }

    /// <summary>Only keys of the curve that GitHub says it uses.</summary>
    private static byte[]? Read(string pem)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return key.ExportParameters(false).Curve.Oid.Value == "1.2.840.10045.3.1.7" ? key.ExportSubjectPublicKeyInfo() : null;
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    // A clock that was put back makes nothing fresher than it is.
    private TimeSpan Age(DateTimeOffset since) => since == DateTimeOffset.MinValue || time.GetUtcNow() < since - AtMostEvery ? TimeSpan.MaxValue : time.GetUtcNow() - since;

    [LoggerMessage(2010, LogLevel.Warning, "The keys of GitHub's secret scanning cannot be had from {Url}; its reports are refused until they can, when none were had for a day or a new one is named")]
    private static partial void LogFailed(ILogger logger, Exception exception, string url);

    private sealed record KeyList([property: JsonPropertyName("public_keys")] IReadOnlyList<PublishedKey>? Keys);

    private sealed record PublishedKey([property: JsonPropertyName("key_identifier")] string? Id, [property: JsonPropertyName("key")] string? Pem);
}
