namespace MissionControl.Platform.Messaging;

/// <summary>This process among its replicas.</summary>
public sealed class ProcessIdentity(TimeProvider time)
{
    /// <summary>New at every start, so that numbers given by a killed process are never continued by another.</summary>
    public string Instance { get; } = $"{Environment.MachineName[..Math.Min(20, Environment.MachineName.Length)]}-{Guid.CreateVersion7(time.GetUtcNow()):N}";
}
