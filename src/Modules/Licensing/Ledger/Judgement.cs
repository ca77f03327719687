using System.IO.Compression;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Licensing.Meters;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Licensing.Ledger;

/// <summary>A usage item on its way into the ledger.</summary>
/// <param name="ClusterId">The cluster that sent it.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="Epoch">The epoch it was sent in.</param>
/// <param name="Seq">Its number within that epoch.</param>
/// <param name="ReceivedAt">When intake committed it.</param>
/// <param name="Body">The DSSE envelope as received.</param>
internal sealed record Arrival(Guid ClusterId, Guid CustomerId, long Epoch, long Seq, DateTimeOffset ReceivedAt, byte[] Body)
{
    /// <summary>What it holds, once its signature was found to hold.</summary>
    public SignedWindow? Opened { get; set; }
}

/// <summary>An envelope whose signature holds, opened, with all that is worked out from its bytes alone.</summary>
internal sealed class SignedWindow
{
    public SignedWindow(DsseVerified signed)
    {
        Signed = signed;
        Window = UsageWindow.Read(signed.Payload, out var problem);
        Problem = problem;
        Sha256 = UsageWindow.Digest(signed.Payload);
        Deflated = Deflate(signed.Payload);
    }

    /// <summary>Payload and signature.</summary>
    public DsseVerified Signed { get; }

    /// <summary>The checked window; null when the payload is none.</summary>
    public UsageWindow? Window { get; }

    /// <summary>Why the payload is no window.</summary>
    public WindowProblem? Problem { get; }

    /// <summary><c>sha256:</c> of the payload.</summary>
    public string Sha256 { get; }

    /// <summary>The payload as it is stored.</summary>
    public byte[] Deflated { get; }

    private static byte[] Deflate(byte[] payload)
    {
        using var buffer = new MemoryStream();
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(payload);
        }

        return buffer.ToArray();
    }
}

/// <summary>What licensing knows of a cluster while it judges a group.</summary>
internal sealed class JudgedCluster(LedgerCluster row, IReadOnlyDictionary<long, DateTimeOffset> epochs)
{
    private readonly Dictionary<string, (Lazy<VerificationKey> Key, ClusterKey Facts)> keys = row.ReadKeys().ToDictionary(
        key => key.Kid, key => (new Lazy<VerificationKey>(() => VerificationKey.FromSpki(key.Spki)), key), StringComparer.Ordinal);

    public LedgerCluster Row => row;

    public IReadOnlyDictionary<long, DateTimeOffset> Epochs => epochs;

    public (Lazy<VerificationKey> Key, ClusterKey Facts)? KeyOf(string kid) => keys.TryGetValue(kid, out var key) ? key : null;
}

/// <summary>What can be said of a document before the ledger is looked at.</summary>
internal enum Readiness
{
    /// <summary>It may be judged against the ledger.</summary>
    Ready,

    /// <summary>It must wait for news of its cluster, or for a person.</summary>
    Waits,

    /// <summary>It never counts.</summary>
    Rejected,
}

