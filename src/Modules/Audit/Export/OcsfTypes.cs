using System.Collections.Frozen;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Export;

/// <summary>A class of OCSF 1.8 and the activities that it names, from 1 on.</summary>
/// <param name="Uid">Its number; the thousands are its category.</param>
/// <param name="Name">Its name.</param>
/// <param name="Activities">What can be done, in the order of their numbers.</param>
internal sealed record OcsfClass(int Uid, string Name, IReadOnlyList<string> Activities)
{
    public static readonly OcsfClass AccountChange = new(3001, "Account Change", ["Create", "Enable", "Password Change", "Password Reset", "Disable", "Delete", "Attach Policy", "Detach Policy", "Lock", "MFA Factor Enable", "MFA Factor Disable", "Unlock"]);
    public static readonly OcsfClass Authentication = new(3002, "Authentication", ["Logon", "Logoff", "Authentication Ticket", "Service Ticket Request", "Service Ticket Renew", "Preauth", "Account Switch"]);
    public static readonly OcsfClass AuthorizeSession = new(3003, "Authorize Session", ["Assign Privileges", "Assign Groups"]);
    public static readonly OcsfClass EntityManagement = new(3004, "Entity Management", ["Create", "Read", "Update", "Delete", "Move", "Enroll", "Unenroll", "Enable", "Disable", "Activate", "Deactivate", "Suspend", "Resume"]);
    public static readonly OcsfClass UserAccess = new(3005, "User Access Management", ["Assign Privileges", "Revoke Privileges"]);
    public static readonly OcsfClass GroupManagement = new(3006, "Group Management", ["Assign Privileges", "Revoke Privileges", "Add User", "Remove User", "Delete", "Create", "Add Subgroup", "Remove Subgroup"]);
    public static readonly OcsfClass ApiActivity = new(6003, "API Activity", ["Create", "Read", "Update", "Delete"]);
}

/// <summary>What an entry is in OCSF.</summary>
/// <param name="Class">Its class.</param>
/// <param name="Activity">The number of what was done; 99: the class has none for it.</param>
/// <param name="Caption">What was done, in the words of the class, or where it has none in those of the entry's type.</param>
internal sealed record OcsfType(OcsfClass Class, int Activity, string Caption)
{
    private const int Other = 99;

