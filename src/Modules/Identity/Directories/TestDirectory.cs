using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Platform.Modules;

namespace MissionControl.Identity.Directories;

/// <summary>
/// Asks a directory of staff, step by step, and explains what is wrong, also on the server's own console, where nobody needs to be signed
/// in. No password is asked for, and none is shown.
/// </summary>
internal static class TestDirectory
{
    public static readonly ConsoleTask Task = new(
        "test-directory",
        "Ask a directory of Identity:Directories, and explain what is wrong. Example: missioncontrol admin test-directory --config mc.json --directory corp --name ada",
        [("directory", "Its Id."), ("name", "A name that somebody signs in with; - for none.")],
        RunAsync);

    private static async Task<string> RunAsync(IServiceProvider services, Func<string, string> option, CancellationToken cancellationToken)
    {
        var directories = services.GetRequiredService<DirectoryClient>();
        var found = directories.Find(option("directory")) ?? throw new InvalidOperationException($"Identity:Directories has no '{option("directory")}'; it has: {string.Join(", ", directories.All.Select(one => one.Id))}.");
        var checks = await LookAsync(found, directories, option("name") is "-" ? null : option("name"), cancellationToken);
        var said = string.Join('\n', checks.Select(check => $"{check.Outcome,-8} {check.Code,-20} {check.Detail}"));
        return checks.Exists(check => check.Outcome == "failed") ? throw new InvalidOperationException(said) : said;
    }

    public static async Task<List<ProviderCheck>> LookAsync(StaffDirectoryOptions directory, DirectoryClient directories, string? name, CancellationToken cancellationToken)
    {
        List<ProviderCheck> checks = [];
        try
        {
            await directories.WithinAsync(directory, async (connection, deadline) =>
            {
                checks.Add(new ProviderCheck("connection", "passed", $"{directory.Server!.Host} answers, and its certificate is trusted{(directory.Server.Scheme == "ldap" ? "; TLS was begun by StartTLS" : "")}."));
                await DirectoryClient.BindAsync(directory, connection, deadline);
                checks.Add(directory.BindDn is { Length: > 0 } dn ? new ProviderCheck("bind", "passed", $"It lets {dn} in.") : new ProviderCheck("bind", "warning", "It is searched as nobody (BindDn); directories often show nothing to nobody."));
                checks.Add(await BaseAsync("search-base", "SearchBase", directory.SearchBase, connection, deadline));
                if (directory.GroupBase is { Length: > 0 } groups)
                {
                    checks.Add(await BaseAsync("group-base", "GroupBase", groups, connection, deadline));
                }

                if (name is { Length: > 0 })
                {
                    checks.AddRange(await PersonAsync(directory, connection, name, deadline));
                }

                return checks.Count;
            }, cancellationToken);
        }
        catch (ProviderException failure)
        {
            checks.Add(new ProviderCheck(failure.Code, "failed", failure.Message));
        }

        return checks;
    }

    private static async Task<ProviderCheck> BaseAsync(string code, string setting, string dn, LdapConnection connection, CancellationToken cancellationToken)
    {
        var (result, entries) = await connection.SearchAsync(dn, isSubtree: false, LdapFilter.Parse("(objectClass=*)"), ["1.1"], 1, cancellationToken);
        return result.Code == 0 && entries.Count == 1
            ? new ProviderCheck(code, "passed", $"{setting} {dn} is there.")
            : new ProviderCheck(code, "failed", $"{setting} {dn} is not there, or may not be read ({DirectoryClient.Told(result)}).");
    }

    private static async Task<IReadOnlyList<ProviderCheck>> PersonAsync(StaffDirectoryOptions directory, LdapConnection connection, string name, CancellationToken cancellationToken)
    {
        var (person, why) = await DirectoryClient.LookUpAsync(directory, connection, name, cancellationToken);
        if (person is null)
        {
            return [new ProviderCheck("person", "failed", $"{name}: {why}. Look at SearchBase, UserFilter and IdAttribute.")];
        }

        var groups = await DirectoryClient.GroupsAsync(directory, connection, person, cancellationToken);
        var provider = directory.ToProvider();
        var roles = provider.RolesOf([.. groups]);
        return
        [
            new ProviderCheck("person", "passed", $"{name} is {person.Dn}, called {person.Name}, {directory.IdAttribute} {person.Subject}."),
            new ProviderCheck("groups", groups.Count > 0 ? "passed" : "warning", groups.Count > 0 ? $"It is in {string.Join("; ", groups.Take(40))}{(groups.Count > 40 ? " …" : "")}." : "It is in no group that GroupFilter finds."),
            roles.Count > 0 ? new ProviderCheck("roles", "passed", $"These give it {string.Join(", ", roles)}.") : new ProviderCheck("roles", "failed", "No group of it gives it a role: it would not be let in. Look at Roles."),
        ];
    }
}
