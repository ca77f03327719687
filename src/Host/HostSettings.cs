namespace MissionControl.Host;

/// <summary>What a process of Mission Control is started with; defaults work with no file.</summary>
public sealed record HostSettings
{
    /// <summary>Roles to run: <c>all</c> or names.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ["all"];

    /// <summary>Data directory.</summary>
    public string Data { get; init; } = "data";

    /// <summary>Address of portal and API, HTTPS.</summary>
    public Uri Portal { get; init; } = new("https://localhost:8443");

    /// <summary>Address of call-home, HTTPS.</summary>
    public Uri CallHome { get; init; } = new("https://localhost:9443");

    /// <summary>Address of API, health and metrics without TLS; loopback only.</summary>
    public Uri Operations { get; init; } = new("http://localhost:8080");

    /// <summary>Call-home without TLS, for the benchmark and a proxy that ends TLS; loopback only, off by default.</summary>
    public Uri? CallHomePlain { get; init; }

    /// <summary>Fill an empty installation with demo customers and the simulated fleet.</summary>
    public bool Demo { get; init; }

    /// <summary>Further configuration file (JSON).</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Every mistake in the settings, each as a sentence that says what to change.</summary>
    public IReadOnlyList<string> Errors()
    {
        var errors = new List<string>();
        if (!Roles.SequenceEqual(["all"]))
        {
            errors.Add("The embedded shape runs every role in one process: use --role all. A subset of roles needs PostgreSQL or SQL Server and RabbitMQ.");
        }

        Check(errors, Portal, "--portal", "https");
        Check(errors, CallHome, "--callhome", "https");
        Check(errors, Operations, "--ops", "http");
        if (CallHomePlain is not null)
        {
            Check(errors, CallHomePlain, "--callhome-plain", "http");
        }

        if (Demo && new[] { Portal, CallHome, Operations }.Any(address => !address.IsLoopback))
        {
            errors.Add("--demo is refused while a listener is not on loopback: the demo is for trying the product on one machine. Leave out --demo, or listen on localhost.");
        }

        return errors;
    }

    private static void Check(List<string> errors, Uri address, string option, string scheme)
    {
        if (address.Scheme != scheme)
        {
            errors.Add($"{option} {address}: the address must begin with {scheme}://.");
        }

        if (scheme == "http" && !address.IsLoopback)
        {
            errors.Add($"{option} {address}: without TLS only loopback addresses are served; use localhost.");
        }

        if (address.PathAndQuery != "/")
        {
            errors.Add($"{option} {address}: give scheme, host and port only.");
        }
    }
}
