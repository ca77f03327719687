using System.CommandLine;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol run</c>.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var options = new CommonOptions();
        var command = new Command("run", "Run one role or all of them. Example: missioncontrol run --data /var/lib/missioncontrol");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = options.Read(parsed);
            WebApplication app;
            try
            {
                if (MissingKeys(settings) is { Length: > 0 } missing)
                {
                    throw new ArgumentException(missing);
                }

                app = ControlPlaneHost.Build(settings);
            }
            catch (ArgumentException refusal)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal.Message);
                return 2;
            }

            await using (app)
            {
                var embedded = !app.Services.GetRequiredService<Shape>().IsDistributed;
                var directory = app.Services.GetRequiredService<DataDirectory>();
                using var claim = embedded ? directory.TryClaim() : null;
                if (embedded && claim is null)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync($"Another process of Mission Control uses {directory.Root}. Stop it first, or give this one a directory of its own with --data.");
                    return 2;
                }

                await app.RunAsync(cancellationToken);
            }

            return 0;
        });
        return command;
    }

    /// <summary>Before anything is put together: a part that finds no key makes one.</summary>
    private static string MissingKeys(HostSettings settings)
    {
        var configuration = new ConfigurationManager();
        ControlPlaneHost.AddConfiguration(configuration, settings);
        return Shape.Read(configuration, []).IsDistributed
            ? string.Join(Environment.NewLine, new InstallationKeys(settings.Data, configuration).Missing(new ModuleCatalog(ModuleList.All, [.. settings.Roles]).Active.Select(module => module.Name), TimeProvider.System.GetUtcNow()))
            : "";
    }
}
