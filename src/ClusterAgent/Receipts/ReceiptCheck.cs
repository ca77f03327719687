using MissionControl.ClusterAgent.Witnesses;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Receipts;

/// <summary>What an agent is to do, and wants proven to stand in the audit log before it does it.</summary>
/// <param name="ClusterId">Its own cluster.</param>
/// <param name="Type">Type of the entry, e.g. <c>remoteaccess.session-opened</c>.</param>
/// <param name="TargetType">Noun of what it is about.</param>
/// <param name="TargetId">Its id.</param>
public sealed record WantedAction(Guid ClusterId, string Type, string TargetType, string TargetId)
{
    /// <summary>How long an approval may hold from when the log took it, and from now.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>A receipt by which an agent may act.</summary>
/// <param name="Entry">What is proven.</param>
/// <param name="Approver">Who approved it.</param>
/// <param name="Expiry">Until when it holds.</param>
/// <param name="Checkpoint">The tree in which it stands.</param>
/// <param name="Next">What the witness has seen now. Whoever acts writes it down before: then the log can never go on without the entry.</param>
public sealed record ProvenAction(ProvenEntry Entry, string Approver, DateTimeOffset Expiry, Checkpoint Checkpoint, Seen Next);

/// <summary>A receipt by which an agent may not act.</summary>
/// <param name="reason">Why, as a word.</param>
/// <param name="message">Why, as a sentence.</param>
public sealed class ReceiptRefusedException(string reason, string message) : Exception(message)
{
    /// <summary>malformed, unseen, stopped, other-log, signature, older, unproven, fork, inconsistent, inclusion, cluster, type, target, outcome, mfa, approval or expired.</summary>
    public string Reason { get; } = reason;
}

/// <summary>
/// Whether an agent may act by a receipt of the audit log (C2SP tlog-proof): the log is its customer's, as it has seen it as a witness and
/// going on from there, the entry stands in it, and says that this very thing was approved for this very cluster and still holds.
/// Whatever is not proven is refused.
/// </summary>
public static class ReceiptCheck
{
    /// <summary>The longest receipt that is read: an entry of 65,535 bytes in base64, a path and a note, with room.</summary>
    public const int MostBytes = 128 * 1024;

    private const string LogName = "customer";

    /// <summary>Judges a receipt.</summary>
    /// <param name="seen">What this agent has seen of the logs as a witness.</param>
    /// <param name="receipt">The receipt, with the entry in it.</param>
    /// <param name="goesOn">That its checkpoint goes on from what was seen: the body of <c>add-checkpoint</c> (C2SP tlog-witness). Empty: it is the one that was seen.</param>
    /// <param name="wanted">What is to be done.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ReceiptRefusedException">Nothing may be done by it.</exception>
    public static ProvenAction Judge(Seen seen, ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> goesOn, WantedAction wanted, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(wanted);
        Refuse.Unless(receipt.Length <= MostBytes && goesOn.Length <= MostBytes, "malformed", $"A receipt has {MostBytes} bytes at most.");
        try
        {
            var proof = LogProof.Parse(receipt);
            Refuse.Unless(proof.Extra.Length is > 0 and <= TreeHash.MaxEntry, "malformed", $"The receipt carries the entry: 1 to {TreeHash.MaxEntry} bytes.");
            var (shown, next) = Compare(seen, proof.Note, goesOn.IsEmpty ? null : AddCheckpoint.Parse(goesOn), now);
            Refuse.Unless(MerkleProof.VerifyInclusion(TreeHash.OfLeaf(proof.Extra.Span), proof.Index, shown.Size, [.. proof.Path], shown.Root), "inclusion", "The path does not lead from the entry to the root of the log.");
            var entry = ProvenEntry.Parse(proof.Extra.Span);
            var (approver, expiry) = Judge(entry, wanted, now);
            return new ProvenAction(entry, approver, expiry, shown, next);
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            // The latter: a text that is no Unicode.
            throw new ReceiptRefusedException("malformed", exception.Message);
        }
    }

