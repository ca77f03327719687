using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace MissionControl.Testing;

/// <summary>
/// A real PostgreSQL server for tests, on loopback and a free port, with a data directory of its own and fsync on. It can be stopped,
/// killed and started again, and ends with this process however this process ends. <c>MC_TEST_POSTGRES</c>, the connection string of
/// a superuser, gives a server instead; that one is never stopped.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string GivenBy = "MC_TEST_POSTGRES";

    // The guard is the server's parent, which takes note of its end (in a container nobody else may), and holds the other end of a
    // pipe: a line means that the server was ended from here, the end of the pipe that this process is gone, so that no server and no
    // data directory outlives a test run that was killed.
    private const string Guard = """
        trap '' INT TERM
        ( setsid "$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 -c shared_buffers=64MB </dev/null >>"$2/log" 2>&1; echo ended ) &
        if read -r _; then wait; exit 0; fi
        "$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1
        wait
        rm -rf "$2"
        """;

    private readonly NpgsqlConnectionStringBuilder administrator;
    private readonly string? directory;
    private Process? guard;

    private PostgresServer(NpgsqlConnectionStringBuilder administrator, string? directory)
    {
        this.administrator = administrator;
        this.directory = directory;
    }

    /// <summary>Whether this server was started here and may be stopped and killed.</summary>
    public bool IsOwn => directory is not null;

    /// <summary>The port on which it listens.</summary>
    public int Port => administrator.Port;

    private string DataDirectory => Path.Combine(directory ?? throw new InvalidOperationException($"The server is given by {GivenBy}; it is not stopped or started from here."), "data");

    /// <summary>Where it keeps what is in its tables, as a disk of its own that a test can fill; null when it was given no such disk.</summary>
    public string? SmallDisk { get; private init; }

    /// <summary>Takes the given server, or makes one from Debian's package and starts it.</summary>
    /// <param name="megabytes">Gives it a disk of this size, where this machine lets us mount one. The log before writing lies elsewhere, as it should: each commit is synced to a real disk.</param>
    public static async Task<PostgresServer> StartNewAsync(int? megabytes = null)
    {
        if (Environment.GetEnvironmentVariable(GivenBy) is { Length: > 0 } given)
        {
            return new PostgresServer(new NpgsqlConnectionStringBuilder(given), null);
        }

        var directory = Directory.CreateTempSubdirectory("mc-postgres-").FullName;
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        await File.WriteAllTextAsync(Path.Combine(directory, "password"), password);
        var data = Directory.CreateDirectory(Path.Combine(directory, "data")).FullName;
        var isSmall = megabytes is not null && IsRoot && await MountAsync(data, megabytes.Value);
        if (IsRoot)
        {
            await RunAsync("chown", "-R", "postgres", directory);
        }

        // --no-sync concerns the making of the directory alone; the server itself syncs every commit.
        await RunAsServerAsync(Program("initdb"), "-D", data, "--waldir", Path.Combine(directory, "wal"), "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "--pwfile", Path.Combine(directory, "password"), "--no-sync");
        var server = new PostgresServer(
            new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Ports.Free(), Username = "postgres", Password = password, Database = "postgres" }, directory) { SmallDisk = isSmall ? data : null };
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again, on the same port and data: after a kill this includes the recovery from the log.</summary>
    public async Task StartAsync()
    {
        var files = Path.GetDirectoryName(DataDirectory)!;
        guard = Start(AsServer("sh", "-c", Guard, "sh", BinaryDirectory, files, Port.ToString(CultureInfo.InvariantCulture)), redirectInput: true);
        var ended = guard.StandardOutput.ReadLineAsync();
        await Eventually.TrueAsync(async () =>
        {
            if (ended.IsCompleted)
            {
                throw new InvalidOperationException($"PostgreSQL ended at its start:\n{string.Join('\n', (await File.ReadAllLinesAsync(Path.Combine(files, "log"))).TakeLast(20))}");
            }

            try
            {
                await ExecuteAsync(administrator.Database!, "SELECT 1");
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }, "PostgreSQL answers", TimeSpan.FromMinutes(2));
    }

    /// <summary>Stops it as an administrator does (fast: sessions are ended, everything is written).</summary>
    public async Task StopAsync()
    {
        await RunAsServerAsync(Program("pg_ctl"), "-D", DataDirectory, "-m", "fast", "-w", "stop");
        await ReleaseGuardAsync();
    }

    /// <summary>Ends it as a power cut does: kill -9 of the server and of each of its processes. Start recovers it.</summary>
    public async Task KillAsync()
    {
        var parent = int.Parse((await File.ReadAllLinesAsync(Path.Combine(DataDirectory, "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        var children = Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Where(pid => ParentOf(pid!) == parent).ToList();
        await RunAsync("kill", ["-9", parent.ToString(CultureInfo.InvariantCulture)]);
        foreach (var child in children)
        {
            // It may be gone already, of itself or because its server is.
            using var ended = Start(["kill", "-9", child!]);
            await ended.WaitForExitAsync();
        }

        await ReleaseGuardAsync();
        await Eventually.TrueAsync(() => children.Append(parent.ToString(CultureInfo.InvariantCulture)).All(pid => ParentOf(pid!) is null), "every process of the killed server is gone");
    }

    /// <summary>How to reach a database as the superuser, or as somebody else.</summary>
    public string ConnectionString(string database, string? user = null, string? password = null) =>
        new NpgsqlConnectionStringBuilder(administrator.ConnectionString) { Database = database, Username = user ?? administrator.Username, Password = password ?? administrator.Password }.ConnectionString;

    /// <summary>Makes an empty database with a name of its own, whose collation is a language's: what must compare by code points has to say so.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"mc_{Guid.CreateVersion7():N}";
        await ExecuteAsync(administrator.Database!, $"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
        return name;
    }

    /// <summary>Runs SQL as the superuser.</summary>
    public async Task ExecuteAsync(string database, string sql)
    {
        // Without a pool no idle connection stands in the way of dropping the database, or of a kill.
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionString(database)) { Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (guard is null)
        {
            return;
        }

        guard.StandardInput.Close();
        await guard.WaitForExitAsync();
        guard.Dispose();
        guard = null;
        if (SmallDisk is not null)
        {
            await RunAsync("umount", SmallDisk);
            Directory.Delete(directory!, recursive: true);
        }
    }

    private static async Task<bool> MountAsync(string target, int megabytes)
    {
        using var mount = Start(["mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", target]);
        await mount.WaitForExitAsync();
        return mount.ExitCode == 0;
    }

    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>The newest installed version below Debian's directory, or the one on the path of commands.</summary>
    private static string BinaryDirectory
    {
        get
        {
            const string debian = "/usr/lib/postgresql";
            return Directory.Exists(debian)
                ? Directory.GetDirectories(debian).Select(version => Path.Combine(version, "bin")).Where(bin => File.Exists(Path.Combine(bin, "initdb"))).MaxBy(bin => bin, StringComparer.Ordinal)
                    ?? throw new InvalidOperationException($"PostgreSQL's server is not below {debian}: apt-get install postgresql, or set {GivenBy}.")
                : throw new InvalidOperationException($"PostgreSQL is not installed: apt-get install postgresql, or set {GivenBy}.");
        }
    }

    private async Task ReleaseGuardAsync()
    {
        var released = guard ?? throw new InvalidOperationException("The server does not run.");
        guard = null;
        await released.StandardInput.WriteLineAsync("leave");
        released.StandardInput.Close();
        await released.WaitForExitAsync();
        released.Dispose();
    }

    /// <summary>The parent of a process; null when it is gone or only waits for its parent to take note.</summary>
    private static int? ParentOf(string pid)
    {
        try
        {
            var fields = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields[0] is "Z" or "X" ? null : int.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Program(string name) => Path.Combine(BinaryDirectory, name);

    /// <summary>PostgreSQL refuses to run as root; then it runs as the user of its package.</summary>
    private static string[] AsServer(params string[] command) => IsRoot ? ["runuser", "-u", "postgres", "--", .. command] : command;

    private static Task RunAsServerAsync(params string[] command)
    {
        var all = AsServer(command);
        return RunAsync(all[0], all[1..]);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Start([program, .. arguments]);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output}{await errors}");
        }
    }

    private static Process Start(string[] command, bool redirectInput = false)
    {
        // A directory that the server's user may not enter would make its programs complain.
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = redirectInput, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        return Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start.");
    }
}
