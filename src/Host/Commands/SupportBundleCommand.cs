using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using MissionControl.Host.Support;
using MissionControl.Platform.Modules;
using MissionControl.Storage.Sqlite;
using MissionControl.Trust;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol admin support-bundle</c>: one file for whoever is asked for help. Reads beside what runs, and writes nothing else.</summary>
internal static class SupportBundleCommand
{
    /// <summary>Exit code of a bundle that lacks something that was wanted.</summary>
    private const int Incomplete = 1;

    private const int MostLogs = 16;
    private const int MostOfHealth = 64 * 1024;
    private const string HealthFile = "health.json";
    private static readonly TimeSpan PatienceWithHealth = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var options = new CommonOptions();
        var target = new Option<FileInfo?>("--out") { Description = "The bundle to write; must not exist. Default: missioncontrol-support-<time>.zip, here." };
        var logs = new Option<FileInfo[]>("--logs") { Description = $"Log files whose ends belong to it, at most {MostLogs}.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var output = new Option<string>("--output") { Description = "text, or json for programs.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var command = new Command("support-bundle", "Put what whoever helps you wants to see into one file, without secrets, while Mission Control runs. Exit code 0 complete, 1 made, but something is not in it, 2 not made. Example: missioncontrol admin support-bundle --data /var/lib/missioncontrol --logs /var/log/missioncontrol.log") { target, logs, output };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (settings, now) = (options.Read(parsed), TimeProvider.System.GetUtcNow());
            var file = parsed.GetValue(target) ?? new FileInfo($"missioncontrol-support-{now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.zip");
            var operations = parsed.GetResult(options.Operations) is { Implicit: false } ? settings.Operations : null;
            try
            {
                var manifest = await MakeAsync(settings, operations, file, parsed.GetValue(logs)!, now, cancellationToken);
                await parsed.InvocationConfiguration.Output.WriteLineAsync(parsed.GetValue(output) == "json" ? Json(file, manifest) : Text(file, manifest));
                return manifest.LeftOut.Any(one => one.Failed) ? Incomplete : 0;
            }
            catch (Exception refusal) when (refusal is InvalidOperationException or IOException or UnauthorizedAccessException or ArgumentException or InvalidDataException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal is InvalidDataException ? $"{refusal.Message} {refusal.GetBaseException().Message}" : refusal.Message);
                return 2;
            }
        });
        return command;
    }

    private static async Task<BundleManifest> MakeAsync(HostSettings settings, Uri? operations, FileInfo file, FileInfo[] logs, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // A link that leads nowhere does not exist, either.
        if (file.Exists || file.LinkTarget is not null || Directory.Exists(file.FullName))
        {
            throw new InvalidOperationException(Exists(file));
        }

        if (file.Directory is { Exists: false })
        {
            throw new InvalidOperationException($"There is no directory {file.Directory} to write to.");
        }

        if (logs.Length > MostLogs)
        {
            throw new InvalidOperationException($"{logs.Length} log files; name at most {MostLogs}, the newest.");
        }

        if (!Directory.Exists(settings.Data))
        {
            throw new InvalidOperationException($"There is no directory {Path.GetFullPath(settings.Data)}. Name with --data the one that Mission Control runs on.");
        }

        var configuration = new ConfigurationManager();
        ControlPlaneHost.AddConfiguration(configuration, settings);
        var errors = new List<string>();
        var shape = Shape.Read(configuration, errors);
        var sqlite = Path.Combine(Path.GetFullPath(settings.Data), SqliteStorage.FileName);
        if (shape.Provider == "sqlite" && !File.Exists(sqlite))
        {
            throw new InvalidOperationException($"There is no database {sqlite}. Name with --data the directory that Mission Control runs on, or with --config the file that says where its database is.");
        }

        using var zip = new MemoryStream();
        using var bundle = new SupportBundle(zip, new SupportMask(ConfigurationReport.Secrets(settings, configuration, shape)), now);
        await FillAsync(bundle, settings, configuration, shape, errors, sqlite, now, cancellationToken);
        await AddHealthAsync(bundle, operations, cancellationToken);
        foreach (var log in logs)
        {
            bundle.AddLog(log.FullName);
        }

        var manifest = bundle.Finish();
        return OnceFile.TryWrite(file.FullName, zip.GetBuffer().AsSpan(0, (int)zip.Length)) ? manifest : throw new InvalidOperationException(Exists(file));
    }

    private static string Exists(FileInfo file) => $"{file} exists already; a support bundle never overwrites anything.";

    private static async Task FillAsync(SupportBundle bundle, HostSettings settings, IConfiguration configuration, Shape shape, List<string> errors, string sqlite, DateTimeOffset now, CancellationToken cancellationToken)
    {
        (object? Engine, object Report)? database = null;
        try
        {
            // What is wrong with the broker's settings hides no database.
            database = shape.Provider == "sqlite" || (shape.Provider is "postgresql" or "sqlserver" && shape.ConnectionString.Length > 0) ? await DatabaseReport.ReadAsync(shape, sqlite, now, cancellationToken) : throw new InvalidOperationException(string.Join(' ', errors));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // It is away, or is none: drivers say that in exceptions of many kinds, and this is the night on which a bundle is needed.
            bundle.LeaveOut("database.json", $"The database could not be read: {exception.GetType().Name}: {exception.Message} {exception.InnerException?.Message}".TrimEnd(), failed: true);
        }

        bundle.AddJson("about.json", new
        {
            Product = "missioncontrol", Version = typeof(IModule).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion, MadeAt = now,
            Shape = shape.IsDistributed ? "distributed" : "embedded", Database = database?.Engine, System = RuntimeInformation.OSDescription, Runtime = RuntimeInformation.FrameworkDescription,
            Architecture = RuntimeInformation.ProcessArchitecture.ToString(), Cores = Environment.ProcessorCount, MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            DataDirectory = Disk(settings.Data), DatabaseFileBytes = SizeOf(sqlite), DatabaseLogBytes = SizeOf(sqlite + "-wal"),
        });
        bundle.AddJson("configuration.json", ConfigurationReport.Of(settings, configuration, shape, await VerifyConfigCommand.MistakesAsync(settings, cancellationToken)));
        if (database is not null)
        {
            bundle.AddJson("database.json", database.Value.Report);
        }
    }

    private static async Task AddHealthAsync(SupportBundle bundle, Uri? operations, CancellationToken cancellationToken)
    {
        if (operations is null)
        {
            bundle.LeaveOut(HealthFile, "Name with --ops where the running process answers for its health.", failed: false);
            return;
        }

        try
        {
            using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
            using var http = new HttpClient(handler) { Timeout = PatienceWithHealth, MaxResponseContentBufferSize = MostOfHealth };
            using var answer = await http.GetAsync(new Uri(operations, "/health/ready"), cancellationToken);
            var said = await answer.Content.ReadAsStringAsync(cancellationToken);
            bundle.AddJson(HealthFile, new { Status = (int)answer.StatusCode, Ready = answer.Content.Headers.ContentType?.MediaType == "application/json" ? JsonSerializer.Deserialize<JsonElement>(said) : (object)said });
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or JsonException && !cancellationToken.IsCancellationRequested)
        {
            bundle.LeaveOut(HealthFile, exception.Message, failed: true);
        }
    }

    private static object? Disk(string directory)
    {
        try
        {
            var drive = new DriveInfo(Path.GetFullPath(directory));
            return new { Bytes = drive.TotalSize, FreeBytes = drive.AvailableFreeSpace };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static long? SizeOf(string file) => File.Exists(file) ? new FileInfo(file).Length : null;

    private static string Json(FileInfo file, BundleManifest manifest) => JsonSerializer.Serialize(new { manifest.Version, File = file.FullName, manifest.MadeAt, manifest.Files, manifest.LeftOut }, SupportBundle.Json);

    private static string Text(FileInfo file, BundleManifest manifest) => string.Join(Environment.NewLine, [
        $"Wrote {file.FullName}, which only its owner can read. In it:",
        .. manifest.Files.Select(one => string.Create(CultureInfo.InvariantCulture, $"  {one.Name}: {one.Size} bytes{(one.Tokens + one.Others > 0 ? $"; cut out of it: {one.Tokens} tokens, {one.Others} other texts" : "")}")),
        .. manifest.LeftOut.Count > 0 ? ["Not in it:"] : Array.Empty<string>(),
        .. manifest.LeftOut.Select(one => $"  {one.What}: {one.Why}"),
        "Never in it: keys, certificates, passwords and other secrets, and what stands in the rows of the database. Read it before you hand it on: logs may name people and machines.",
    ]);
}
