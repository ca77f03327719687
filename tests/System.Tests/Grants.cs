using System.Text.Json;
using MissionControl.Testing;

namespace MissionControl.System.Tests;

/// <summary>The logins of the roles, with the rights that <c>infra/grants</c> gives them and no others.</summary>
internal static class Grants
{
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "grants");

    /// <summary>The login of a process: its role's, or one that has the rights of all its roles.</summary>
    public static string LoginOf(string roles) => $"mc_{roles.Replace(',', '_')}";

    /// <summary>The login at the broker.</summary>
    public static RabbitMqUser BrokerUserOf(string roles)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Directory, "rabbitmq.json")));
        var own = file.RootElement.GetProperty("permissions").EnumerateArray().Where(entry => roles.Split(',').Contains(entry.GetProperty("user").GetString()!["mc_".Length..])).ToList();
        return new RabbitMqUser(LoginOf(roles), Any("configure"), Any("write"), Any("read"));

        string Any(string right) => string.Join('|', own.Select(entry => entry.GetProperty(right).GetString()).Distinct());
    }

    /// <summary>What a login may, in one database.</summary>
    public static string Database => File.ReadAllText(Path.Combine(Directory, "postgresql.sql"));

    /// <summary>Makes the logins at the server.</summary>
    public static IReadOnlyList<string> Logins(IEnumerable<string> processes, string password)
    {
        var all = processes.ToList();
        return
        [
            .. all.SelectMany(roles => roles.Split(',')).Select(role => $"CREATE ROLE mc_{role} LOGIN PASSWORD '{password}'"),
            .. all.Where(roles => roles.Contains(',')).Select(roles =>
                $"CREATE ROLE {LoginOf(roles)} LOGIN PASSWORD '{password}' IN ROLE {string.Join(", ", roles.Split(',').Select(role => "mc_" + role))}"),
        ];
    }
}
