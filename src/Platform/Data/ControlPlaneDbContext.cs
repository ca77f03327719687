using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Data;

/// <summary>
/// The one database context: it owns the model, the migrations and ordinary use cases. Hot paths run prepared or bulk SQL
/// through <see cref="Dialect"/> on its connection and transaction instead of tracking an entity per item.
/// </summary>
public sealed class ControlPlaneDbContext(DbContextOptions<ControlPlaneDbContext> options, ModuleCatalog modules, IDatabaseDialect dialect, CustomerScope scope)
    : DbContext(options)
{
    private const string Savepoint = "facts";

    /// <summary>Whose rows queries may see.</summary>
    public CustomerScope Scope { get; } = scope;

    /// <summary>What differs between the engines.</summary>
    public IDatabaseDialect Dialect { get; } = dialect;

    /// <summary>What is told with the next save: audit entries are numbered in its transaction, in front of its rows.</summary>
    internal ScopedEvents? Events { get; set; }

    /// <summary>Called after the outermost commit: whoever waits for what was written is woken here, as the outbox's dispatcher is.</summary>
    public Action? AfterCommit { get; set; }

    /// <summary>
    /// Opens a write transaction. On SQLite it waits for the in-process writer gate first, so that no writer ever meets
    /// <c>SQLITE_BUSY</c>; do nothing foreign (network, other databases) while it is open.
    /// </summary>
    /// <exception cref="InvalidOperationException">One is already open on this context.</exception>
    public async Task<WriteTransaction> BeginWriteAsync(WritePriority priority = WritePriority.Normal, CancellationToken cancellationToken = default)
    {
        if (Database.CurrentTransaction is not null)
        {
            throw new InvalidOperationException("A write transaction is already open on this context.");
        }

        var gate = await Dialect.EnterWriteAsync(this, priority, cancellationToken);
        try
        {
            var transaction = await Database.BeginTransactionAsync(cancellationToken);
            return new WriteTransaction(this, transaction, gate);
        }
        catch
        {
            gate.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens a transaction that only reads, and sees one moment: for an answer that is put together from several queries and must agree
    /// with itself. It keeps nobody from writing.
    /// </summary>
    public Task<IDbContextTransaction> BeginSnapshotAsync(CancellationToken cancellationToken) => Database.BeginTransactionAsync(Dialect.SnapshotLevel, cancellationToken);

    /// <summary>Joins the open write transaction, as a request with an Idempotency-Key has one, or opens one: whoever opened it commits it.</summary>
    public async Task<JoinedWrite> JoinWriteAsync(CancellationToken cancellationToken) =>
        new(Database.CurrentTransaction is null ? await BeginWriteAsync(cancellationToken: cancellationToken) : null);

    /// <summary>Saves within the open write transaction, or within one of its own.</summary>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        await using var transaction = await JoinWriteAsync(cancellationToken);
        var written = Events is { HasFacts: true } ? await SaveWithFactsAsync(Events, transaction.IsForeign, acceptAllChangesOnSuccess, cancellationToken) : await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return written;
    }

    /// <summary>Not offered: writes are asynchronous, so that a waiting writer holds no thread.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override int SaveChanges(bool acceptAllChangesOnSuccess) => throw new NotSupportedException("Use SaveChangesAsync.");

    /// <summary>The open connection of this context, for prepared SQL.</summary>
    public async Task<DbConnection> OpenConnectionAsync(CancellationToken cancellationToken)
    {
        var connection = Database.GetDbConnection();
        if (connection.State != ConnectionState.Open)
        {
            await Database.OpenConnectionAsync(cancellationToken);
        }

        return connection;
    }

    /// <summary>The current transaction, for prepared SQL that only reads; null when none is open.</summary>
    public DbTransaction? CurrentTransaction => Database.CurrentTransaction?.GetDbTransaction();

    /// <summary>The current transaction, for prepared SQL that writes.</summary>
    /// <exception cref="InvalidOperationException">No write transaction is open.</exception>
    public DbTransaction RequireTransaction() =>
        CurrentTransaction ?? throw new InvalidOperationException("Bulk writes need an open write transaction: call BeginWriteAsync first.");

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        foreach (var module in modules.All)
        {
            module.ConfigureModel(modelBuilder);
            ModuleTablesModel.Configure(modelBuilder, module.Name);
        }

        ModelConventions.Apply(modelBuilder, this);
    }

    // Whoever opened the transaction may go on in it after a save that failed: the numbers that were given for that save go back with it.
    private async Task<int> SaveWithFactsAsync(ScopedEvents events, bool isForeign, bool acceptAllChangesOnSuccess, CancellationToken cancellationToken)
    {
        var transaction = Database.CurrentTransaction!;
        if (isForeign)
        {
            await transaction.CreateSavepointAsync(Savepoint, cancellationToken);
        }

        try
        {
            await events.WriteFactsAsync(cancellationToken);
            var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
            events.Saved();
            return written;
        }
        catch
        {
            if (isForeign)
            {
                try
                {
                    await transaction.RollbackToSavepointAsync(Savepoint, CancellationToken.None);
                }
                catch (Exception exception) when (exception is DbException or InvalidOperationException)
                {
                    // The transaction is gone, and everything with it.
                }
            }

            throw;
        }
    }
}

/// <summary>An open write transaction and, on SQLite, the writer gate it holds. Disposing without a commit rolls back.</summary>
public sealed class WriteTransaction : IAsyncDisposable
{
    private readonly ControlPlaneDbContext context;
    private readonly IDbContextTransaction transaction;
    private readonly IDisposable gate;

    internal WriteTransaction(ControlPlaneDbContext context, IDbContextTransaction transaction, IDisposable gate)
    {
        this.context = context;
        this.transaction = transaction;
        this.gate = gate;
    }

    /// <summary>Commits durably; only after this returns may anything be acknowledged.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        await transaction.CommitAsync(cancellationToken);
        context.AfterCommit?.Invoke();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            await transaction.DisposeAsync();
        }
        finally
        {
            gate.Dispose();
        }
    }
}
