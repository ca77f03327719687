using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Portal.Pages.People;

/// <summary>How people, roles and factors are said.</summary>
internal static class PersonWords
{
    public static string Role(string name, IReadOnlyList<RoleItem>? roles) => roles?.FirstOrDefault(role => role.Name == name)?.Title ?? name;

    public static string Roles(PersonItem person, IReadOnlyList<RoleItem>? roles) => person.Roles.Count == 0 ? "none" : string.Join(", ", person.Roles.Select(role => Role(role.Name, roles)));

    public static string Factors(PersonItem person) => person.Factors.Count == 0 ? "password only" : string.Join(", ", person.Factors.Select(factor => factor == "totp" ? "authenticator" : factor));
}
