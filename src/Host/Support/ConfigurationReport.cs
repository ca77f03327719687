using System.Data.Common;
using Microsoft.Data.SqlClient;
using Npgsql;

namespace MissionControl.Host.Support;

/// <summary>
/// The configuration as a process with these options goes by it, and its secrets, which come from it to be cut out of everything else.
/// Shown are only the values of keys that <see cref="ConfigurationKeys.Shown"/> names.
/// </summary>
internal static class ConfigurationReport
{
    private static readonly string[] SecretWords = ["password", "pwd", "secret", "token", "connectionstring", "key", "credential"];
    private static readonly string[] KeyDirectories = ["keys", "certificates"];
    private const int ShortestUnknown = 8;
    private const int MostOfFile = 64 * 1024;

    /// <summary>What a bundle shows of it.</summary>
    public static object Of(HostSettings settings, IConfiguration configuration, Shape shape, IReadOnlyList<string> mistakes)
    {
        var entries = Entries(configuration);
        return new
        {
            Options = new
            {
                settings.Roles, Data = Path.GetFullPath(settings.Data), Portal = Address(settings.Portal), CallHome = Address(settings.CallHome), Internal = Address(settings.Internal),
                Operations = Address(settings.Operations), CallHomePlain = settings.CallHomePlain is null ? null : Address(settings.CallHomePlain), settings.Demo, Config = settings.ConfigFile,
            },
            Database = Server(shape),
            Mistakes = mistakes,
            Keys = ConfigurationKeys.Known.Keys.ToDictionary(key => key, key => Value(key, entries)),

            // Whatever stands there may be the password whose key was mistyped.
            UnknownKeys = entries.Keys.Where(key => !ConfigurationKeys.IsKnown(key)),
        };
    }

    /// <summary>Every value that must not be read anywhere in a bundle.</summary>
    public static IEnumerable<string> Secrets(HostSettings settings, IConfiguration configuration, Shape shape)
    {
        foreach (var (key, value) in Entries(configuration).Where(entry => !ConfigurationKeys.IsShown(entry.Key)))
        {
            if (!ConfigurationKeys.IsKnown(key))
            {
                // The password of a key that was mistyped; what is shorter is rather a number or a switch.
                yield return value.Length >= ShortestUnknown ? value : "";
            }
            else if (IsSecret(key[(key.LastIndexOf(':') + 1)..]))
            {
                yield return value;
            }
        }

        foreach (var (key, value) in Entries(configuration).Where(entry => entry.Key.EndsWith("File", StringComparison.OrdinalIgnoreCase) && IsSecret(entry.Key[(entry.Key.LastIndexOf(':') + 1)..])))
        {
            foreach (var line in Lines(value))
            {
                yield return line;
            }
        }

        // The library takes a password from there, too.
        yield return Environment.GetEnvironmentVariable("PGPASSWORD") ?? "";
        yield return shape.RabbitMq?.Password ?? "";
        yield return shape.ConnectionString;
        foreach (var part in Parts(shape).Where(part => IsSecret(part.Key)))
        {
            yield return part.Value;
        }

        // And what the first start makes.
        foreach (var line in KeyDirectories.Select(directory => Path.Combine(settings.Data, directory)).Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.pem", new EnumerationOptions { IgnoreInaccessible = true })).Append(Path.Combine(settings.Data, "admin.invitation")).SelectMany(Lines))
        {
            yield return line;
        }
    }

    private static SortedDictionary<string, string> Entries(IConfiguration configuration) =>
        new(configuration.AsEnumerable().Where(entry => entry.Value is not null).ToDictionary(entry => entry.Key, entry => entry.Value!), StringComparer.OrdinalIgnoreCase);

    private static object? Value(string key, SortedDictionary<string, string> entries)
    {
        var within = entries.Where(entry => entry.Key.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase)).ToList();
        var value = entries.GetValueOrDefault(key);
        if (!ConfigurationKeys.Shown.Contains(key))
        {
            return string.IsNullOrEmpty(value) && within.Count == 0 ? "not set" : "set";
        }

        return within.Count > 0 ? within.ToDictionary(entry => entry.Key[(key.Length + 1)..], entry => Shown(entry.Value)) : value is null ? null : Shown(value);
    }

    /// <summary>Of an address without user, password, query and fragment.</summary>
    private static string Shown(string value) => !value.Contains("://", StringComparison.Ordinal) ? value
        : Uri.TryCreate(value, UriKind.Absolute, out var address) ? Address(address) : "set, and no address";

    private static string Address(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static object Server(Shape shape)
    {
        try
        {
            return shape.Provider switch
            {
                "postgresql" when new NpgsqlConnectionStringBuilder(shape.ConnectionString) is var server => new { shape.Provider, server.Host, Port = (int?)server.Port, server.Database },
                "sqlserver" when new SqlConnectionStringBuilder(shape.ConnectionString) is var server => new { shape.Provider, Host = (string?)server.DataSource, Port = (int?)null, Database = (string?)server.InitialCatalog },
                _ => new { shape.Provider, Host = (string?)null, Port = (int?)null, Database = (string?)null },
            };
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            // What it says may hold what it could not read.
            return new { shape.Provider, Mistake = "The connection string is set, and the library cannot read it." };
        }
    }

    /// <summary>The parts of the connection string, as any of them writes it; what nobody can read is all one secret.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Parts(Shape shape)
    {
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = shape.ConnectionString };
            return [.. parts.Keys.Cast<string>().Select(key => KeyValuePair.Create(key, parts[key].ToString() ?? ""))];
        }
        catch (ArgumentException)
        {
            return shape.ConnectionString.Split([';', '=']).Select(part => KeyValuePair.Create("secret", part));
        }
    }

    private static bool IsSecret(string name) => SecretWords.Any(word => name.Replace(" ", "", StringComparison.Ordinal).Contains(word, StringComparison.OrdinalIgnoreCase));

    // Not the lines around keys, which are everybody's.
    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= MostOfFile ? [.. File.ReadAllLines(path).Where(line => !line.StartsWith("-----", StringComparison.Ordinal))] : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What cannot be read here gets into no text from here.
            return [];
        }
    }
}
