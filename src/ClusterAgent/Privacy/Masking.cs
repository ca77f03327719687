using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Privacy;

/// <summary>What the customer decided about fields that leave the machine.</summary>
public sealed record PrivacySettings
{
    /// <summary>Fields that are sent as they are although they are masked by default.</summary>
    public IReadOnlyList<string> Reveal { get; set; } = [];

    /// <summary>Fields that are not sent.</summary>
    public IReadOnlyList<string> Withhold { get; set; } = [];

    /// <summary>Every mistake, in words.</summary>
    public IEnumerable<string> Errors() =>
    [
        .. Reveal.Where(name => !DataFields.All.Any(field => field.Name == name && field.CanReveal)).Select(name => $"privacy.reveal: '{name}' is not a field that can be revealed."),
        .. Withhold.Where(name => !DataFields.All.Any(field => field.Name == name && field.CanWithhold)).Select(name => $"privacy.withhold: '{name}' is not a field that can be withheld."),
    ];
}

/// <summary>Takes names of people and hosts out of what leaves the machine. The key of the digests is made here and stays here.</summary>
public sealed partial class Masking(byte[] key, PrivacySettings settings)
{
    private static readonly HashSet<string> UsualMounts = ["/", "/boot", "/boot/efi", "/data", "/home", "/opt", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/log", "/var/tmp"];
    private static readonly HashSet<string> Stores = ["nfs", "smb", "s3", "blob", "object-store", "local", "tape", "other"];

    /// <summary>Loads the key from a directory, or makes it.</summary>
    public static Masking In(string directory, PrivacySettings settings)
    {
        var file = Path.Combine(directory, "masking.key");
        if (!File.Exists(file))
        {
            DurableFile.CreateDirectory(directory);
            DurableFile.Write(file, RandomNumberGenerator.GetBytes(32));
        }

        return new Masking(File.ReadAllBytes(file), settings);
    }

    /// <summary>Whether the customer keeps a field back.</summary>
    public bool IsWithheld(string field) => settings.Withhold.Contains(field);

    /// <summary>The id of a node, stable and meaningless elsewhere.</summary>
    public string Node(string id) => settings.Reveal.Contains("node.id") ? id : Digest("node", id);

    /// <summary>A dimension of usage.</summary>
    public KeyValuePair<string, string> Dimension(string name, string value) => new(name, name == "env" ? value : Digest(name, value));

    /// <summary>Masks a whole document in place.</summary>
    public void Apply(Health health)
    {
        ArgumentNullException.ThrowIfNull(health);
        foreach (var node in health.Nodes)
        {
            node.Id = Node(node.Id);
            if (IsWithheld("disk"))
            {
                node.Disks.Clear();
            }

            foreach (var disk in node.Disks)
            {
                disk.Mount = settings.Reveal.Contains("disk.mount") || UsualMounts.Contains(disk.Mount) ? disk.Mount : Digest("disk", disk.Mount);
            }

            if (IsWithheld("node.hardware"))
            {
                WithoutHardware(node);
            }
        }

        if (health.Backup is { } backup && backup.Location.Length > 0)
        {
            backup.Location = Stores.Contains(backup.Location) ? backup.Location : "other";
        }

        health.Backup = IsWithheld("backup") ? null : health.Backup;
        health.Replication = IsWithheld("replication") ? null : health.Replication;
        if (IsWithheld("certificate"))
        {
            health.Certificates.Clear();
        }

        foreach (var certificate in health.Certificates)
        {
            certificate.Issuer = IsWithheld("certificate.issuer") || certificate.Issuer.Length == 0 ? ""
                : settings.Reveal.Contains("certificate.issuer") ? certificate.Issuer : Digest("issuer", certificate.Issuer);
        }
    }

    /// <summary>Masks a whole document in place.</summary>
    public void Apply(Inventory inventory)
    {
        ArgumentNullException.ThrowIfNull(inventory);
        foreach (var node in inventory.Nodes)
        {
            node.Id = Node(node.Id);
            if (IsWithheld("node.hardware"))
            {
                node.ClearCores();
                node.ClearMemoryTotalBytes();
            }

            if (IsWithheld("disk"))
            {
                node.ClearDiskEncrypted();
            }
        }

        if (IsWithheld("gateway"))
        {
            inventory.Gateways.Clear();
        }

        foreach (var gateway in inventory.Gateways)
        {
            gateway.Id = settings.Reveal.Contains("gateway.id") ? gateway.Id : Digest("gateway", gateway.Id);
        }

        if (IsWithheld("collector"))
        {
            inventory.Collectors.Clear();
        }

        foreach (var environment in inventory.Environments)
        {
            environment.Name = settings.Reveal.Contains("environment.name") && !IsWithheld("environment.name") ? environment.Name : "";
        }
    }

    /// <summary>Masks an event in place.</summary>
    public void Apply(Event happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        happened.Node = happened.Node.Length == 0 ? "" : Node(happened.Node);
        happened.Text = IsWithheld("event.text") ? "" : settings.Reveal.Contains("event.text") ? happened.Text : Clean(happened.Text);
        happened.Text = happened.Text.Length <= ItemLimits.EventTextLength ? happened.Text : happened.Text[..ItemLimits.EventTextLength];
    }

    /// <summary>Free text without what looks like a name, an address or a credential.</summary>
    public static string Clean(string text)
    {
        text = Token().Replace(text, "[token]");
        text = Mail().Replace(text, "[mail]");
        text = Url().Replace(text, "[url]");
        text = UserDirectory().Replace(text, "$1[user]");
        text = Address6().Replace(text, "[address]");
        text = Address4().Replace(text, "[address]");
        return HostName().Replace(text, "[host]").Replace(Host.Name, "[host]", StringComparison.OrdinalIgnoreCase);
    }

    private static void WithoutHardware(NodeHealth node)
    {
        node.ClearCores();
        node.ClearCpuPercent();
        node.ClearMemoryTotalBytes();
        node.ClearMemoryUsedBytes();
        node.ClearLoad1();
        node.ClearClockOffsetMs();
        node.ClearHeapUsedPercent();
        node.ClearGcPausePercent();
    }

    private string Digest(string kind, string value) => MaskedText.Digest(kind, HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{kind}\n{value}")));

    private static class Host
    {
        // A machine without a name of its own has nothing to hide.
        public static string Name { get; } = System.Environment.MachineName is { Length: > 2 } name and not "localhost" ? name : "\uffff";
    }

    [GeneratedRegex(@"\bmc[a-z]_[0-9A-Za-z]{12}_[0-9A-Za-z]+\b|(?i)\b(?:password|passwd|secret|token|authorization|bearer)\b\s*[:= ]\s*\S+")]
    private static partial Regex Token();

    [GeneratedRegex(@"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")]
    private static partial Regex Mail();

    [GeneratedRegex(@"\b[a-z][a-z0-9+.-]*://[^\s""'<>]+", RegexOptions.IgnoreCase)]
    private static partial Regex Url();

    [GeneratedRegex(@"([\\/](?:home|users)[\\/])[^\s\\/:]+", RegexOptions.IgnoreCase)]
    private static partial Regex UserDirectory();

    [GeneratedRegex(@"(?<![\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?=[0-9a-f:]*::)[0-9a-f:]{3,39})(?:%\w+)?(?![\w:])", RegexOptions.IgnoreCase)]
    private static partial Regex Address6();

    [GeneratedRegex(@"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]*\w)")]
    private static partial Regex Address4();

    // Two labels with a letter in the last: a version such as 1.2.3 has none.
    [GeneratedRegex(@"\b(?=[a-z0-9.-]*[a-z])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b(?::\d+)?", RegexOptions.IgnoreCase)]
    private static partial Regex HostName();
}
