using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Tasks;

namespace MissionControl.Platform.Messaging;

/// <summary>Tries many parked messages of a consumer again, the oldest first.</summary>
internal sealed class RetryParkedMessages(string module, HandlerRegistry handlers, HandlerRunner runner) : TaskAction(KindName, module, "system:write")
{
    public const string KindName = "retry-parked-messages";

    public override async Task<Func<CancellationToken, Task<string?>>> PrepareAsync(IServiceProvider scope, LongTask task, LongTaskItem item, CancellationToken cancellationToken)
    {
        var id = Guid.Parse(item.Target);
        if (await scope.GetRequiredService<ControlPlaneDbContext>().ParkedMessages(Module).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } row)
        {
            // Its own next try was faster: it is applied, which is what was wanted.
            return _ => Task.FromResult<string?>(null);
        }

        if (handlers.Bindings.FirstOrDefault(binding => binding.Name == row.Consumer) is not { } binding)
        {
            return _ => Task.FromResult<string?>($"This version has no consumer '{row.Consumer}'; the message stays until one has.");
        }

        if (row.State == ParkedState.GivenUp)
        {
            return _ => Task.FromResult<string?>("Somebody gave it up meanwhile.");
        }

        var write = await runner.PrepareRetryAsync(scope, binding, row, cancellationToken);
        return async token =>
        {
            if (!await write(token))
            {
                return "Another try applied it, or somebody gave it up, a moment ago.";
            }

            scope.GetRequiredService<IEvents>().Audit(Fact(task, item, AuditOutcome.Success));
            return null;
        };
    }

    public override async Task FailedAsync(IServiceProvider scope, LongTask task, LongTaskItem item, Exception exception, CancellationToken cancellationToken)
    {
        var id = Guid.Parse(item.Target);
        scope.GetRequiredService<IEvents>().Audit(Fact(task, item, AuditOutcome.Failed));
        if (await scope.GetRequiredService<ControlPlaneDbContext>().ParkedMessages(Module).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } row)
        {
            runner.Failed(row, exception);
        }
    }

    private AuditFact Fact(LongTask task, LongTaskItem item, AuditOutcome outcome) =>
        new($"{Module}.parked-message-retried", AuditLog.Operator, "parkedMessage", item.Target) { Actor = ActorOf(task), Outcome = outcome, Reason = task.Reason, Changes = [Change.Add("/task", task.Id)] };
}
