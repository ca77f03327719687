using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>An embedded installation belongs to one process at a time; of the distributed shape the database itself takes care.</summary>
internal static class EmbeddedClaim
{
    /// <summary>Takes the data directory until the result is disposed; null in the distributed shape, or with the sentence why it cannot be had.</summary>
    public static IDisposable? Take(IServiceProvider services, out string? refusal)
    {
        refusal = null;
        if (services.GetRequiredService<Shape>().IsDistributed)
        {
            return null;
        }

        var directory = services.GetRequiredService<DataDirectory>();
        var claim = directory.TryClaim();
        refusal = claim is null ? $"Another process of Mission Control uses {directory.Root}. Stop it first, or give this one a directory of its own with --data." : null;
        return claim;
    }
}
