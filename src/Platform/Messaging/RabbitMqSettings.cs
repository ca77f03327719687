namespace MissionControl.Platform.Messaging;

/// <summary>How the distributed shape reaches its broker.</summary>
/// <param name="Address"><c>amqp://host:5672/vhost</c> or, with TLS, <c>amqps://host:5671/vhost</c>; no user and no password in it.</param>
/// <param name="User">User of this role.</param>
/// <param name="Password">Its password.</param>
public sealed record RabbitMqSettings(Uri Address, string User, string Password)
{
    /// <summary>Never the password.</summary>
    public override string ToString() => $"{Address} as {User}";
}
