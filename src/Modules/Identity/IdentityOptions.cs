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
