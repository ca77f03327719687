namespace MissionControl.Identity;

/// <summary>Configuration <c>Identity</c>.</summary>
internal sealed class IdentityOptions
{
    /// <summary>Where people open the portal, such as <c>https://control.example.com</c>; written into invitations. Null: they say that it is the vendor's address.</summary>
    public Uri? PortalAddress { get; init; }

    /// <summary>Passwords that nobody may choose: SHA-1 of each in capital hexadecimal, one a line in ascending order, as Have I Been Pwned hands them out; what follows a colon is ignored. Null: none.</summary>
    public string? BreachedPasswordsFile { get; init; }

    /// <summary>Whether the bootstrap token stays good for the API when the first administrator has signed in; so in a demo.</summary>
    public bool KeepBootstrapToken { get; init; }

    /// <summary>Passkeys belong to this domain and those below it (WebAuthn: relying party id). Null: that of <see cref="PortalAddress"/>, or <c>localhost</c>. Whoever changes it makes all passkeys worth nothing.</summary>
    public string? PasskeyDomain { get; init; }

    /// <summary>Pages at these addresses may ask for passkeys, each as <c>https://control.example.com</c>. None: the one of <see cref="PortalAddress"/>.</summary>
    public IReadOnlyList<string> PasskeyOrigins { get; init; } = [];

    /// <summary>Whether what an authenticator shows is good enough to confirm what matters most (step-up): it can be asked for by a page that looks like this one, a passkey cannot.</summary>
    public bool StepUpByCode { get; init; }

    /// <summary>So long after it was added a passkey or authenticator is not good for step-up: time for its owner to read the mail about it. Up to 30 days.</summary>
    public TimeSpan StepUpCoolDown { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The domain that passkeys belong to.</summary>
    public string RelyingParty => PasskeyDomain is { Length: > 0 } domain ? domain : PortalAddress is { HostNameType: UriHostNameType.Dns } portal ? portal.Host : "localhost";

    /// <summary>Whether a page there may ask for passkeys. On this machine any port may: whoever listens there owns it.</summary>
    public bool IsOrigin(string origin) =>
        PasskeyOrigins.Count > 0 ? PasskeyOrigins.Contains(origin, StringComparer.Ordinal)
        : RelyingParty == "localhost" ? Uri.TryCreate(origin, UriKind.Absolute, out var own) && own is { Scheme: "https", Host: "localhost" } && own.GetLeftPart(UriPartial.Authority) == origin
        : PortalAddress is not null && PortalAddress.GetLeftPart(UriPartial.Authority) == origin;
    /// <summary>OpenID providers that sign the vendor's staff in.</summary>
    public IReadOnlyList<Federation.StaffProviderOptions> Providers { get; init; } = [];

    /// <summary>Directories that sign the vendor's staff in by LDAP.</summary>
    public IReadOnlyList<Directories.StaffDirectoryOptions> Directories { get; init; } = [];

    /// <summary>Networks (CIDR) besides the public internet in which the providers of staff may be.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Networks (CIDR) besides the public internet in which customers' providers may be; whatever is there, a customer can make this server ask it.</summary>
    public IReadOnlyList<string> CustomerNetworks { get; init; } = [];

    /// <summary>PEM of certificate authorities that are trusted besides the system's, by whoever speaks to providers.</summary>
    public string? CaFile { get; init; }

    /// <summary>People whom the providers of one customer may make, all of them together; who is known signs in beyond it, too. 1 to 1,000,000.</summary>
    public int MostFederatedPeople { get; init; } = 10_000;

    /// <summary>How long the sessions of the vendor's staff last.</summary>
    public SessionLimits Staff { get; init; } = new() { Idle = TimeSpan.FromMinutes(30), Longest = TimeSpan.FromHours(12) };

    /// <summary>How long the sessions of customers' users last.</summary>
    public SessionLimits Customers { get; init; } = new() { Idle = TimeSpan.FromHours(2), Longest = TimeSpan.FromHours(24) };

    /// <summary>The limits of a kind of person.</summary>
    public SessionLimits LimitsOf(string kind) => kind == People.Person.Staff ? Staff : Customers;
}

/// <summary>How long sessions last.</summary>
internal sealed class SessionLimits
{
    /// <summary>A session ends when nobody did anything with it for so long; 5 minutes to a day.</summary>
    public TimeSpan Idle { get; init; }

    /// <summary>A session ends so long after the sign-in in any case; to 30 days.</summary>
    public TimeSpan Longest { get; init; }

    public bool IsValid => Idle >= TimeSpan.FromMinutes(5) && Idle <= TimeSpan.FromDays(1) && Longest >= Idle && Longest <= TimeSpan.FromDays(30);
}
