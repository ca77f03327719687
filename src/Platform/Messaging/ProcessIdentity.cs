namespace MissionControl.Platform.Messaging;

/// <summary>This process among its replicas.</summary>
public sealed class ProcessIdentity(TimeProvider time)
{
    /// <summary>When it started.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    /// <summary>When the server certificate that it shows ends; null until it was looked at.</summary>
    public DateTimeOffset? CertificateEndsAt { get; set; }

    /// <summary>New at every start, so that numbers given by a killed process are never continued by another.</summary>
    public string Instance { get; } = $"{Environment.MachineName[..Math.Min(20, Environment.MachineName.Length)]}-{Guid.CreateVersion7(time.GetUtcNow()):N}";
}
