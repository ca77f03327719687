using MissionControl.Catalog;

namespace MissionControl.Host;

/// <summary>What a process of Mission Control is started with; defaults work with no file.</summary>
public sealed record HostSettings
{
    /// <summary>Roles to run: <c>all</c> or names.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ["all"];

    /// <summary>Data directory.</summary>
    public string Data { get; init; } = "data";

    /// <summary>Address of portal and API, HTTPS; in the distributed shape only where the role portal runs.</summary>
    public Uri Portal { get; init; } = new("https://localhost:8443");

    /// <summary>Address of call-home, HTTPS.</summary>
    public Uri CallHome { get; init; } = new("https://localhost:9443");

    /// <summary>Address of a role's API for the portal's edge, HTTPS; distributed shape only.</summary>
    public Uri Internal { get; init; } = new("https://localhost:8444");

    /// <summary>Address of health and metrics without TLS; on loopback the API, too.</summary>
    public Uri Operations { get; init; } = new("http://localhost:8080");

    /// <summary>Call-home without TLS, for the benchmark and a proxy that ends TLS; loopback only, off by default.</summary>
    public Uri? CallHomePlain { get; init; }

    /// <summary>Fill an empty installation with demo customers and the simulated fleet.</summary>
    public bool Demo { get; init; }

    /// <summary>False for a command that uses the parts and serves nobody: it needs no certificate.</summary>
    public bool Serves { get; init; } = true;

    /// <summary>Further configuration file (JSON).</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Every mistake in the settings, each as a sentence that says what to change.</summary>
    public IReadOnlyList<string> Errors(IConfiguration configuration)
    {
        var errors = new List<string>();
        var shape = Shape.Read(configuration, errors);
        if (!Roles.SequenceEqual(["all"]) && !shape.IsDistributed)
        {
            errors.Add("The embedded shape runs every role in one process: use --role all. A subset of roles needs PostgreSQL or SQL Server and RabbitMQ: set Database:Provider and RabbitMq:Address.");
        }

        var known = ModuleList.All.Select(module => module.Name).Append("all").ToList();
        errors.AddRange(Roles.Except(known).Select(role => $"There is no role '{role}'. Roles: {string.Join(", ", known)}."));
        Check(errors, Portal, "--portal", "https");
        Check(errors, CallHome, "--callhome", "https");
        Check(errors, Internal, "--internal", "https");
        Check(errors, Operations, "--ops", "http", shape.IsDistributed);
        if (CallHomePlain is not null)
        {
            Check(errors, CallHomePlain, "--callhome-plain", "http");
        }

        if (shape.IsDistributed && Roles.Contains("portal"))
        {
            errors.AddRange(ModuleList.All.Select(module => module.Name).Except(Roles).Where(role => !configuration.GetSection($"Edge:Roles:{role}").GetChildren().Any())
                .Select(role => $"The portal forwards the API of the role {role}, which runs elsewhere: list its addresses in Edge:Roles:{role}, for example [\"https://{role}:8444\"]."));
        }

        foreach (var key in new[] { "Network:TrustedProxies", "Network:PublicProxies", "Network:StaffNetworks" })
        {
            errors.AddRange((configuration.GetSection(key).Get<string[]>() ?? []).Where(network => !System.Net.IPNetwork.TryParse(network, out _))
                .Select(network => $"{key} '{network}' is not a network; write it as 10.0.0.0/8."));
        }

        if (configuration["Tls:MinimumVersion"] is { Length: > 0 } version && version is not ("1.2" or "1.3"))
        {
            errors.Add($"Tls:MinimumVersion '{version}' is none: 1.2 or 1.3. Older versions are not spoken.");
        }

        errors.AddRange((configuration.GetSection("Tls:CipherSuites").Get<string[]>() ?? []).Where(suite => !Enum.TryParse<System.Net.Security.TlsCipherSuite>(suite, out _) || char.IsAsciiDigit(suite[0]))
            .Select(suite => $"Tls:CipherSuites '{suite}' is no cipher suite; write it by its IANA name, for example TLS_AES_256_GCM_SHA384."));
        if (Demo && shape.IsDistributed)
        {
            errors.Add("--demo is refused in the distributed shape: the demo is for trying the product on one machine. Leave out --demo.");
        }
        else if (Demo && new[] { Portal, CallHome, Operations }.Any(address => !address.IsLoopback))
        {
            errors.Add("--demo is refused while a listener is not on loopback: the demo is for trying the product on one machine. Leave out --demo, or listen on localhost.");
        }

        if (!Demo && configuration.GetValue<bool>("Identity:KeepBootstrapToken") && (shape.IsDistributed || new[] { Portal, CallHome, Operations }.Any(address => !address.IsLoopback)))
        {
            errors.Add("Identity:KeepBootstrapToken is for demos and tests: it is refused in the distributed shape and while a listener is not on loopback.");
        }

        return errors;
    }

    private static void Check(List<string> errors, Uri address, string option, string scheme, bool plainAnywhere = false)
    {
        if (address.Scheme != scheme)
        {
            errors.Add($"{option} {address}: the address must begin with {scheme}://.");
        }

        if (scheme == "http" && !address.IsLoopback && !plainAnywhere)
        {
            errors.Add($"{option} {address}: without TLS only loopback addresses are served; use localhost.");
        }

        if (address.PathAndQuery != "/")
        {
            errors.Add($"{option} {address}: give scheme, host and port only.");
        }
    }
}
