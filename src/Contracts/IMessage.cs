using MassTransit;

namespace MissionControl.Contracts;

/// <summary>
/// What every message between roles carries besides its body. Order on the bus is not promised: a consumer that keeps
/// state per <see cref="Key"/> keeps the newest <see cref="Version"/>, or sets a message aside until its predecessor came.
/// </summary>
[ExcludeFromTopology]
public interface IMessage
{
    /// <summary>The thing the message is about, at most 100 characters; unique within the message's wire name.</summary>
    string Key { get; }

    /// <summary>Rises by at least one with every message of the same key; set by the sender.</summary>
    long Version { get; }
}

/// <summary>A message with a large binary part, which the outbox stores beside the JSON instead of inside it.</summary>
[ExcludeFromTopology]
public interface IAttachment
{
    /// <summary>The binary part; at most 1 MiB as written by intake.</summary>
    byte[] Attachment { get; init; }
}

/// <summary>A message whose consumers each want only some of its kinds; the broker leaves out what nobody there asked for.</summary>
[ExcludeFromTopology]
public interface IRouted
{
    /// <summary>The kind: one word, at most 40 characters.</summary>
    string Route { get; }
}
