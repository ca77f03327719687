using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.Usage;

/// <summary>Reads the counters, closes hours into signed windows, and hands them to the spool. Hours are cut by the server's clock.</summary>
public sealed class UsageRecorder(IUsageStore store, IUsageSource source, IAgentIdentity identity, ISpool spool) : IDisposable
{
    /// <summary>Settled windows are kept that long, so that the customer and we can look things up (the ledger keeps them longer).</summary>
    private const int KeepHours = 400 * 24;

    /// <summary>How long hours wait for the epoch that was asked for; longer, they would become too many.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromDays(1);

    /// <summary>How long a window may be acknowledged without a receipt that names it: the server may have lost it, or the receipt was overtaken by two hundred others.</summary>
    private static readonly TimeSpan ReceiptWithin = TimeSpan.FromDays(1);

    private EcdsaSigner signer = EcdsaSigner.From(identity.Key);
    private ECDsa signedBy = identity.Key;
    private bool resumed;

    /// <summary>What there is.</summary>
    public UsageSummary Summary => store.Summary();

    /// <summary>The newest reading; null before the first.</summary>
    public DateTimeOffset? ObservedAt => store.Load().ObservedAt;

    /// <summary>Takes a reading, and closes the hours that have ended.</summary>
    /// <param name="now">By the server's clock.</param>
    public void Observe(DateTimeOffset now) => Observe(now, issuedAt: null);

    /// <summary>
    /// An epoch is asked for: from now on it may have been granted although nobody here knows, so hours that end later wait to be closed
    /// until it is known to which epoch they belong. It stays so over a restart.
    /// </summary>
    /// <param name="now">By the server's clock.</param>
    public void Hold(DateTimeOffset now) => HoldAfter(store.Load().HeldAfter ?? now);

    /// <summary>The epoch that is known is in force.</summary>
    public void Release() => HoldAfter(null);

    /// <summary>An epoch was granted: hours that ended before it was issued are closed under the one before, which is still the identity's.</summary>
    /// <param name="issuedAt">When it was issued, by the server's clock.</param>
    /// <param name="now">By the server's clock.</param>
    public void EndEpoch(DateTimeOffset issuedAt, DateTimeOffset now) => Observe(now, issuedAt);

    private void HoldAfter(DateTimeOffset? after)
    {
        if (store.Load().HeldAfter != after)
        {
            var state = store.Load().Clone();
            state.HeldAfter = after;
            store.Save(state);
        }
    }

    private void Observe(DateTimeOffset now, DateTimeOffset? issuedAt)
    {
        Resume(now);
        var nothingWaits = spool.Usage == 0;
        var state = store.Load().Clone();
        var until = issuedAt ?? (state.HeldAfter is { } asked && now < asked + LongestHold ? asked : DateTimeOffset.MaxValue);
        Attribution.Observe(state, source.Read(now));
        var closed = new List<string>();
        foreach (var hour in state.Open.Keys.Where(hour => UsageWindow.StartOf(hour + 1) is var end && end <= state.ObservedAt && end <= until).ToList())
        {
            if (Close(state, hour) is { } name)
            {
                closed.Add(name);
            }

            state.Open.Remove(hour);
        }

        // The windows are on disk before the state forgets their hours: a crash in between makes a further revision, never a hole.
        store.Save(state);
        Spool(now);
        if (closed.Count > 0)
        {
            store.Forget(UsageWindow.HourOf(now) - KeepHours);
            if (nothingWaits && store.OfferUnsettled(now - ReceiptWithin) > 0)
            {
                Spool(now);
            }
        }
    }

    /// <summary>Takes a receipt: what it names need not be sent again.</summary>
    /// <exception cref="CryptographicException">It is not signed by a key that the anchors name for receipts, or is of another cluster.</exception>
    public void Apply(ReadOnlySpan<byte> envelope)
    {
        var enrollment = identity.Enrollment ?? throw new InvalidOperationException("This agent is not enrolled.");
        if (enrollment.Anchors is null)
        {
            throw new CryptographicException("The anchors of this enrolment are not known here; receipts cannot be checked.");
        }

        if (!Dsse.TryVerify(envelope, UsageReceipt.PayloadType, CallHome.Anchors.KeysFor(CallHome.Anchors.Verify(enrollment.Anchors), "receipt"), out var verified, out var error))
        {
            throw new CryptographicException($"The receipt is not to be trusted: {error}");
        }

        var receipt = UsageReceipt.Parse(verified.Payload);
        if (!Guid.TryParse(receipt.Cluster, out var cluster) || cluster != enrollment.ClusterId)
        {
            throw new CryptographicException("The receipt is of another cluster.");
        }

        foreach (var result in receipt.Results)
        {
            var name = WindowName.Of(result.Window, result.Epoch, result.Revision);
            if (result.Verdict is "conflict" or "rejected")
            {
                store.Refuse(name, result.Problem ?? result.Verdict);
            }
            else
            {
                store.Settle(name);
            }
        }

        // A gap where a receipt once settled a window: the ledger was restored from a backup that does not hold it.
        foreach (var gap in receipt.Gaps)
        {
            if (UsageWindow.TryHour(gap.From, out var from) && UsageWindow.TryHour(gap.To, out var to))
            {
                store.OfferAgain(from, to);
            }
        }
    }

