using System.CommandLine;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol migrate</c>.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var options = new CommonOptions();
        var command = new Command("migrate", "Bring the database's schema and the broker's queues up to date and end. Embedded installations do this at every start.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var app = ControlPlaneHost.Build(options.Read(parsed) with { Serves = false });
            using var claim = EmbeddedClaim.Take(app.Services, out var refusal);
            if (refusal is not null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal);
                return 2;
            }

            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await db.Dialect.MigrateAsync(db, cancellationToken);
            await db.Dialect.EnforceAppendOnlyAsync(db, cancellationToken);
            if (app.Services.GetRequiredService<Shape>().RabbitMq is { } rabbitMq)
            {
                await RabbitMqTopology.DeclareAsync(rabbitMq, app.Services.GetRequiredService<ModuleCatalog>(), cancellationToken);
            }

            await parsed.InvocationConfiguration.Output.WriteLineAsync("The schema and the queues are up to date.");
            return 0;
        });
        return command;
    }
}
