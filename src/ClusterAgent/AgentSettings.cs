using System.Text.Json;
using System.Text.Json.Serialization;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;

namespace MissionControl.ClusterAgent;

/// <summary>The agent's configuration file. Every member may be left out; docs/agent.md shows a whole one.</summary>
public sealed record AgentSettings
{
    /// <summary>Where it is looked for when no other is named.</summary>
    public const string DefaultFile = "/etc/mc-agent/agent.json";

    /// <summary>Variable of the environment with the proxy's credentials, <c>user:password</c>.</summary>
    public const string ProxyCredentialsVariable = "MC_AGENT_PROXY_CREDENTIALS";

    /// <summary>PEM of a further CA to trust.</summary>
    public string? CaFile { get; set; }

    /// <summary>HTTP proxy on the way to Mission Control.</summary>
    public ProxySettings? Proxy { get; set; }

    /// <summary>It never calls home: a person carries what <c>mc-agent export</c> writes, and brings the answers back.</summary>
    public bool Offline { get; set; }

    /// <summary>The way to the product.</summary>
    public ProductSettings? Product { get; set; }

    /// <summary>Certificates whose expiry is watched.</summary>
    public IReadOnlyList<WatchedCertificate> Certificates { get; set; } = [];

    /// <summary>How the product is told of its licence.</summary>
    public LicenseSettings License { get; set; } = new();

    /// <summary>What is masked and withheld.</summary>
    public PrivacySettings Privacy { get; set; } = new();

    /// <summary>Reads a file, or the default one if it is there.</summary>
    /// <exception cref="SettingsException">It cannot be read, or something in it is wrong.</exception>
    public static AgentSettings Load(string? file)
    {
        if (file is null && !File.Exists(DefaultFile))
        {
            return new AgentSettings();
        }

        var path = file ?? DefaultFile;
        try
        {
            var settings = JsonSerializer.Deserialize(File.ReadAllBytes(path), SettingsJson.Default.AgentSettings) ?? new AgentSettings();
            return string.Join(Environment.NewLine, settings.Errors()) is { Length: > 0 } errors ? throw new SettingsException($"{path}: {errors}") : settings;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{path}: {exception.Message}");
        }
    }

    /// <summary>The proxy with its credentials: from its file, else from the environment.</summary>
    /// <exception cref="SettingsException">The credentials cannot be read.</exception>
    public ProxyServer? ProxyServer()
    {
        if (Proxy is null)
        {
            return null;
        }

        string? credentials;
        try
        {
            credentials = Proxy.CredentialsFile is { } file ? File.ReadAllText(file).Trim() : Environment.GetEnvironmentVariable(ProxyCredentialsVariable);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The proxy's credentials cannot be read: {exception.Message}");
        }

        if (string.IsNullOrEmpty(credentials))
        {
            return new ProxyServer(Proxy.Address);
        }

        return credentials.Split(':', 2) is [var user, var password]
            ? new ProxyServer(Proxy.Address, user, password)
            : throw new SettingsException("The proxy's credentials are written user:password.");
    }

    private List<string> Errors()
    {
        var errors = new List<string>(Privacy.Errors());
        if (Proxy is { Address: var address } && (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0))
        {
            errors.Add($"proxy.address is written http://host:port; credentials belong into proxy.credentialsFile or into {ProxyCredentialsVariable}.");
        }

        if (Product is { Url: var url, DropDirectory: var drop })
        {
            if ((url is null) == (drop is null))
            {
                errors.Add("product: give either url or dropDirectory.");
            }

            if (url is not null && (!url.IsAbsoluteUri || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))))
            {
                errors.Add("product.url is written https://…, or http://… on this machine.");
            }
        }

        if (License.Port is < 1 or > 65535)
        {
            errors.Add("license.port is 1 to 65535.");
        }

        errors.AddRange(Certificates.Where(watched => watched.Purpose is not ("cluster" or "gateway" or "call-home")).Select(watched => $"certificates: the purpose of {watched.Path} is cluster, gateway or call-home."));
        return errors;
    }
}

/// <summary>HTTP proxy on the way to Mission Control.</summary>
public sealed record ProxySettings
{
    /// <summary>http://host:port.</summary>
    public required Uri Address { get; set; }

    /// <summary>File with <c>user:password</c>, readable by the agent only.</summary>
    public string? CredentialsFile { get; set; }
}

/// <summary>The way to the product: one of the two.</summary>
public sealed record ProductSettings
{
    /// <summary>Where its document is.</summary>
    public Uri? Url { get; set; }

    /// <summary>File with a bearer token for it.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Where it drops files of JSON lines.</summary>
    public string? DropDirectory { get; set; }
}

/// <summary>How the product is told of its licence.</summary>
public sealed record LicenseSettings
{
    /// <summary>Port of 127.0.0.1 to tell it on; null: none is opened.</summary>
    public int? Port { get; set; }
}

/// <summary>The configuration is wrong; the message says where.</summary>
public sealed class SettingsException(string message) : Exception(message);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowDuplicateProperties = false, RespectNullableAnnotations = true, PropertyNameCaseInsensitive = false, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(AgentSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
