using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Intake;

/// <summary>What intake can judge of an item by looking at it alone; pure.</summary>
internal static class Door
{
    /// <summary>End of the year 9999, in Unix milliseconds.</summary>
    private const long LastInstant = 253_402_300_799_999;

    /// <summary>Kinds whose owner takes them in this version.</summary>
    private static readonly HashSet<string> Taken = ["health", "event", "inventory", "usage", "witness"];

    /// <summary>Kinds that the protocol knows and nobody takes yet; the agent keeps them.</summary>
    private static readonly HashSet<string> Later = ["update", "remote"];

    /// <summary>A kind that the protocol knows, or <c>other</c>: what a cluster makes up must not become a series of a metric.</summary>
    public static string KindOf(string type) => Taken.Contains(type) || Later.Contains(type) ? type : "other";

    /// <summary>Mistakes of the check-in as a whole; empty when it may be judged.</summary>
    public static IReadOnlyList<FieldError> Check(CheckInRequest request)
    {
        var errors = new List<FieldError>();
        if (request.Items.Count > Limits.Items)
        {
            errors.Add(new FieldError("/items", "too-many", $"At most {Limits.Items} items."));
        }

        if (request.LowestKept < 0)
        {
            errors.Add(new FieldError("/lowestKept", "negative", "The lowest kept number is at least 0."));
        }

        if (request.Sections.Count > Limits.Sections || request.Sections.Any(name => name.Length is 0 or > 40))
        {
            errors.Add(new FieldError("/sections", "out-of-range", $"At most {Limits.Sections} names of 1 to 40 characters."));
        }

        long previous = 0;
        HashSet<long>? seen = null;
        for (var i = 0; i < request.Items.Count && errors.Count < 20; i++)
        {
            var seq = request.Items[i].Seq;
            if (seq < 1)
            {
                errors.Add(new FieldError($"/items/{i}/seq", "out-of-range", "Numbers begin at 1."));
            }

            if (seq <= previous || seen is not null)
            {
                seen ??= [.. request.Items.Take(i).Select(item => item.Seq)];
                if (!seen.Add(seq))
                {
                    errors.Add(new FieldError($"/items/{i}/seq", "twice", $"Number {seq} stands twice in this check-in."));
                }
            }

            previous = seq;
        }

        CheckDropped(request, errors);
        return errors;
    }

    // What is declared settles numbers for good, so a range that no agent could mean is no declaration.
    private static void CheckDropped(CheckInRequest request, List<FieldError> errors)
    {
        if (request.Spool is not { Dropped: { Count: > 0 } dropped })
        {
            return;
        }

        if (dropped.Count > Limits.DroppedRanges)
        {
            errors.Add(new FieldError("/spool/dropped", "too-many", $"At most {Limits.DroppedRanges} ranges."));
        }

        long[] sent = [.. request.Items.Select(item => item.Seq).Order()];
        var highest = Math.Max(request.LowestKept, sent.LastOrDefault());
        for (var i = 0; i < dropped.Count && errors.Count < 20; i++)
        {
            var (first, last) = (dropped[i].First, dropped[i].Last);
            if (first < 1 || last < first)
            {
                errors.Add(new FieldError($"/spool/dropped/{i}", "out-of-range", "Numbers begin at 1, and a range does not end before it begins."));
                continue;
            }

            if (last - highest > Limits.DroppedReach)
            {
                errors.Add(new FieldError($"/spool/dropped/{i}/last", "beyond-highest", $"A range ends at most {Limits.DroppedReach} above the highest number of its check-in, {highest}."));
            }

            var next = Array.BinarySearch(sent, first);
            next = next < 0 ? ~next : next;
            if (next < sent.Length && sent[next] <= last)
            {
                errors.Add(new FieldError($"/spool/dropped/{i}", "sent", $"Number {sent[next]} is declared dropped and sent."));
            }
        }
    }

    /// <summary>Whether an item is taken.</summary>
    public static ItemRefusal? Judge(Item item, KnownCluster cluster, DateTimeOffset now)
    {
        if (Later.Contains(item.Type))
        {
            return Refuse(item, "unsupported", $"Items of type {item.Type} are not taken yet; keep them.", final: false);
        }

        if (!Taken.Contains(item.Type))
        {
            return Refuse(item, "unknown-type", $"There is no item type '{Shorten(item.Type)}'.", final: true);
        }

        var limit = item.Type == "usage" ? Limits.UsageItemBytes : Limits.ItemBytes;
        if (item.Body.Length > limit)
        {
            return Refuse(item, "item-too-large", $"The body has {item.Body.Length} bytes; at most {limit} are taken.", final: true);
        }

        return item.Type switch
        {
            "health" => Health(item),
            "event" => Event(item),
            "inventory" => Inventory(item),
            "usage" => Usage(item, cluster, now),
            "witness" => Witness(item),
            _ => null,
        };
    }

