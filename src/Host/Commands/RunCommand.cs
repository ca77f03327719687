using System.CommandLine;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol run</c>.</summary>
internal static class RunCommand
{
    /// <summary>Exit code of a process that stopped because a part of it failed; <c>EX_SOFTWARE</c> of sysexits.h.</summary>
    private const int Broken = 70;

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

                // When the stop begins a part that has ended already is its cause; the others are told to end only then.
                string? failed = null;
                app.Lifetime.ApplicationStopping.Register(() => failed = Failed(app.Services));
                await app.RunAsync(cancellationToken);
                if (failed is not null)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(failed);
                    return Broken;
                }
            }

            // Whoever stopped it for a reason has said which, so that a supervisor starts it again or lets it be.
            return Environment.ExitCode;
        });
        return command;
    }

    /// <summary>
    /// What stops the process because it failed, in a sentence; null when it was asked to stop. The framework ends the host when work in
    /// the background throws, and calls that a success: a supervisor would let it be. A time-out shows as a task that was cancelled.
    /// </summary>
    internal static string? Failed(IServiceProvider services) => services.GetServices<IHostedService>().OfType<BackgroundService>()
        .Where(service => service.ExecuteTask is { IsFaulted: true } or { IsCanceled: true })
        .Select(service => $"{service.GetType().FullName} failed, so this process has stopped: {service.ExecuteTask!.Exception?.GetBaseException().Message ?? "it was cancelled."}").FirstOrDefault();

    /// <summary>All at once, and before anything is put together: a part that finds no key makes one.</summary>
    private static string Mistakes(HostSettings settings)
    {
        var configuration = new ConfigurationManager();
        ControlPlaneHost.AddConfiguration(configuration, settings);
        return string.Join(Environment.NewLine, settings.Errors(configuration).Concat(InstallationKeys.MissingFiles(settings, configuration, TimeProvider.System.GetUtcNow())));
    }
}
