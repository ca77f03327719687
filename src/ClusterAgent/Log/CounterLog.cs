using System.Globalization;
using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.Machine;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Log;

/// <summary>
/// The cluster's own log: what Mission Control did to this cluster or asked of it, written down durably before the agent does it or says
/// so. Its head rides on the next call home, and whoever has this directory and the customer's log finds what either lacks.
/// </summary>
/// <param name="identity">Whose witness key signs it.</param>
/// <param name="directory">The agent's directory; null: the process remembers, and a new one begins anew.</param>
public sealed class CounterLog(IAgentIdentity identity, string? directory)
{
    private const string Begun = "log-begun";
    private const string VersionChanged = "agent-version";

    /// <summary>A state that changes and changes back in less is not noted: two replicas of Mission Control may not know the same yet.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    /// <summary>What can be asked at every check-in is noted once in an hour, so that the log stays small.</summary>
    private static readonly TimeSpan Rarely = TimeSpan.FromHours(1);

    private readonly HashSet<string> noted = new(StringComparer.Ordinal);
    private List<byte[]> entries = [];
    private CompactRange range = new();
    private (Guid Cluster, long Epoch)? open;
    private (bool Suspended, DateTimeOffset At) state;
    private DateTimeOffset inventoryAt;
    private string? version;

    /// <summary>Why nothing can be noted; null when all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>By what its checkpoints call it.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>How many entries it has.</summary>
    public long Size => range.Size;

    /// <summary>The folder of a log.</summary>
    public static string PathOf(string directory, Guid cluster, long epoch) => Path.Combine(directory, "log", string.Create(CultureInfo.InvariantCulture, $"{cluster:N}-{epoch}"));

    /// <summary>The agent was enrolled: by this key, and these anchors.</summary>
    public bool Enrolled(Guid cluster, long epoch, string keyId, string anchors, DateTimeOffset now) =>
        Open(cluster, epoch) && Note(Reconciliation.Enrolled, $"Enrolled; the anchors are {anchors}.", $"key:{keyId}", now);

    /// <summary>The agent runs: the log of its epoch is begun where there is none, and another version of the agent is noted.</summary>
    public bool Run(Enrollment enrollment, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(enrollment);
        return Open(enrollment.ClusterId, enrollment.Epoch) && (Size > 0 || Note(Begun, $"Begun in epoch {enrollment.Epoch}; what was before stands in no log of this agent.", null, now))
            && (version == LinuxMachine.Version || Note(VersionChanged, LinuxMachine.Version, null, now));
    }

    /// <summary>Another epoch begins another log. It names the one before.</summary>
    public bool EpochTaken(Guid cluster, long epoch, DateTimeOffset now)
    {
        var before = Size == 0 ? "The log of the epoch before is not there." : $"Before: {Origin}, {Size} entries, {range.Root}.";
        return Open(cluster, epoch) && Note(Reconciliation.EpochTaken, before, $"epoch:{epoch}", now);
    }

    /// <summary>Mission Control has taken a check-in.</summary>
    public void Taken(DateTimeOffset now) => Switch(false, Reconciliation.Resumed, "Check-ins are taken again.", now);

    /// <summary>Mission Control has refused one.</summary>
    public void Refused(string code, DateTimeOffset now)
    {
        if (code == "cluster-suspended")
        {
            Switch(true, Reconciliation.Suspended, "Check-ins are refused: the cluster is suspended.", now);
        }
        else if (code == "cluster-decommissioned")
        {
            Note(Reconciliation.Decommissioned, "Check-ins are refused for good.", Reconciliation.Decommissioned, now);
        }
    }

    /// <summary>The inventory is asked for out of turn.</summary>
    public void InventoryAsked(long asked, DateTimeOffset now)
    {
        if (now - inventoryAt >= Rarely)
        {
            Note(Reconciliation.InventoryAsked, "The inventory is asked for.", $"inventory:{asked}", now);
        }
    }

    /// <summary>Writes something down, once of what has a name.</summary>
    /// <returns>Whether it stands there and survives a power cut.</returns>
    public bool Note(string type, string what, string? reference, DateTimeOffset now)
    {
        var entry = new ClusterLogEntry(now, type, what, reference);
        if (open is null || Size == ClusterLogName.MostEntries)
        {
            Problem ??= "the cluster's own log is full: nothing more is noted in it.";
            return false;
        }

        if (reference is not null && noted.Contains($"{type} {reference}"))
        {
            return true;
        }

        try
        {
            Append(entry);
            Problem = null;
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Problem = $"the cluster's own log cannot be written: {exception.Message}";
            return false;
        }
    }