/// <summary>The rules that need no look into the ledger: signature, form, epoch, meters. Pure (rules R1, R2, R5, R11 of the protocol's usage section).</summary>
internal static class Judgement
{
    /// <summary>Judges one document.</summary>
    /// <param name="arrival">The document.</param>
    /// <param name="cluster">Its cluster; null when it is not known yet.</param>
    /// <param name="opened">What it holds, when its signature does; with a window when it is ready.</param>
    /// <param name="problem">Why it waits or is rejected.</param>
    public static Readiness Judge(Arrival arrival, JudgedCluster? cluster, out SignedWindow? opened, out WindowProblem? problem)
    {
        opened = null;
        if (cluster is null)
        {
            problem = new WindowProblem(WaitingWindow.ClusterUnknown, "Licensing has not heard of this cluster yet.");
            return Readiness.Waits;
        }

        if (cluster.Row.CloneSuspected)
        {
            problem = new WindowProblem("clone-suspected", "Two senders speak as this cluster; a person must name the true one.");
            return Readiness.Waits;
        }

        string? missing = null, error = null;
        opened = arrival.Opened is { } ahead && cluster.KeyOf(ahead.Signed.KeyId) is not null ? ahead : Open(arrival, cluster, out missing, out error);
        if (opened is null)
        {
            problem = missing is null ? new WindowProblem("signature-invalid", error!) : new WindowProblem("key-unknown", $"Licensing has not heard of key '{missing}' yet.");
            return missing is null ? Readiness.Rejected : Readiness.Waits;
        }

        problem = opened.Problem;
        if (opened.Window is not { } window)
        {
            return Readiness.Rejected;
        }

        if (Guid.Parse(window.Cluster) != arrival.ClusterId || cluster.Row.CustomerId != arrival.CustomerId)
        {
            problem = new WindowProblem("window-of-another-cluster", "The window names another cluster than its sender.");
            return Readiness.Rejected;
        }

        if (!cluster.Epochs.TryGetValue(window.Epoch, out var issuedAt) || (window.Epoch < cluster.Row.Epoch && !cluster.Epochs.ContainsKey(window.Epoch + 1)))
        {
            problem = new WindowProblem("epoch-unknown", "Licensing has not heard of this epoch yet.");
            return Readiness.Waits;
        }

        problem = Check(window, cluster, opened.Signed.KeyId, issuedAt);
        return problem is null ? Readiness.Ready : Readiness.Rejected;
    }

    /// <summary>What it holds when its signature does; else the key that is not known, or what is wrong.</summary>
    public static SignedWindow? Open(Arrival arrival, JudgedCluster cluster, out string? missing, out string? error)
    {
        string? unknown = null;
        var holds = Dsse.TryVerify(arrival.Body, UsageWindow.PayloadType, kid => Known(cluster, kid, ref unknown), out var verified, out error);
        missing = unknown;
        return holds ? new SignedWindow(verified!) : null;
    }

    private static WindowProblem? Check(UsageWindow window, JudgedCluster cluster, string kid, DateTimeOffset issuedAt)
    {
        var start = UsageWindow.StartOf(window.Hour);
        var end = start.AddHours(1);
        if (cluster.KeyOf(kid)!.Value.Facts.NotAfter is { } notAfter && start >= notAfter)
        {
            return new WindowProblem("key-retired", "The key was replaced before this hour began.");
        }

        // A restored machine must not overwrite true hours; the first epoch has nothing before it.
        if (window.Epoch > 1 && end <= issuedAt)
        {
            return new WindowProblem("window-before-epoch", "The hour ended before this epoch was issued; it belongs to the epoch before.");
        }

        // Late bundles of an older epoch still count for hours that ended before its successor began; later ones are a copy's.
        return cluster.Epochs.TryGetValue(window.Epoch + 1, out var successor) && end > successor
            ? new WindowProblem("stale-epoch", $"Epoch {window.Epoch + 1} was issued before this hour ended.")
            : null;
    }

    /// <summary>Checks the quantities against their meters. Cells of unknown meters are not an error: they are parked.</summary>
    public static WindowProblem? CheckQuantities(UsageWindow window, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
    {
        foreach (var cell in window.Meters)
        {
            if (meters.TryGetValue((cell.Meter, cell.Version), out var meter) && !Quantity.TryParse(cell.Quantity, meter.Scale, out _))
            {
                return new WindowProblem("quantity-out-of-scale", $"Meter {cell.Meter} version {cell.Version} takes {meter.Scale} digits after the point and at most {Quantity.Format(long.MaxValue, meter.Scale)}.");
            }
        }

        return null;
    }

    private static VerificationKey? Known(JudgedCluster cluster, string kid, ref string? missing)
    {
        if (cluster.KeyOf(kid) is { } known)
        {
            return known.Key.Value;
        }

        missing = kid.Length <= 64 ? kid : kid[..64];
        return null;
    }
}
