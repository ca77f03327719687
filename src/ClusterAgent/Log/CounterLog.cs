using System.Globalization;
using System.Text;
using Google.Protobuf;
using MissionControl.ClusterAgent.Machine;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust;
using MissionControl.Trust.Envelopes;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Log;

/// <summary>
/// The cluster's own log: what Mission Control did to this cluster or asked of it, written down durably before the agent does it or says
/// so. Its head rides on the next call home, and whoever has this directory and the customer's log finds what either lacks.
/// </summary>
/// <param name="identity">Whose witness key signs it.</param>
/// <param name="directory">The agent's directory; null: the process remembers, and a new one begins anew.</param>
/// <param name="time">The machine's own clock, which is noted beside Mission Control's where they differ; null: it is not known.</param>
/// <param name="reserve">Room for when the disk is full.</param>
public sealed class CounterLog(IAgentIdentity identity, string? directory, TimeProvider? time = null, DiskReserve? reserve = null)
{
    private const string Begun = "log-begun";
    private const string VersionChanged = "agent-version";

    /// <summary>A state that changes and changes back in less is not noted: two replicas of Mission Control may not know the same yet.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    /// <summary>What can be asked at every check-in is noted once in an hour, so that the log stays small.</summary>
    private static readonly TimeSpan Rarely = TimeSpan.FromHours(1);

    /// <summary>What Mission Control says the time is, and what the machine says, may be apart by so much before both are noted.</summary>
    private static readonly TimeSpan ClocksAgree = TimeSpan.FromMinutes(10);

    private readonly HashSet<string> noted = new(StringComparer.Ordinal);
    private List<byte[]> entries = [];
    private CompactRange range = new();
    private (Guid Cluster, long Epoch)? open;
    private (bool Suspended, DateTimeOffset At) state;
    private DateTimeOffset inventoryAt;
    private string? version;
    private string? problem;
    private bool isKeyKnown;

    /// <summary>Why nothing can be noted; null when all is well.</summary>
    public string? Problem => problem ?? (Size == ClusterLogName.MostEntries ? "the cluster's own log is full: nothing more is noted in it." : null);

    /// <summary>Whether nothing can be noted in it any more, however often it is tried: it is full, or cannot be read.</summary>
    public bool IsLost => Problem is not null && (open is null || Size == ClusterLogName.MostEntries);

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
            && (version == LinuxMachine.Version || Note(VersionChanged, LinuxMachine.Version, null, now))
            && (isKeyKnown || NoteKeyHeld(now));
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
    /// <returns>Whether that is noted, or need not be.</returns>
    public bool InventoryAsked(long asked, DateTimeOffset now) =>
        (now - inventoryAt).Duration() < Rarely || Note(Reconciliation.InventoryAsked, "The inventory is asked for.", $"inventory:{asked}", now);

    /// <summary>Writes something down, once of what has a name.</summary>
    /// <returns>Whether it stands there and survives a power cut.</returns>
    public bool Note(string type, string what, string? reference, DateTimeOffset now)
    {
        var entry = new ClusterLogEntry(now, type, what, reference, time?.GetUtcNow() is { } clock && (clock - now).Duration() > ClocksAgree ? clock : null);
        if (open is null || Size == ClusterLogName.MostEntries)
        {
            return false;
        }

        if (reference is not null && noted.Contains($"{type} {reference}"))
        {
            return true;
        }

        try
        {
            Append(entry);
            problem = null;
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problem = $"the cluster's own log cannot be written: {exception.Message}";
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
        if (open is not null && state.Suspended != suspended && (now - state.At).Duration() >= Settled)
        {
            Note(type, what, string.Create(CultureInfo.InvariantCulture, $"{type}:{noted.Count(one => one.StartsWith($"{type} ", StringComparison.Ordinal)) + 1}"), now);
        }
    }

    // An agent of before may have replaced it without a note.
    private bool NoteKeyHeld(DateTimeOffset now)
    {
        var held = $"key:{KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo())}";
        string[] types = [Reconciliation.Enrolled, Reconciliation.KeyAnnounced, Reconciliation.KeyRotated];
        return isKeyKnown = types.Any(type => noted.Contains($"{type} {held}")) || Note(Reconciliation.KeyHeld, "The agent has this key.", held, now);
    }

    private bool Open(Guid cluster, long epoch)
    {
        if (open == (cluster, epoch))
        {
            return true;
        }

        (open, entries, range, state, inventoryAt, version, isKeyKnown) = (null, [], new CompactRange(), default, default, null, false);
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
            problem = $"the cluster's own log cannot be read, so nothing is noted in it: {exception.Message}";
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
            var note = Sign(next);
            if (reserve is null)
            {
                Write();
            }
            else
            {
                reserve.Write(Write);
            }

            void Write() => LogFiles.Write(PathOf(directory, log.Cluster, log.Epoch), [.. entries, bytes], note);
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
