using System.CommandLine;

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
            if (Mistakes(settings) is { Length: > 0 } mistakes)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(mistakes);
                return 2;
            }

            WebApplication app;
            try
            {
                app = ControlPlaneHost.Build(settings);
            }
            catch (ArgumentException mistake)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(mistake.Message);
                return 2;
            }

            await using (app)
            {
                using var claim = EmbeddedClaim.Take(app.Services, out var refusal);
                if (refusal is not null)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal);
                    return 2;
                }

                await app.RunAsync(cancellationToken);
            }

            // Whoever stopped it for a reason has said which, so that a supervisor starts it again or lets it be.
            return Environment.ExitCode;
        });
        return command;
    }

    /// <summary>All at once, and before anything is put together: a part that finds no key makes one.</summary>
    private static string Mistakes(HostSettings settings)
    {
        var configuration = new ConfigurationManager();
        ControlPlaneHost.AddConfiguration(configuration, settings);
        return string.Join(Environment.NewLine, settings.Errors(configuration).Concat(InstallationKeys.MissingFiles(settings, configuration, TimeProvider.System.GetUtcNow())));
    }
}
