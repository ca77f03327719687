using Microsoft.Extensions.Options;
using MissionControl.Identity.Federation;
using MissionControl.Identity.People;

namespace MissionControl.Identity.Directories;

/// <summary>One of <c>Identity:Directories</c>: a directory that signs staff in by LDAP. Nobody sets it but whoever configures the server.</summary>
internal sealed class StaffDirectoryOptions
{
    public const int MostNesting = 10;

    /// <summary>Stands in addresses and in who its people are: small letters, digits and dashes.</summary>
    public string Id { get; init; } = "";

    /// <summary>What the button on the sign-in page says.</summary>
    public string Name { get; init; } = "";

    /// <summary><c>ldaps://host:636</c>, or <c>ldap://host:389</c>, where StartTLS comes before anything else.</summary>
    public Uri? Server { get; init; }

    /// <summary>PEM of certificate authorities that are trusted besides the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whom to search as; null: as nobody.</summary>
    public string? BindDn { get; init; }

    /// <summary>File with its password, read at each sign-in.</summary>
    public string? BindPasswordFile { get; init; }

    /// <summary>Below it people are.</summary>
    public string SearchBase { get; init; } = "";

    /// <summary>Finds the one of whom the name is; <c>{0}</c> is what was typed.</summary>
    public string UserFilter { get; init; } = "(&(objectClass=inetOrgPerson)(uid={0}))";

    /// <summary>The attribute that says what somebody is called.</summary>
    public string NameAttribute { get; init; } = "cn";

    /// <summary>The attribute by which groups list people that do not list DNs; <c>{1}</c> in <see cref="GroupFilter"/>.</summary>
    public string LoginAttribute { get; init; } = "uid";

    /// <summary>The attribute that holds the mail address.</summary>
    public string MailAttribute { get; init; } = "mail";

    /// <summary>The attribute that stays the same whatever is renamed: entryUUID, or objectGUID in Active Directory.</summary>
    public string IdAttribute { get; init; } = "entryUUID";

    /// <summary>Below it groups are; null: nobody is in any.</summary>
    public string? GroupBase { get; init; }

    /// <summary>Finds the groups of a member; <c>{0}</c> is its DN, <c>{1}</c> its <see cref="LoginAttribute"/>.</summary>
    public string GroupFilter { get; init; } = "(|(member={0})(uniqueMember={0}))";

    /// <summary>The attribute that names a group.</summary>
    public string GroupNameAttribute { get; init; } = "cn";

    /// <summary>Through how many groups a membership may go besides the first; 0: only groups that somebody is in by itself.</summary>
    public int GroupNesting { get; init; } = 5;

    /// <summary>Group to role, each by its name or its DN; <c>*</c> is everybody whom the directory signs in.</summary>
    public Dictionary<string, string> Roles { get; init; } = new(StringComparer.Ordinal);

    /// <summary>How long one sign-in may take the directory, 1 to 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is wrong with it, for whoever starts the server.</summary>
    public IEnumerable<string> Mistakes() => Found().Select(mistake => $"Identity:Directories: {(Id.Length > 0 ? Id : "the one without an Id")}: {mistake}");