    /// <summary>Offers refused windows again when either side was upgraded since they were offered last; what it refused may be its own mistake, or ours.</summary>
    /// <param name="versions">Of both sides.</param>
    /// <param name="now">By the server's clock.</param>
    /// <returns>How many.</returns>
    public int OfferAgain(string versions, DateTimeOffset now)
    {
        var state = store.Load();
        if (state.OfferedUnder == versions)
        {
            return 0;
        }

        // A conflict is not a mistake of a program: a person decides.
        var refused = state.OfferedUnder is null ? [] : store.Summary().Refused.Where(window => window.Problem is not ("conflict" or "revision-conflict")).ToList();
        refused.ForEach(window => store.OfferAgain(window.Name));
        Spool(now);
        var next = state.Clone();
        next.OfferedUnder = versions;
        store.Save(next);
        return refused.Count;
    }

    /// <summary>The door refused an item for good.</summary>
    public void Refused(ReadOnlySpan<byte> envelope, string problem)
    {
        // Out of our own spool, and perhaps signed before the key was replaced: it is read, not judged.
        using var read = JsonDocument.Parse(envelope.ToArray());
        if (UsageWindow.Read(read.RootElement.GetProperty("payload").GetBytesFromBase64(), out _) is { } window)
        {
            store.Refuse(WindowName.Of(window), problem);
        }
    }

    /// <inheritdoc />
    public void Dispose() => signer.Dispose();

    private void Resume(DateTimeOffset now)
    {
        if (!resumed)
        {
            Spool(now);
            resumed = true;
        }
    }

    private string? Close(UsageState state, int hour)
    {
        var enrollment = identity.Enrollment ?? throw new InvalidOperationException("This agent is not enrolled.");
        var open = state.Open[hour];

        // Under a new epoch no hour is reported that ended before it was issued: it belongs to whoever held the epoch before.
        if (enrollment.Epoch > 1 && enrollment.EpochIssuedAt is { } issued && UsageWindow.StartOf(hour + 1) <= issued)
        {
            return null;
        }

        var cells = open.Cells.OrderBy(cell => cell.Key, StringComparer.Ordinal).Select(cell => cell.Value).ToList();
        var complete = !open.Incomplete;
        if (cells.Count > UsageWindow.MaxCells)
        {
            cells = WithoutDimensions(cells);
            complete = false;
        }

        var window = new UsageWindow(
            1, enrollment.ClusterId.ToString("D"), enrollment.Epoch, UsageWindow.Text(UsageWindow.StartOf(hour)), 3600, store.LastRevision(hour, enrollment.Epoch) + 1,
            UsageWindow.Text(state.ObservedAt!.Value), complete,
            cells.ConvertAll(cell => new UsageCell(cell.Meter, cell.Version, cell.Dimensions, cell.Quantity.ToString(CultureInfo.InvariantCulture))),
            Prev: state.LastDigest, Product: source.ProductVersion.Length is 0 or > 100 ? null : source.ProductVersion);
        var payload = window.ToBytes();
        var name = WindowName.Of(window);
        store.Keep(name, Dsse.Sign(UsageWindow.PayloadType, payload, Signer()));
        state.LastDigest = UsageWindow.Digest(payload);
        return name;
    }

    // The key may be replaced while the agent runs.
    private EcdsaSigner Signer()
    {
        if (!ReferenceEquals(signedBy, identity.Key))
        {
            signer.Dispose();
            (signer, signedBy) = (EcdsaSigner.From(identity.Key), identity.Key);
        }

        return signer;
    }

    // Too many cells for a document: the sums stay exact, the detail goes, and the window says so.
    private static List<OpenCell> WithoutDimensions(List<OpenCell> cells) =>
        [.. cells.GroupBy(cell => (cell.Meter, cell.Version)).Select(group => new OpenCell(group.Key.Meter, group.Key.Version, new Dictionary<string, string>(), group.Sum(cell => cell.Quantity)))];

    private void Spool(DateTimeOffset now)
    {
        foreach (var (name, envelope) in store.NotSpooled())
        {
            spool.Add("usage", UsageWindow.StartOf(Hour(name)).ToUnixTimeMilliseconds(), envelope);
            store.Spooled(name, now);
        }
    }

    private static int Hour(string name) => UsageWindow.TryHour($"{name[..13]}:{name[13..15]}:{name[15..18]}", out var hour) ? hour : 0;
}
