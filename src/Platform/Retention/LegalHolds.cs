using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Retention;

/// <summary>Which customers are under a legal hold, as licensing says; every role that purges keeps its own copy.</summary>
internal static class LegalHolds
{
    public const string Kind = "legal-hold";

    /// <summary>The role's handler, when it purges anything that belongs to customers.</summary>
    public static void AddRetentionHandlers(this HandlerRegistry handlers, IModule module)
    {
        if (RetentionTable.Of([module], null, out _).Classes.Any(one => one.IsOfCustomers))
        {
            handlers.Add<LegalHoldChanged, KeepLegalHold>($"{module.Name}.keep-legal-hold");
        }
    }

    public static async Task<IReadOnlyCollection<Guid>> ReadAsync(ControlPlaneDbContext db, string module, CancellationToken cancellationToken)
    {
        var bodies = await db.Projections(module).AsNoTracking().Where(row => row.Kind == Kind).Select(row => row.Body).ToListAsync(cancellationToken);
        return [.. bodies.Select(body => JsonSerializer.Deserialize<LegalHoldChanged>(body, MessageJson.Options)!).Where(hold => hold.Held).Select(hold => hold.CustomerId)];
    }
}

/// <summary>Keeps the newest of what licensing says of a customer's legal hold.</summary>
internal sealed class KeepLegalHold(ControlPlaneDbContext db, ModuleScope module) : IMessageHandler<LegalHoldChanged>
{
    public Task HandleAsync(LegalHoldChanged message, MessageContext context, CancellationToken cancellationToken) =>
        Projections.KeepAsync(db, module.Current, LegalHolds.Kind, message.Key, message, cancellationToken);
}