    // As a witness judges it, and by what it has seen: a log that only this agent is shown would be found out by the next exchange.
    private static (Checkpoint Shown, Seen Next) Compare(Seen seen, SignedNote note, AddCheckpoint? goesOn, DateTimeOffset now)
    {
        var held = seen.Logs.GetValueOrDefault(LogName) ?? throw new ReceiptRefusedException("unseen", "This agent has seen nothing of its customer's log yet, and knows none of its keys.");
        Refuse.Unless(held.Refusal is null, "stopped", $"The log is not what this agent had seen ({held.Refusal?.Reason}); see mc-agent witness.");
        Refuse.Unless(goesOn is null || goesOn.Note.Text == note.Text, "unproven", "What says that the log goes on is of another checkpoint than the receipt.");
        var (shown, before) = (Checkpoint.Parse(note.Text), held.Checkpoint);
        var request = new AddCheckpoint(goesOn?.Old ?? before.Size, goesOn?.Proof ?? [], note);
        var finding = WitnessRules.Judge(before, request, [.. seen.Keys.Select(key => (ReadOnlyMemory<byte>)key)], out var signers);
        Refuse.Unless(finding != WitnessFinding.Signature, "signature", "No key of the log that this agent believes has signed the receipt, or not this text.");
        Refuse.Unless(finding != WitnessFinding.OtherLog, "other-log", $"The receipt is of {shown.Origin}, and this agent's customer has {before.Origin}.");
        Refuse.Unless(finding != WitnessFinding.Rollback, "older", $"The receipt is of {shown.Size} entries, and this agent has seen {before.Size}: it takes a newer one.");
        Refuse.Unless(finding != WitnessFinding.Fork, "fork", $"The receipt has another root for {shown.Size} entries than this agent has seen: the log has two histories. Keep it, it is evidence.");
        Refuse.Unless(finding != WitnessFinding.Conflict && (finding != WitnessFinding.Inconsistent || goesOn is not null), "unproven", $"The receipt is of {shown.Size} entries: with it has to come that they go on from the {before.Size} that this agent has seen.");
        Refuse.Unless(finding == WitnessFinding.Consistent, "inconsistent", $"The {shown.Size} entries of the receipt do not go on from the {before.Size} that this agent has seen.");
        return (shown, shown.Size == before.Size ? seen : seen.With(LogName, new SeenLog(Signed(note, shown.Origin, signers).ToString(), now)));
    }

    // Without the words of others, of which a receipt may have more than a witness can send as evidence.
    private static SignedNote Signed(SignedNote note, string origin, IReadOnlyList<ReadOnlyMemory<byte>> signers) => new(note.Text, [.. signers.Select(signer =>
    {
        using var key = NoteKey.From(origin, NoteKeyType.Ed25519, signer.Span);
        return note.Signatures.First(key.Owns);
    })]);

    private static (string Approver, DateTimeOffset Expiry) Judge(ProvenEntry entry, WantedAction wanted, DateTimeOffset now)
    {
        Refuse.Unless(entry.Log == LogName && entry.ClusterId == wanted.ClusterId, "cluster", $"The entry is of another cluster than {wanted.ClusterId}.");
        Refuse.Unless(entry.Type == wanted.Type, "type", $"The entry is no {wanted.Type}.");
        Refuse.Unless(entry.Target.Type == wanted.TargetType && entry.Target.Id == wanted.TargetId, "target", $"The entry is about something else than {wanted.TargetType} {wanted.TargetId}.");
        Refuse.Unless(entry.Outcome == "success" && entry.Receipt == "required", "outcome", "The entry tells of something that was refused, or of nothing that waits for a receipt.");
        Refuse.Unless(entry.Actor is { Kind: "staff" or "customerUser", Mfa: true }, "mfa", "Who acts is no person with a second factor.");
        var approver = entry.Approver();
        Refuse.Unless(IsPerson(entry.Actor.Id) && IsPerson(approver) && approver != entry.Actor.Id, "approval", "Nobody but who acts has approved it, or one of both is no person.");
        var expiry = entry.Expiry();
        Refuse.Unless(expiry > now, "expired", expiry is null ? "The entry does not say until when it holds." : $"The approval held until {expiry:yyyy-MM-dd HH:mm:ss}Z.");
        Refuse.Unless(expiry - (entry.RecordedAt < now ? entry.RecordedAt : now) <= wanted.Longest, "expired", $"The approval holds for longer than {wanted.Longest.TotalHours} hours.");
        return (approver!, expiry!.Value);
    }

    // Written in one way alone, so that nobody is two.
    private static bool IsPerson(string? subject) => subject is { Length: 39 } && subject.StartsWith("person:", StringComparison.Ordinal) && subject.Skip(7).All(char.IsAsciiHexDigitLower);

    private static class Refuse
    {
        public static void Unless(bool holds, string reason, string otherwise)
        {
            if (!holds)
            {
                throw new ReceiptRefusedException(reason, otherwise);
            }
        }
    }
}
