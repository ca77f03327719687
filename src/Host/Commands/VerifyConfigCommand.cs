using System.CommandLine;
using System.Text.Json;
using MissionControl.Catalog;
using MissionControl.Platform.Retention;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol verify-config</c>.</summary>
internal static class VerifyConfigCommand
{
    public static Command Create()
    {
        var options = new CommonOptions();
        var command = new Command("verify-config", "Check options, configuration file and, in the distributed shape, keys and certificates without starting anything; every mistake is named. Exit code 0 good, 2 not.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var errors = await MistakesAsync(options.Read(parsed), cancellationToken);
            foreach (var error in errors)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(error);
            }

            return errors.Count == 0 ? 0 : 2;
        });
        return command;
    }

    /// <summary>Everything that is wrong, each in a sentence.</summary>
    public static async Task<IReadOnlyList<string>> MistakesAsync(HostSettings settings, CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        try
        {
            var configuration = new ConfigurationManager();
            ControlPlaneHost.AddConfiguration(configuration, settings);
            errors.AddRange(settings.Errors(configuration));
            errors.AddRange(InstallationKeys.MissingFiles(settings, configuration, TimeProvider.System.GetUtcNow()));
            if (settings.ConfigFile is not null)
            {
                await using var file = File.OpenRead(settings.ConfigFile);
                using var document = await JsonDocument.ParseAsync(file, cancellationToken: cancellationToken);
                errors.AddRange(ConfigurationKeys.Unknown(document.RootElement));
                RetentionTable.Of(ModuleList.All, new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(settings.ConfigFile)).Build(), out var mistakes);
                errors.AddRange(mistakes);
            }
        }
        catch (Exception exception) when (exception is IOException or JsonException or InvalidOperationException or UnauthorizedAccessException)
        {
            errors.Add(exception.Message);
        }
        catch (InvalidDataException exception)
        {
            // The framework says which file, and only what lies behind it where and why.
            errors.Add($"{exception.Message} {exception.GetBaseException().Message}");
        }

        return errors;
    }
}