    /// <summary>What is shown of it to a server that holds some: what that lacks, bounded; where it lacks nothing, only that.</summary>
    public ClusterLogShown? Show(ClusterLogHeld? held)
    {
        if (held is null || open is null || Size == 0)
        {
            return null;
        }

        var shown = new ClusterLogShown { Origin = Origin, Size = Size };
        var from = held.Origin == Origin ? Math.Clamp(held.Size, 0, Size) : 0;
        if (held.Origin == Origin && held.Size == Size && held.Root.Span.SequenceEqual(range.Root.Span))
        {
            return shown;
        }

        shown.From = from;
        shown.Entries.AddRange(entries.Skip((int)from).Take(ItemLimits.ClusterLogEntries).Select(entry => ByteString.CopyFrom(entry)));
        var part = new CompactRange();
        entries.Take((int)from + shown.Entries.Count).ToList().ForEach(entry => part.Append(TreeHash.OfLeaf(entry)));
        shown.Checkpoint = ByteString.CopyFromUtf8(Sign(part).ToString());
        return shown;
    }

    private void Switch(bool suspended, string type, string what, DateTimeOffset now)
    {
        if (open is not null && state.Suspended != suspended && now - state.At >= Settled)
        {
            Note(type, what, string.Create(CultureInfo.InvariantCulture, $"{type}:{noted.Count(one => one.StartsWith($"{type} ", StringComparison.Ordinal)) + 1}"), now);
        }
    }

    private bool Open(Guid cluster, long epoch)
    {
        if (open == (cluster, epoch))
        {
            return true;
        }

        (open, entries, range, state, inventoryAt, version) = (null, [], new CompactRange(), default, default, null);
        noted.Clear();
        try
        {
            using var key = PublicKey();
            Origin = ClusterLogName.Of(key.PublicKey.Span, cluster, epoch);
            if (directory is not null && LogFiles.Read(PathOf(directory, cluster, epoch)) is { } read)
            {
                // Of another key it is another's log: nothing goes on from it.
                if (read.Checkpoint.Origin != Origin)
                {
                    throw new InvalidDataException($"{PathOf(directory, cluster, epoch)} is of {read.Checkpoint.Origin}, not of this agent.");
                }

                read.Entries.ForEach(entry => Take(entry, ClusterLogEntry.Parse(entry)));
            }

            open = (cluster, epoch);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            Problem = $"the cluster's own log cannot be read, so nothing is noted in it: {exception.Message}";
            return false;
        }
    }

    private void Append(ClusterLogEntry entry)
    {
        var bytes = entry.ToBytes();
        if (directory is not null && open is { } log)
        {
            var next = new CompactRange(range.Size, range.ToArray());
            next.Append(TreeHash.OfLeaf(bytes));
            LogFiles.Write(PathOf(directory, log.Cluster, log.Epoch), [.. entries, bytes], Sign(next));
        }

        Take(bytes, entry);
    }

    private void Take(byte[] bytes, ClusterLogEntry entry)
    {
        entries.Add(bytes);
        range.Append(TreeHash.OfLeaf(bytes));
        if (entry.Reference is not null)
        {
            noted.Add($"{entry.Type} {entry.Reference}");
        }

        state = entry.Type is Reconciliation.Suspended or Reconciliation.Resumed ? (entry.Type == Reconciliation.Suspended, entry.At) : state;
        inventoryAt = entry.Type == Reconciliation.InventoryAsked ? entry.At : inventoryAt;
        version = entry.Type == VersionChanged ? entry.What : version;
    }

    private SignedNote Sign(CompactRange tree)
    {
        using var key = PublicKey();
        using var signer = NoteKey.From(Origin, NoteKeyType.Ed25519, key.PublicKey.Span);
        var text = new Checkpoint(Origin, tree.Size, tree.Root).ToString();
        return new SignedNote(text, [new NoteSignature(signer.Name, signer.Id, identity.SignAsWitness(Encoding.UTF8.GetBytes(text)))]);
    }

    private Ed25519Key PublicKey() => Ed25519Key.TryFromSpki(identity.WitnessSpki.Span, out var key) ? key : throw new InvalidOperationException("The witness's key cannot be read.");
}
