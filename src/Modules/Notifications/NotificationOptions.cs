using MissionControl.Platform.Http;

namespace MissionControl.Notifications;

/// <summary>Settings of the role, section <c>Notifications</c>.</summary>
internal sealed class NotificationOptions
{
    /// <summary>The mail server; without one mails wait, and the page of deliveries says so.</summary>
    public SmtpOptions Smtp { get; init; } = new();

    /// <summary>Networks (CIDR) besides the public internet to which webhooks and syslog may go.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>PEM of certificate authorities that are trusted besides the system's, by mail, webhooks and syslog.</summary>
    public string? CaFile { get; init; }

    /// <summary>Connects to where these settings permit.</summary>
    public OutboundGuard Guard() => new(AllowedNetworks, CaFile, "Notifications:AllowedNetworks");
}

/// <summary>The mail server that takes what this installation sends.</summary>
internal sealed class SmtpOptions
{
    /// <summary>Its host name; null: there is none.</summary>
    public string? Host { get; init; }

    /// <summary>Its port.</summary>
    public int Port { get; init; } = 587;

    /// <summary><c>starttls</c> or <c>tls</c>; a connection that does not become TLS is given up.</summary>
    public string Security { get; init; } = "starttls";

    /// <summary>User; null: none.</summary>
    public string? User { get; init; }

    /// <summary>Password of the user.</summary>
    public string? Password { get; init; }

    /// <summary>File that holds the password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>The address that mails come from.</summary>
    public string From { get; init; } = "";
}