    private IEnumerable<string> Found()
    {
        if (!Provider.IsSlug(Id))
        {
            yield return "an Id is small letters, digits and dashes, 31 at most, beginning with a letter.";
        }

        if (Name.Length is 0 or > 100)
        {
            yield return "it needs a Name of 100 characters at most.";
        }

        if (Server is not { IsAbsoluteUri: true, Scheme: "ldaps" or "ldap", UserInfo: "", Query: "", Fragment: "", AbsolutePath: "" or "/", Host.Length: > 0 })
        {
            yield return "write the Server as ldaps://ldap.example.com, or ldap://ldap.example.com where StartTLS is to be used, without anything behind it.";
        }

        if (CaFile is { Length: > 0 } && !File.Exists(CaFile))
        {
            yield return "the CaFile is not there.";
        }

        if (string.IsNullOrEmpty(BindDn) != string.IsNullOrEmpty(BindPasswordFile) || (BindPasswordFile is { Length: > 0 } && !File.Exists(BindPasswordFile)))
        {
            yield return "BindDn and BindPasswordFile come together, and the file is there; without both it is searched as nobody.";
        }
        else if (BindPasswordFile is { Length: > 0 } && BindPassword().Length == 0)
        {
            // A bind without a password succeeds, as nobody (RFC 4513, 5.1.2).
            yield return "the BindPasswordFile is empty.";
        }

        if (SearchBase.Length == 0)
        {
            yield return "it needs a SearchBase, such as ou=people,dc=example,dc=com.";
        }

        if (MistakeIn(UserFilter, 0) is { } users)
        {
            yield return $"the UserFilter is not good. {users}";
        }

        if (MistakeIn(GroupFilter, 0, 1) is { } groups)
        {
            yield return $"the GroupFilter is not good. {groups}";
        }

        if (!new[] { NameAttribute, LoginAttribute, MailAttribute, IdAttribute, GroupNameAttribute }.All(LdapFilter.IsAttribute))
        {
            yield return "NameAttribute, LoginAttribute, MailAttribute, IdAttribute and GroupNameAttribute each name one attribute.";
        }

        if (GroupNesting is < 0 or > MostNesting || Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromSeconds(30))
        {
            yield return $"GroupNesting is 0 to {MostNesting}, Timeout 1 to 30 seconds.";
        }

        if (GroupBase is null or "" && Roles.Keys.Any(group => group != Provider.Everybody))
        {
            yield return "Roles name groups: it needs a GroupBase, such as ou=groups,dc=example,dc=com.";
        }

        foreach (var role in Roles.Values.Where(role => RoleBook.Find(role)?.Kind != Person.Staff))
        {
            yield return $"it gives '{role}', which is no role of staff.";
        }
    }

    /// <summary>Read anew each time, so that a rotated password counts without a restart.</summary>
    public string BindPassword() => File.ReadAllText(BindPasswordFile!).TrimEnd('\r', '\n');

    /// <summary>The same as the rest of federation knows it; its issuer is the directory.</summary>
    public Provider ToProvider() => new(
        Id, null, Name, $"urn:missioncontrol:directory:{Id}", "", null, [], "", Roles.ToDictionary(pair => DirectoryNames.KeyOfGroup(pair.Key), pair => pair.Value, StringComparer.Ordinal), [], []) { Way = "ldap" };

    private static string? MistakeIn(string filter, params IEnumerable<int> places)
    {
        try
        {
            var parsed = LdapFilter.Parse(filter);
            return !places.Any(parsed.Holds) ? "It needs {0}, or it would find the same for everybody." : parsed.Holds(1) && !places.Contains(1) ? "It has no {1}." : null;
        }
        catch (FormatException exception)
        {
            return exception.Message;
        }
    }
}

/// <summary>Judges the directories of staff at start, all of them at once.</summary>
internal sealed class StaffDirectories : IValidateOptions<IdentityOptions>
{
    public ValidateOptionsResult Validate(string? name, IdentityOptions options)
    {
        var mistakes = options.Directories.SelectMany(directory => directory.Mistakes()).ToList();
        var ids = options.Directories.Select(directory => directory.Id).Concat(options.Providers.Select(provider => provider.Id)).ToList();
        if (options.Directories.Count > 0 && ids.Distinct(StringComparer.Ordinal).Count() != ids.Count)
        {
            mistakes.Add("Identity:Directories: each needs an Id that no other directory or provider has.");
        }

        foreach (var directory in options.Directories.Where(directory => directory.Roles.Keys.Select(DirectoryNames.KeyOfGroup).Distinct(StringComparer.Ordinal).Count() != directory.Roles.Count))
        {
            mistakes.Add($"Identity:Directories: {directory.Id}: two of its Roles name the same group; a group gives one role.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
