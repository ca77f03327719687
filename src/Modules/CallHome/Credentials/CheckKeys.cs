using System.Globalization;
using Microsoft.Extensions.Logging;
using MissionControl.CallHome.Enrollment;
using MissionControl.Platform.Time;

namespace MissionControl.CallHome.Credentials;

/// <summary>Warns while there is time to rotate: a cluster that holds only expired keys believes nothing any more.</summary>
internal sealed partial class CheckKeys(Anchors anchors, TimeProvider time, ILogger<CheckKeys> logger)
    : Job("callhome.check-keys", "callhome", "0 5 4 * * ?", "Looks for keys in the anchor document that end within 60 days")
{
    private static readonly TimeSpan Notice = TimeSpan.FromDays(60);

    public override Task<string> RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var document = anchors.Document;
        var ends = document.Keys.SelectMany(key => key.Uses.Select(use => (Use: use, key.NotAfter))).GroupBy(key => key.Use).Select(keys => (Use: keys.Key, NotAfter: keys.Max(key => key.NotAfter))).OrderBy(end => end.NotAfter).ToList();
        foreach (var (use, notAfter) in ends.Where(end => end.NotAfter < now + Notice))
        {
            LogEnds(logger, use, notAfter);
        }

        return Task.FromResult(string.Create(CultureInfo.InvariantCulture, $"Anchor document {document.Version}: the first use to be without a key is {ends[0].Use}, on {ends[0].NotAfter:yyyy-MM-dd}"));
    }

    [LoggerMessage(1030, LogLevel.Warning, "The newest key for {Use} in the anchor document ends at {NotAfter}; rotate it with missioncontrol admin keys rotate")]
    private static partial void LogEnds(ILogger logger, string use, DateTimeOffset notAfter);
}
