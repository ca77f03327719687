namespace MissionControl.Platform.Data;

/// <summary>A write transaction that was opened here, or one that was open already and is committed by whoever opened it.</summary>
public sealed class JoinedWrite : IAsyncDisposable
{
    private readonly WriteTransaction? own;

    internal JoinedWrite(WriteTransaction? own) => this.own = own;

    /// <summary>Whether somebody else opened it, and decides how it ends.</summary>
    internal bool IsForeign => own is null;

    /// <summary>Commits it, if it was opened here.</summary>
    public Task CommitAsync(CancellationToken cancellationToken) => own?.CommitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Rolls back what was opened here and not committed.</summary>
    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;
}