    /// <summary>Identity of an item's bytes: SHA-256 of type and body, cut to 64 bits, enough to tell two senders apart.</summary>
    public static ulong Digest(Item item)
    {
        Span<byte> hash = stackalloc byte[32];
        Span<byte> bytes = stackalloc byte[2048];
        var length = System.Text.Encoding.UTF8.GetBytes(item.Type.AsSpan(0, Math.Min(item.Type.Length, 16)), bytes);
        bytes[length++] = 0;
        if (item.Body.Length <= bytes.Length - length)
        {
            // In one piece: a hash that is fed in parts costs three times as much to set up as to compute.
            item.Body.Span.CopyTo(bytes[length..]);
            SHA256.HashData(bytes[..(length + item.Body.Length)], hash);
        }
        else
        {
            using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            sha.AppendData(bytes[..length]);
            sha.AppendData(item.Body.Span);
            sha.GetHashAndReset(hash);
        }

        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    private static ItemRefusal? Health(Item item)
    {
        if (!TryParse(Protocol.CallHome.Health.Parser, item, out var health, out var refusal))
        {
            return refusal;
        }

        if (health.Nodes.Count > ItemLimits.Nodes)
        {
            return Refuse(item, "too-many-nodes", $"At most {ItemLimits.Nodes} nodes.", final: true);
        }

        if (health.Certificates.Count > ItemLimits.Certificates)
        {
            return Refuse(item, "too-many-certificates", $"At most {ItemLimits.Certificates} certificates.", final: true);
        }

        foreach (var node in health.Nodes)
        {
            if (node.Disks.Count > ItemLimits.DisksPerNode)
            {
                return Refuse(item, "too-many-disks", $"At most {ItemLimits.DisksPerNode} disks a node.", final: true);
            }

            if (node.Id.Length is 0 or > ItemLimits.NameLength || !IsText(node.Id))
            {
                return Refuse(item, "node-id-invalid", $"Every node needs an id of 1 to {ItemLimits.NameLength} characters.", final: true);
            }

            if (!InPercent(node.HasCpuPercent, node.CpuPercent) || !InPercent(node.HasHeapUsedPercent, node.HeapUsedPercent) || !InPercent(node.HasGcPausePercent, node.GcPausePercent))
            {
                return Refuse(item, "percent-out-of-range", $"A percentage of node {node.Id} is not within 0 and 100.", final: true);
            }
        }

        return Sane(item, health);
    }

    // What no owner may have to fear: an instant outside of the calendar, a number that is none, a text that a database refuses. One such
    // item would otherwise stop a whole group, and with it the items of others.
    private static ItemRefusal? Sane(Item item, Health health)
    {
        var instants = health.Nodes.All(node => IsInstant(node.StartedAtMs)) && health.Certificates.All(certificate => IsInstant(certificate.NotAfterMs)) && IsInstant(health.Backup?.LastSuccessMs ?? 0);
        if (!instants)
        {
            return Refuse(item, "instant-out-of-range", "An instant is in Unix milliseconds, from 0 to the end of the year 9999.", final: true);
        }

        var numbers = health.Nodes.All(node => double.IsFinite(node.Load1) && double.IsFinite(node.ClockOffsetMs) && node.Disks.All(disk => double.IsFinite(disk.InodesUsedPercent)))
            && double.IsFinite(health.CallHome?.FailedPercent15M ?? 0) && double.IsFinite(health.Replication?.LagS ?? 0);
        if (!numbers)
        {
            return Refuse(item, "number-not-finite", "Leave a number out when it is not known; NaN and infinity are none.", final: true);
        }

        if (health.ExpectedNodes is < 0 or > ItemLimits.Count || health.QuorumSpare is < -ItemLimits.Count or > ItemLimits.Count)
        {
            return Refuse(item, "count-out-of-range", $"expected_nodes lies within 0 and {ItemLimits.Count}, quorum_spare within -{ItemLimits.Count} and {ItemLimits.Count}.", final: true);
        }

        var texts = health.Nodes.All(node => IsText(node.Role) && IsText(node.State) && IsText(node.Version) && IsText(node.Os) && node.Disks.All(disk => IsText(disk.Mount) && IsText(disk.Purpose)))
            && health.Certificates.All(certificate => IsText(certificate.Purpose) && IsText(certificate.Issuer)) && IsText(health.Backup?.Location ?? "");
        return texts ? null : Refuse(item, "text-invalid", $"A text has at most {ItemLimits.TextLength} characters and no NUL.", final: true);
    }

    private static ItemRefusal? Event(Item item)
    {
        if (!TryParse(Protocol.CallHome.Event.Parser, item, out var happened, out var refusal))
        {
            return refusal;
        }

        if (!IsText(happened.Id) || !IsText(happened.Kind) || !IsText(happened.Text) || !IsText(happened.Node))
        {
            return Refuse(item, "text-invalid", $"A text has at most {ItemLimits.TextLength} characters and no NUL.", final: true);
        }

        return happened.Id.Length is 0 or > ItemLimits.NameLength || happened.Id.StartsWith(ItemLimits.ReservedEventPrefix, StringComparison.OrdinalIgnoreCase) || happened.Kind.Length is 0 or > ItemLimits.NameLength || happened.Text.Length > ItemLimits.EventTextLength || happened.Severity is not ("info" or "warning" or "severe")
            ? Refuse(item, "event-invalid", $"An event needs id and kind of 1 to {ItemLimits.NameLength} characters, the id not beginning with {ItemLimits.ReservedEventPrefix}, a text of at most {ItemLimits.EventTextLength}, and severity info, warning or severe.", final: true)
            : null;
    }

    private static ItemRefusal? Inventory(Item item)
    {
        if (!TryParse(Protocol.CallHome.Inventory.Parser, item, out var inventory, out var refusal))
        {
            return refusal;
        }

        if (inventory.Nodes.Count > ItemLimits.Nodes)
        {
            return Refuse(item, "too-many-nodes", $"At most {ItemLimits.Nodes} nodes.", final: true);
        }

        if (!AreIds(inventory.Nodes, node => node.Id))
        {
            return Refuse(item, "node-id-invalid", $"Every node needs an id of its own of 1 to {ItemLimits.NameLength} characters.", final: true);
        }

        if (!AreTexts(inventory))
        {
            return Refuse(item, "text-invalid", $"A text has at most {ItemLimits.TextLength} characters and no NUL.", final: true);
        }

        return inventory.Gateways.Count > ItemLimits.InventoryEntries || inventory.Collectors.Count > ItemLimits.InventoryEntries || inventory.Environments.Count > ItemLimits.InventoryEntries
            || !AreIds(inventory.Gateways, gateway => gateway.Id) || !AreIds(inventory.Environments, environment => environment.Id)
            || inventory.Collectors.Any(collectors => collectors.Version.Length > ItemLimits.NameLength || collectors.Os.Length > ItemLimits.NameLength || collectors.Count < 0)
            || inventory.ProductVersion.Length > ItemLimits.NameLength || inventory.AgentVersion.Length > ItemLimits.NameLength
            ? Refuse(item, "inventory-invalid", $"At most {ItemLimits.InventoryEntries} gateways, collector counts and environments, each gateway and environment with an id of its own of 1 to {ItemLimits.NameLength} characters, versions of at most {ItemLimits.NameLength}, no count below 0.", final: true)
            : null;
    }

    private static ItemRefusal? Witness(Item item)
    {
        if (!TryParse(WitnessAnswers.Parser, item, out var told, out var refusal))
        {
            return refusal;
        }

        return told.Answers.Count > ItemLimits.WitnessAnswers || told.Answers.Any(answer => answer.Log.Length is 0 or > ItemLimits.NameLength || answer.Held.Length > ItemLimits.NoteBytes || answer.Shown.Length > ItemLimits.NoteBytes) || !IsWithin(told.ClusterLog) || !AreTexts(told)
            ? Refuse(item, "witness-invalid", $"At most {ItemLimits.WitnessAnswers} answers, each of a log named by at most {ItemLimits.NameLength} characters, with checkpoints of at most {ItemLimits.NoteBytes} bytes; of the cluster's own log one, and at most {ItemLimits.ClusterLogEntries} entries of {ItemLimits.ClusterLogEntryBytes} bytes.", final: true)
            : null;
    }

    private static bool IsWithin(ClusterLogShown? log) =>
        log is null || (log.Checkpoint.Length <= ItemLimits.NoteBytes && log.Entries.Count <= ItemLimits.ClusterLogEntries && log.Entries.All(entry => entry.Length <= ItemLimits.ClusterLogEntryBytes));

    // By the schema, so that no field is forgotten: an inventory is rare. Health, which is not, names its fields.
    private static bool AreTexts(IMessage message) => message.Descriptor.Fields.InFieldNumberOrder().All(field => field.Accessor.GetValue(message) switch
    {
        string text => IsText(text),
        IMessage inner => AreTexts(inner),
        System.Collections.IEnumerable many when field.IsRepeated => many.Cast<object>().All(one => one is string text ? IsText(text) : one is not IMessage inner || AreTexts(inner)),
        _ => true,
    });

    private static bool AreIds<T>(IReadOnlyCollection<T> things, Func<T, string> id)
    {
        var seen = new HashSet<string>(things.Count, StringComparer.Ordinal);
        return things.All(thing => id(thing) is { Length: >= 1 and <= ItemLimits.NameLength } text && seen.Add(text));
    }

    // Licensing judges again by its own copy of the keys; here it spares the agent a round trip to learn of a mistake.
    private static ItemRefusal? Usage(Item item, KnownCluster cluster, DateTimeOffset now)
    {
        string? missing = null;
        if (!Dsse.TryVerify(item.Body.Span, UsageWindow.PayloadType, KeyOf, out var signed, out var error, Limits.UsageItemBytes))
        {
            // Another replica may have been told of a key a moment ago, and an agent sets aside what is refused for good.
            return missing is null
                ? Refuse(item, "signature-invalid", error!, final: true)
                : Refuse(item, "key-unknown", $"Key '{Shorten(missing)}' is not known here. A new one is known everywhere within seconds: send the window again.", final: false);
        }

        if (signed.Payload.Length > UsageWindow.MaxBytes)
        {
            return Refuse(item, "item-too-large", $"The window has {signed.Payload.Length} bytes; at most {UsageWindow.MaxBytes} are taken.", final: true);
        }

        if (UsageWindow.Read(signed.Payload, out var problem) is not { } window)
        {
            return new ItemRefusal { Seq = item.Seq, Code = problem!.Code, Detail = problem.Detail, Final = true };
        }

        if (!string.Equals(window.Cluster, cluster.Id.ToString("D"), StringComparison.Ordinal))
        {
            return Refuse(item, "window-of-another-cluster", "The window names another cluster than its sender.", final: true);
        }

        // Another replica may have issued the epoch a moment ago.
        if (window.Epoch > cluster.Epoch)
        {
            return Refuse(item, "window-epoch-unknown", $"Epoch {window.Epoch} is not known here; {cluster.Epoch} is in force. A new one is known everywhere within seconds: send the window again.", final: false);
        }

        return UsageWindow.StartOf(window.Hour + 1) > now.AddMinutes(5)
            ? Refuse(item, "window-in-future", "The window ends in the future. Cut hours by the server's clock and send it again later.", final: false)
            : null;

        VerificationKey? KeyOf(string kid)
        {
            var key = cluster.KeyOf(kid);
            missing = key is null ? kid : null;
            return key;
        }
    }

    private static bool TryParse<T>(MessageParser<T> parser, Item item, out T message, out ItemRefusal? refusal)
        where T : class, IMessage<T>
    {
        try
        {
            // As its owner will read it: what discards unknown fields also passes some that cannot be read.
            message = parser.ParseFrom(item.Body);
            refusal = null;
            return true;
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or System.Text.DecoderFallbackException)
        {
            message = null!;
            refusal = Refuse(item, "item-malformed", $"The body is not a {item.Type} message: {exception.Message}", final: true);
            return false;
        }
    }

    private static bool IsInstant(long ms) => ms is >= 0 and <= LastInstant;

    private static bool IsText(string text) => text.Length <= ItemLimits.TextLength && !text.Contains('\0', StringComparison.Ordinal);

    private static bool InPercent(bool has, double value) => !has || value is >= 0 and <= 100;

    private static string Shorten(string text) => WellFormedText.Cut(text, 40);

    private static ItemRefusal Refuse(Item item, string code, string detail, bool final) => new() { Seq = item.Seq, Code = code, Detail = detail, Final = final };
}
