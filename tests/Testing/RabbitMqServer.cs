using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MissionControl.Testing;

/// <summary>A user of the broker and what it may touch, as regular expressions over names.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Configure">What it may declare.</param>
/// <param name="Write">Where it may publish, and bind a queue's end.</param>
/// <param name="Read">What it may consume, and bind an exchange's end.</param>
public sealed record RabbitMqUser(string Name, string Configure, string Write, string Read)
{
    /// <summary>A user that may do everything.</summary>
    public static RabbitMqUser Owner(string name) => new(name, ".*", ".*", ".*");
}

/// <summary>
/// A real RabbitMQ broker for tests, on loopback and free ports, with a data directory, an Erlang cookie and a port mapper of its own.
/// It can be stopped, killed and started again, and ends with this process however this process ends. <c>MC_TEST_RABBITMQ</c>, an
/// address with an administrator's user and password, gives a broker instead; that one is never stopped.
/// </summary>
public sealed class RabbitMqServer : IAsyncDisposable
{
    private const string GivenBy = "MC_TEST_RABBITMQ";
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private const string ControlProgram = "/usr/lib/rabbitmq/bin/rabbitmqctl";

    // As for PostgreSQL: the broker's parent holds the other end of a pipe, and the end of the pipe means that this process is gone.
    // The port mapper leaves the broker's group, and goes only once it has noticed that the broker is gone.
    private const string Guard = """
        trap '' INT TERM
        setsid "$1" </dev/null >>"$2/log" 2>&1 &
        server=$!
        ( wait $server; echo ended ) 2>/dev/null &
        if read -r _; then wait; exit 0; fi
        /bin/kill -9 -- "-$server" 2>/dev/null
        wait
        until epmd -kill >/dev/null 2>&1 || [ "$((tries += 1))" -ge 100 ]; do :; done
        rm -rf "$2"
        """;

    private readonly string? directory;
    private readonly Dictionary<string, string?> environment = [];
    private Process? guard;

    private RabbitMqServer(Uri address, string password, string? directory)
    {
        Address = address;
        Password = password;
        this.directory = directory;
    }

    /// <summary>Where it listens, without user and password.</summary>
    public Uri Address { get; }

    /// <summary>The password of every user made here.</summary>
    public string Password { get; }

    /// <summary>Whether this broker was started here and may be stopped and killed.</summary>
    public bool IsOwn => directory is not null;

    private string Files => directory ?? throw new InvalidOperationException($"The broker is given by {GivenBy}; it is not stopped or started from here.");

