namespace MissionControl.Contracts;

/// <summary>
/// Every right that an endpoint asks for. Whoever adds one says here whether it is <see cref="Sensitive"/>: a test finds each endpoint's
/// in one of the two.
/// </summary>
public static class ApiScopes
{
    /// <summary>Rights that anybody who holds them may hand on to a program.</summary>
    public static readonly IReadOnlySet<string> Ordinary = new HashSet<string>(StringComparer.Ordinal)
    {
        "audit:read", "audit:write", "callhome:read", "callhome:write", "fleet:read", "fleet:write", "identity:read", "licensing:read", "licensing:write",
        "notifications:read", "notifications:write", "remoteaccess:read", "system:read", "system:write", "updates:read",
    };

    /// <summary>
    /// Rights that change identity, keys, approvals, sessions, releases or periods, or erase what the audit log can show of persons. No token
    /// of a person holds one; a service account gets each by itself, when one person asked for it and another one granted it.
    /// </summary>
    public static readonly IReadOnlySet<string> Sensitive = new HashSet<string>(StringComparer.Ordinal)
    {
        "audit:erase", "identity:write", "licensing:close", "remoteaccess:approve", "remoteaccess:write", "updates:sign", "updates:write",
    };

    /// <summary>Whether a right is one of those, or holds all of them.</summary>
    public static bool IsSensitive(string scope) => scope == "*" || Sensitive.Contains(scope);

    /// <summary>Whether there is such a right at all.</summary>
    public static bool IsKnown(string scope) => Ordinary.Contains(scope) || Sensitive.Contains(scope);
}