    // What stands in a class of its own, by its whole type.
    private static readonly FrozenDictionary<string, (OcsfClass Class, string Activity)> Types = new Dictionary<string, (OcsfClass, string)>
    {
        ["identity.signed-in"] = (OcsfClass.Authentication, "Logon"),
        ["identity.local-administrator-signed-in"] = (OcsfClass.Authentication, "Logon"),
        ["identity.sign-in-refused"] = (OcsfClass.Authentication, "Logon"),
        ["identity.client-refused"] = (OcsfClass.Authentication, "Logon"),
        ["identity.session-opened"] = (OcsfClass.Authentication, "Logon"),
        ["identity.session-ended"] = (OcsfClass.Authentication, "Logoff"),
        ["identity.person-signed-out"] = (OcsfClass.Authentication, "Logoff"),
        ["identity.step-up-refused"] = (OcsfClass.Authentication, "Preauth"),
        ["identity.device-approved"] = (OcsfClass.Authentication, "Preauth"),
        ["identity.device-denied"] = (OcsfClass.Authentication, "Preauth"),
        ["identity.step-up-proven"] = (OcsfClass.AuthorizeSession, "Assign Privileges"),
        ["identity.scope-granted"] = (OcsfClass.UserAccess, "Assign Privileges"),
        ["identity.service-account-scope-taken"] = (OcsfClass.UserAccess, "Revoke Privileges"),
        ["identity.password-changed"] = (OcsfClass.AccountChange, "Password Change"),
        ["identity.person-recovered"] = (OcsfClass.AccountChange, "Password Reset"),
        ["identity.passkey-added"] = (OcsfClass.AccountChange, "MFA Factor Enable"),
        ["identity.passkey-removed"] = (OcsfClass.AccountChange, "MFA Factor Disable"),
        ["identity.authenticator-changed"] = (OcsfClass.AccountChange, "MFA Factor Enable"),
        ["identity.authenticator-removed"] = (OcsfClass.AccountChange, "MFA Factor Disable"),
        ["identity.authenticator-forgotten"] = (OcsfClass.AccountChange, "MFA Factor Disable"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // By what the type begins with: role and noun. What is named in neither is API Activity.
    private static readonly FrozenDictionary<string, OcsfClass> Nouns = new Dictionary<string, OcsfClass>
    {
        ["callhome.cluster"] = OcsfClass.EntityManagement,
        ["callhome.enrollment-token"] = OcsfClass.EntityManagement,
        ["callhome.readmission-token"] = OcsfClass.EntityManagement,
        ["callhome.epoch"] = OcsfClass.EntityManagement,
        ["callhome.key"] = OcsfClass.EntityManagement,
        ["licensing.customer"] = OcsfClass.EntityManagement,
        ["licensing.meter"] = OcsfClass.EntityManagement,
        ["licensing.billing-account"] = OcsfClass.EntityManagement,
        ["licensing.price-book"] = OcsfClass.EntityManagement,
        ["licensing.price-book-version"] = OcsfClass.EntityManagement,
        ["licensing.plan"] = OcsfClass.EntityManagement,
        ["licensing.plan-version"] = OcsfClass.EntityManagement,
        ["licensing.contract"] = OcsfClass.EntityManagement,
        ["licensing.period"] = OcsfClass.EntityManagement,
        ["licensing.adjustment"] = OcsfClass.EntityManagement,
        ["licensing.license"] = OcsfClass.EntityManagement,
        ["notifications.contact"] = OcsfClass.EntityManagement,
        ["notifications.endpoint"] = OcsfClass.EntityManagement,
        ["notifications.endpoint-secret"] = OcsfClass.EntityManagement,
        ["identity.provider"] = OcsfClass.EntityManagement,
        ["identity.view"] = OcsfClass.EntityManagement,
        ["identity.token"] = OcsfClass.EntityManagement,
        ["identity.client-key"] = OcsfClass.EntityManagement,
        ["identity.client-secret"] = OcsfClass.EntityManagement,
        ["identity.invitation"] = OcsfClass.EntityManagement,
        ["audit.log"] = OcsfClass.EntityManagement,
        ["audit.export"] = OcsfClass.EntityManagement,
        ["identity.person"] = OcsfClass.AccountChange,
        ["identity.person-roles"] = OcsfClass.AccountChange,
        ["identity.service-account"] = OcsfClass.AccountChange,
        ["identity.service-account-owner"] = OcsfClass.AccountChange,
        ["identity.authenticator"] = OcsfClass.AccountChange,
        ["identity.recovery"] = OcsfClass.AccountChange,
        ["identity.recovery-codes"] = OcsfClass.AccountChange,
        ["identity.preferences"] = OcsfClass.AccountChange,
        ["identity.group"] = OcsfClass.GroupManagement,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // What was done, by the last word of the type: the first that the class has of these is taken.
    private static readonly FrozenDictionary<string, string[]> Verbs = new[]
    {
        (Words: "created added joined invited registered opened saved defined issued given begun proven drafted", Means: new[] { "Create" }),
        ("enrolled readmitted", ["Enroll"]),
        ("unenrolled decommissioned", ["Unenroll"]),
        ("read tested verified reviewed fetched matched head", ["Read"]),

        // What was found, and nobody did.
        ("damaged missing returned suspected gap filled unmatched", []),
        ("changed switched decided lowered set rotated renewed confirmed released held accepted adopted asked requested disputed retried started imported skipped repeated conflict leaked closed granted replaced amended published", ["Update"]),
        ("enabled", ["Enable", "Update"]),
        ("activated", ["Activate", "Update"]),
        ("terminated", ["Deactivate", "Update"]),
        ("disabled", ["Disable", "Update"]),
        ("suspended stopped", ["Suspend", "Update"]),
        ("resumed", ["Resume", "Update"]),
        ("refused denied cancelled withdrawn taken recovered", ["Update"]),
        ("removed deleted revoked ended erased purged pruned dismissed forgotten up discarded", ["Delete"]),
    }.SelectMany(row => row.Words.Split(' ').Select(word => (word, row.Means))).ToFrozenDictionary(row => row.word, row => row.Means, StringComparer.Ordinal);

    // What somebody is to look at, whatever its outcome.
    private static readonly FrozenSet<string> Alarming = new[]
    {
        "callhome.clone-suspected", "identity.token-leaked", "identity.local-administrator-signed-in", "audit.log-damaged", "audit.log-refused", "audit.event-conflict", "audit.number-repeated", "audit.restored-accepted", "audit.witnesses-missing", "audit.gap", "audit.export-stopped", "audit.cluster-log-refused", "audit.entry-unmatched",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Number of the kind of event: its class and what was done.</summary>
    public int Uid => (Class.Uid * 100) + Activity;

    /// <summary>Whether the last word of a type is one that is known: of one that is not, nobody said what it does.</summary>
    public static bool Knows(string type) => Types.ContainsKey(type) || Verbs.ContainsKey(Split(type).Verb);

    /// <summary>What an entry of a type is.</summary>
    public static OcsfType Of(string type)
    {
        if (type.EndsWith(StaffReads.Suffix, StringComparison.Ordinal))
        {
            return Numbered(OcsfClass.ApiActivity, "Read")!;
        }

        if (Types.TryGetValue(type, out var exact))
        {
            return Numbered(exact.Class, exact.Activity)!;
        }

        var (noun, verb) = Split(type);
        var kind = Nouns.GetValueOrDefault(noun, OcsfClass.ApiActivity);
        return Verbs.GetValueOrDefault(verb, []).Select(activity => Numbered(kind, activity)).FirstOrDefault(found => found is not null)
            ?? new OcsfType(kind, Other, type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..]);
    }

    /// <summary>How much it matters (severity_id): 1 for what was done, 2 where it failed, 3 where it was denied, 4 for what is to be looked at.</summary>
    public static int SeverityOf(string type, string outcome) => Alarming.Contains(type) ? 4 : outcome switch { "success" => 1, "denied" => 3, _ => 2 };

    private static OcsfType? Numbered(OcsfClass kind, string activity)
    {
        for (var i = 0; i < kind.Activities.Count; i++)
        {
            if (kind.Activities[i] == activity)
            {
                return new OcsfType(kind, i + 1, activity);
            }
        }

        return null;
    }

    private static (string Noun, string Verb) Split(string type)
    {
        var at = type.LastIndexOfAny(['-', '.']);
        return at < 0 ? (type, "") : (type[..at], type[(at + 1)..]);
    }
}
