using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Portal.Pages.People;

/// <summary>How people, roles and factors are said.</summary>
internal static class PersonWords
{
    public static string Role(string name, IReadOnlyList<RoleItem>? roles) => roles?.FirstOrDefault(role => role.Name == name)?.Title ?? name;

    public static string Roles(PersonItem person, IReadOnlyList<RoleItem>? roles) => person.Roles.Count == 0 ? "none" : string.Join(", ", person.Roles.Select(role => Role(role.Name, roles)));

    /// <summary>What a role permits.</summary>
    public static string May(RoleItem role)
    {
        if (role.Scopes is ["*"])
        {
            return "sees and changes everything";
        }

        var parts = new[] { ("sees", ":read"), ("changes", ":write") }.Select(way => (Verb: way.Item1, Areas: role.Scopes.Where(scope => scope.EndsWith(way.Item2, StringComparison.Ordinal)).Select(scope => Area(scope[..scope.IndexOf(':', StringComparison.Ordinal)])).ToList()))
            .Where(part => part.Areas.Count > 0).Select(part => $"{part.Verb} {(part.Areas.Count == 1 ? part.Areas[0] : $"{string.Join(", ", part.Areas[..^1])} and {part.Areas[^1]}")}");
        return string.Join("; ", parts);
    }

    private static string Area(string role) => role switch
    {
        "callhome" => "enrolment and keys",
        "fleet" => "clusters",
        "licensing" => "customers and usage",
        "notifications" => "messages",
        "system" => "the system",
        "audit" => "the audit log",
        "identity" => "people and tokens",
        "remoteaccess" => "remote access",
        _ => role,
    };

    /// <summary>What somebody signs in with.</summary>
    public static string Factors(PersonItem person)
    {
        var own = string.Join(person.IsFederated ? " and " : " or ", person.Factors.Select(factor => (factor, person.IsFederated) switch { ("totp", false) => "password and authenticator", ("totp", true) => "authenticator", _ => factor }));
        return person.IsFederated ? own.Length == 0 ? "its provider" : $"its provider; {own} beside it" : own.Length == 0 ? "nothing" : own;
    }

    /// <summary>How a session was opened.</summary>
    public static string Proof(string factors)
    {
        var values = factors.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(value => value is not ("mfa" or "user")).Select(value => value switch
        {
            "pwd" => "password",
            "otp" => "code",
            "recovery" => "recovery code",
            "hwk" or "swk" => "passkey",
            "fed" => "provider",
            "device" => "permitted in the portal",
            _ => value,
        });
        return string.Join(" and ", values);
    }

    /// <summary>A browser as people call it, from what it calls itself; they call themselves each other's names, so the order matters.</summary>
    public static string Browser(string? agent)
    {
        if (agent?.StartsWith("mc on ", StringComparison.Ordinal) == true)
        {
            return agent;
        }

        var name = First([("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]);
        var system = First([("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")]);
        return (name, system) switch
        {
            (null, null) => "unknown program",
            (_, null) => name,
            (null, _) => $"a browser on {system}",
            _ => $"{name} on {system}",
        };

        string? First(IEnumerable<(string Mark, string Word)> marks) => agent is null ? null : marks.Where(mark => agent.Contains(mark.Mark, StringComparison.Ordinal)).Select(mark => mark.Word).FirstOrDefault();
    }
}
