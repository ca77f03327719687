using MassTransit;
using MassTransit.Mediator;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using MessageContext = MissionControl.Platform.Messaging.MessageContext;
using MessageHeaders = MissionControl.Platform.Messaging.MessageHeaders;

namespace MissionControl.Platform.Tests;

/// <summary>
/// A role that does something only once it is proven to stand in the audit log: it keeps in a row of its own that it waits, and until when.
/// What came in time is granted; what did not is refused, for good.
/// </summary>
internal sealed class ProofAsked(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<ReceiptIssued>
{
    public const string Waiting = "waiting";
    public const string Granted = "granted";
    public const string Refused = "refused";
    private const string Module = "remoteaccess";
    private const string Kind = "proof-asked";

    public async Task HandleAsync(ReceiptIssued message, MessageContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await db.Projections(Module).Where(row => row.Kind == Kind && row.Id == message.Key && row.Body == Waiting && row.Version >= now).ExecuteUpdateAsync(set => set.SetProperty(row => row.Body, Granted), cancellationToken);
    }

    /// <summary>Lets the role of a host take receipts; what comes is kept to be looked at, too.</summary>
    public static void Connect(ControlPlane host, Action<ReceiptIssued> came)
    {
        var handlers = new HandlerRegistry { Module = Module };
        handlers.Add<ReceiptIssued, ProofAsked>("remoteaccess.take-receipt");
        host.Services.GetRequiredService<IMediator>().ConnectHandler<ReceiptIssued>(async consumed =>
        {
            came(consumed.Message);
            await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(handlers.Bindings[0], consumed.Message, MessageHeaders.Read(consumed), consumed.CancellationToken);
        });
    }

    /// <summary>Tells the audit log what is to be done, and waits so long.</summary>
    public static Task AskAsync(ControlPlane host, AuditFact fact, TimeSpan wait) => InModuleAsync(host, async (scope, db) =>
    {
        scope.GetRequiredService<IEvents>().Audit(fact);
        db.Projections(Module).Add(new Projection { Kind = Kind, Id = fact.Receipt!.Value.ToString("N"), Version = (host.Time.GetUtcNow() + wait).ToUnixTimeMilliseconds(), Body = Waiting });
        await db.SaveChangesAsync();
        return true;
    });

    /// <summary>What became of it, now.</summary>
    public static Task<string> StateAsync(ControlPlane host, Guid asked) => InModuleAsync(host, async (_, db) =>
    {
        var (id, now) = (asked.ToString("N"), host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        await using var transaction = await db.BeginWriteAsync();
        await db.Projections(Module).Where(row => row.Kind == Kind && row.Body == Waiting && row.Version < now).ExecuteUpdateAsync(set => set.SetProperty(row => row.Body, Refused));
        await transaction.CommitAsync();
        return await db.Projections(Module).Where(row => row.Kind == Kind && row.Id == id).Select(row => row.Body).SingleAsync();
    });

    private static async Task<T> InModuleAsync<T>(ControlPlane host, Func<IServiceProvider, ControlPlaneDbContext, Task<T>> act)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(Module);
        return await act(scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}
