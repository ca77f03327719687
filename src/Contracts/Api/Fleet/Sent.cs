using System.Text.Json;

namespace MissionControl.Contracts.Api.Fleet;

/// <summary>What fleet holds of what a cluster sent; its signed hours of usage are licensing's.</summary>
/// <param name="Classes">Health, inventory and events: how many are here, and for how long.</param>
/// <param name="Messages">The messages that are kept whole, of the classes asked for: the newest health and the present inventory.</param>
public sealed record SentDocument(IReadOnlyList<SentClass> Classes, IReadOnlyList<SentMessage> Messages);

/// <summary>A class of what a cluster sends.</summary>
/// <param name="Class">health, inventory or event.</param>
/// <param name="Kept">How many are here: of health and inventory the newest message only.</param>
/// <param name="Bytes">Size of what is kept whole; null where only fields are kept.</param>
/// <param name="NewestReceivedAt">When the newest arrived (UTC); null when none has come.</param>
/// <param name="KeptDays">For how many days what follows from them is kept: the numbers of health, the changes of an inventory, the events themselves.</param>
public sealed record SentClass(string Class, long Kept, long? Bytes, DateTimeOffset? NewestReceivedAt, int KeptDays);

/// <summary>A message as it arrived.</summary>
/// <param name="Class">health or inventory.</param>
/// <param name="Epoch">The epoch it was sent in.</param>
/// <param name="Sequence">Its number within the epoch.</param>
/// <param name="At">When the cluster made it, by its own clock (UTC).</param>
/// <param name="ReceivedAt">When it arrived (UTC).</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Digest of its bytes: the same number with other bytes would have been refused.</param>
/// <param name="Raw">base64 of its bytes (protobuf).</param>
/// <param name="Message">The same in protobuf's canonical JSON: what is absent was not sent.</param>
public sealed record SentMessage(string Class, long Epoch, long Sequence, DateTimeOffset At, DateTimeOffset ReceivedAt, long Bytes, string Sha256, string Raw, JsonElement Message);
