using MissionControl.Fleet.Liveness;

namespace MissionControl.Fleet.Clusters;

/// <summary>States as the API writes them.</summary>
internal static class Words
{
    public static string Of(LivenessState state) => state switch
    {
        LivenessState.Online => "online",
        LivenessState.Late => "late",
        LivenessState.Missing => "missing",
        LivenessState.Lost => "lost",
        LivenessState.Dormant => "dormant",
        _ => "never",
    };
}
