namespace MissionControl.Platform.Messaging;

/// <summary>How the distributed shape reaches its broker.</summary>
/// <param name="Address"><c>amqp://host:5672/vhost</c> or, with TLS, <c>amqps://host:5671/vhost</c>; no user and no password in it.</param>
/// <param name="User">User of this role.</param>
/// <param name="Password">Its password.</param>
public sealed record RabbitMqSettings(Uri Address, string User, string Password)
{
    /// <summary>The port: that of the address, or the one that the Internet Assigned Numbers Authority lists for its scheme.</summary>
    public int Port => Address.Port > 0 ? Address.Port : Address.Scheme == "amqps" ? 5671 : 5672;

    /// <summary>Never the password.</summary>
    public override string ToString() => $"{Address} as {User}";
}