    /// <summary>Takes the given broker, or makes one from Debian's package, with these users, and starts it.</summary>
    public static async Task<RabbitMqServer> StartNewAsync(params RabbitMqUser[] users)
    {
        if (Environment.GetEnvironmentVariable(GivenBy) is { Length: > 0 } given)
        {
            var address = new UriBuilder(given);
            var secret = Uri.UnescapeDataString(address.Password);
            address.UserName = address.Password = "";
            return new RabbitMqServer(address.Uri, secret, null);
        }

        if (!File.Exists(Program))
        {
            throw new InvalidOperationException($"RabbitMQ is not installed: apt-get install rabbitmq-server, or set {GivenBy}.");
        }

        var directory = Directory.CreateTempSubdirectory("mc-rabbitmq-").FullName;
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var port = Ports.Free();
        await File.WriteAllTextAsync(Path.Combine(directory, "definitions.json"), Definitions(users, password));
        await File.WriteAllTextAsync(Path.Combine(directory, "rabbitmq.conf"), $"listeners.tcp.1 = 127.0.0.1:{port}\nload_definitions = {directory}/definitions.json\nlog.console = true\nlog.console.level = warning\nlog.file = false\ndisk_free_limit.absolute = 100MB\n");
        await File.WriteAllTextAsync(Path.Combine(directory, "enabled_plugins"), "[].");
        var server = new RabbitMqServer(new Uri($"amqp://127.0.0.1:{port}/"), password, directory);
        server.environment["HOME"] = directory;
        server.environment["RABBITMQ_NODENAME"] = $"mc{port}@localhost";
        server.environment["RABBITMQ_DIST_PORT"] = Ports.Free().ToString(CultureInfo.InvariantCulture);
        server.environment["ERL_EPMD_PORT"] = Ports.Free().ToString(CultureInfo.InvariantCulture);
        server.environment["ERL_EPMD_ADDRESS"] = "127.0.0.1";
        server.environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}";
        server.environment["RABBITMQ_CONFIG_FILE"] = Path.Combine(directory, "rabbitmq.conf");
        server.environment["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(directory, "enabled_plugins");
        server.environment["RABBITMQ_MNESIA_BASE"] = Path.Combine(directory, "data");
        server.environment["RABBITMQ_LOG_BASE"] = Path.Combine(directory, "logs");
        server.environment["RABBITMQ_PID_FILE"] = Path.Combine(directory, "pid");
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again, on the same port and data.</summary>
    public async Task StartAsync()
    {
        File.Delete(Path.Combine(Files, "pid"));
        var start = new ProcessStartInfo("sh", ["-c", Guard, "sh", Program, Files]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        guard = Process.Start(start) ?? throw new InvalidOperationException("The broker did not start.");
        await Eventually.TrueAsync(async () =>
        {
            if (guard.HasExited)
            {
                throw new InvalidOperationException($"RabbitMQ ended at its start:\n{string.Join('\n', (await File.ReadAllLinesAsync(Path.Combine(Files, "log"))).TakeLast(20))}");
            }

            return await AnswersAsync();
        }, "RabbitMQ answers", TimeSpan.FromMinutes(2));
    }

    /// <summary>Stops it as an administrator does: SIGTERM.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("-TERM");
        await EndedAsync();
    }

    /// <summary>Ends it as a power cut does: kill -9.</summary>
    public async Task KillAsync()
    {
        await SignalAsync("-9");
        await EndedAsync();
    }

    /// <summary>Stops its clock: it keeps its connections and takes new ones, and says nothing any more.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    /// <summary>Lets it go on.</summary>
    public Task ThawAsync() => SignalAsync("-CONT");

    /// <summary>What an administrator does with <c>rabbitmqctl</c>.</summary>
    public async Task ControlAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(ControlProgram, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Files };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var control = Process.Start(start)!;
        var output = control.StandardOutput.ReadToEndAsync();
        var errors = await control.StandardError.ReadToEndAsync();
        await control.WaitForExitAsync();
        if (control.ExitCode != 0)
        {
            throw new InvalidOperationException($"rabbitmqctl {string.Join(' ', arguments)} ended with {control.ExitCode}: {await output}{errors}");
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (guard is not null)
        {
            guard.StandardInput.Close();
            await guard.WaitForExitAsync();
            guard.Dispose();
            guard = null;
        }
        else if (directory is not null)
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Definitions(RabbitMqUser[] users, string password) => JsonSerializer.Serialize(new
    {
        vhosts = new[] { new { name = "/" } },
        users = users.Select(user => new { name = user.Name, password_hash = Hash(password), hashing_algorithm = "rabbit_password_hashing_sha256", tags = "" }),
        permissions = users.Select(user => new { user = user.Name, vhost = "/", configure = user.Configure, write = user.Write, read = user.Read }),
    });

    // RabbitMQ's own form: four bytes of salt, then SHA-256 of salt and password.
    private static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(4);
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(Address.Host, Address.Port);
            var stream = client.GetStream();
            await stream.WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray());
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2));

            // Connection.Start, or the version it would rather speak: both mean that it listens to clients.
            return await stream.ReadAsync(new byte[8], deadline.Token) > 0;
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        var pid = (await File.ReadAllTextAsync(Path.Combine(Files, "pid"))).Trim();
        using var kill = Process.Start("kill", [signal, pid]);
        await kill.WaitForExitAsync();
    }

    private async Task EndedAsync()
    {
        var released = guard ?? throw new InvalidOperationException("The broker does not run.");
        guard = null;
        await released.StandardOutput.ReadLineAsync();
        await released.StandardInput.WriteLineAsync("leave");
        released.StandardInput.Close();
        await released.WaitForExitAsync();
        released.Dispose();
    }
}
