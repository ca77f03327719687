using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Product;

/// <summary>
/// The bounds of what a product says of itself. They are the door's: what Mission Control would refuse for good, and a whole item
/// with it, is refused here, where somebody can mend it and counters wait.
/// </summary>
internal static class ProductRules
{
    /// <summary>Every mistake of a document, in words.</summary>
    public static IEnumerable<string> Errors(ProductDocument document)
    {
        if (document.V != 1)
        {
            yield return $"v is {document.V}; this agent reads version 1.";
        }

        if (HasNull(document.Nodes) || HasNull(document.Gateways) || HasNull(document.Collectors) || HasNull(document.Environments) || HasNull(document.Usage) || HasNull(document.Events) || document.Nodes.Any(node => HasNull(node.Disks)))
        {
            // Nothing below looks for it again.
            yield return "A list holds null.";
            yield break;
        }

        if (!IsText(document.Version, ItemLimits.NameLength) || !IsText(document.MaintenanceWindow) || !IsText(document.UpdateMode) || !IsText(document.Backup?.Location ?? ""))
        {
            yield return $"version has at most {ItemLimits.NameLength} characters, every other text {ItemLimits.TextLength}, and none holds NUL.";
        }

        if (document.ExpectedNodes is < 0 or > ItemLimits.Count || document.QuorumSpare is < -ItemLimits.Count or > ItemLimits.Count)
        {
            yield return $"expectedNodes lies within 0 and {ItemLimits.Count}, quorumSpare within -{ItemLimits.Count} and {ItemLimits.Count}.";
        }

        if (!IsInstant(document.Backup?.LastSuccess) || !IsFinite(document.Replication?.LagSeconds))
        {
            yield return "backup.lastSuccess is not before 1970, and replication.lagSeconds is a number.";
        }

        foreach (var error in document.Nodes.Select(ErrorOf).OfType<string>().Concat(ErrorsOfLists(document)).Concat(ErrorsOfUsage(document.Usage ?? [])).Concat(document.Events.Select(ErrorOf).OfType<string>()))
        {
            yield return error;
        }
    }

    /// <summary>What is wrong with an event; null when nothing is. Its text may be longer than what is sent: it is cut.</summary>
    public static string? ErrorOf(ProductEvent happened) =>
        !IsName(happened.Id) || happened.Id.StartsWith(ItemLimits.ReservedEventPrefix, StringComparison.OrdinalIgnoreCase) || !IsName(happened.Kind) || happened.Severity is not ("info" or "warning" or "severe") || !IsText(happened.Text, int.MaxValue) || !IsText(happened.Node) || !IsInstant(happened.At)
            ? $"Event '{Shorten(happened.Id)}': id and kind have 1 to {ItemLimits.NameLength} characters, the id does not begin with {ItemLimits.ReservedEventPrefix}, the severity is info, warning or severe, at is not before 1970, and no text holds NUL."
            : null;

    private static string? ErrorOf(ProductNode node)
    {
        if (!IsName(node.Id) || node.Disks?.Count > ItemLimits.DisksPerNode)
        {
            return $"Node '{Shorten(node.Id)}': an id has 1 to {ItemLimits.NameLength} characters, and a node at most {ItemLimits.DisksPerNode} disks.";
        }

        if (!InPercent(node.CpuPercent) || !InPercent(node.HeapUsedPercent) || !InPercent(node.GcPausePercent))
        {
            return $"Node '{node.Id}': a percentage is within 0 and 100.";
        }

        var disks = (node.Disks ?? []).All(disk => IsText(disk.Mount) && IsText(disk.Purpose) && IsFinite(disk.InodesUsedPercent));
        return disks && IsText(node.Role) && IsText(node.State) && IsText(node.Version) && IsText(node.Os) && IsInstant(node.StartedAt)
            ? null
            : $"Node '{node.Id}': a text has at most {ItemLimits.TextLength} characters and no NUL, startedAt is not before 1970, and inodesUsedPercent is a number.";
    }

    private static IEnumerable<string> ErrorsOfLists(ProductDocument document)
    {
        if (document.Nodes.Count > ItemLimits.Nodes || !AreUnique(document.Nodes.Select(node => node.Id)) || document.Nodes.Count(node => node.Self) > 1)
        {
            yield return $"There are at most {ItemLimits.Nodes} nodes, each with an id of its own, and one of them at most is self.";
        }

        var gateways = document.Gateways.All(gateway => IsName(gateway.Id) && IsText(gateway.Kind) && IsText(gateway.Version) && IsText(gateway.State) && IsText(gateway.Os));
        if (!gateways || document.Gateways.Count > ItemLimits.InventoryEntries || !AreUnique(document.Gateways.Select(gateway => gateway.Id)))
        {
            yield return $"There are at most {ItemLimits.InventoryEntries} gateways, each with an id of its own of 1 to {ItemLimits.NameLength} characters, and texts of at most {ItemLimits.TextLength}.";
        }

        var environments = document.Environments.All(environment => IsName(environment.Id) && IsText(environment.Name));
        if (!environments || document.Environments.Count > ItemLimits.InventoryEntries || !AreUnique(document.Environments.Select(environment => environment.Id)))
        {
            yield return $"There are at most {ItemLimits.InventoryEntries} environments, each with an id of its own of 1 to {ItemLimits.NameLength} characters, and a name of at most {ItemLimits.TextLength}.";
        }

        var collectors = document.Collectors.All(collector => IsText(collector.Version, ItemLimits.NameLength) && IsText(collector.Os, ItemLimits.NameLength) && collector.Count >= 0);
        if (!collectors || document.Collectors.Count > ItemLimits.InventoryEntries)
        {
            yield return $"There are at most {ItemLimits.InventoryEntries} counts of collectors, none below 0, with a version and an os of at most {ItemLimits.NameLength} characters.";
        }
    }

    // The rules of a usage window: one cell that breaks them would cost the whole hour.
    private static IEnumerable<string> ErrorsOfUsage(IReadOnlyList<ProductCounter> counters)
    {
        if (counters.Count > UsageWindow.MaxCells)
        {
            yield return $"There are {counters.Count} counters; at most {UsageWindow.MaxCells}.";
        }

        var seen = new HashSet<(string, long)>(counters.Count);
        foreach (var counter in counters)
        {
            var cell = new UsageCell(counter.Meter, counter.Version, counter.Dimensions ?? new Dictionary<string, string>(), counter.Value);
            if (cell.Check() is { } problem)
            {
                yield return $"Counter '{Shorten(counter.Meter)}': {problem.Detail}";
            }
            else if (!seen.Add((cell.Meter, cell.DimensionHash)))
            {
                yield return $"Counter '{counter.Meter}' stands twice with the same dimensions.";
            }
        }
    }

    private static bool HasNull<T>(IReadOnlyList<T>? list)
        where T : class => list?.Any(item => item is null) == true;

    private static bool AreUnique(IEnumerable<string> ids) => ids.GroupBy(id => id, StringComparer.Ordinal).All(group => group.Count() == 1);

    private static bool IsName(string text) => text.Length > 0 && IsText(text, ItemLimits.NameLength);

    private static bool IsText(string text, int most = ItemLimits.TextLength) => text.Length <= most && !text.Contains('\0', StringComparison.Ordinal);

    private static bool IsInstant(DateTimeOffset? at) => at is null || at >= DateTimeOffset.UnixEpoch;

    private static bool IsFinite(double? value) => value is null || double.IsFinite(value.Value);

    private static bool InPercent(double? value) => value is null or (>= 0 and <= 100);

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40];
}
