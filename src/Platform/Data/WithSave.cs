namespace MissionControl.Platform.Data;

/// <summary>What is written with a save of a context, in its transaction and in front of its rows, and taken back when the save fails.</summary>
internal abstract class WithSave
{
    /// <summary>The savepoint to which a failed save goes back in a transaction that somebody else opened.</summary>
    public const string Savepoint = "with_save";

    /// <summary>Whether there is anything to write.</summary>
    public abstract bool IsWanted { get; }

    /// <summary>Writes it, and adds its rows to those of the save.</summary>
    public abstract Task WriteAsync(CancellationToken cancellationToken);

    /// <summary>The save succeeded.</summary>
    public abstract void Saved();

    /// <summary>The save failed: its rows are taken out of the context, and are wanted again.</summary>
    public abstract void TakeBack();
}
