using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Platform.Telemetry;
using MissionControl.Storage.Sqlite;

namespace MissionControl.Testing;

/// <summary>The real host in this process: real Kestrel and TLS on free ports, real SQLite file, real fsync. Tests speak to it over sockets.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    // What every first start would do once more: the tables, empty. Made once for all test projects, as the migrations of this build make them.
    private static readonly Lazy<Task<byte[]>> EmptyDatabase = new(ReadEmptyAsync);

    private const string DatabaseFile = "missioncontrol.db";

    private readonly WebApplication app;
    private readonly bool ownsData;

    private ControlPlane(WebApplication app, string data, bool ownsData, TimeProvider time)
    {
        this.app = app;
        Time = time;
        Data = data;
        this.ownsData = ownsData;
        var listeners = app.Services.GetRequiredService<Listeners>();
        Portal = listeners.AddressOf("portal");
        CallHome = listeners.AddressOf("callhome");
        Operations = listeners.AddressOf("ops");
        AdminToken = File.ReadAllText(Path.Combine(data, "admin.token")).Trim();
        Admin = Client(Portal, AdminToken);
    }

    /// <summary>Data directory.</summary>
    public string Data { get; }

    /// <summary>The clock that the host goes by.</summary>
    public TimeProvider Time { get; }

    /// <summary>Address of portal and API.</summary>
    public Uri Portal { get; }

    /// <summary>Address of call-home.</summary>
    public Uri CallHome { get; }

    /// <summary>Address of health and metrics.</summary>
    public Uri Operations { get; }

    /// <summary>The bootstrap token.</summary>
    public string AdminToken { get; }

    /// <summary>The API as administrator.</summary>
    public HttpClient Admin { get; }

    /// <summary>The host's services, for looking into the database after the fact.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>The file of the CA that signed the host's certificate.</summary>
    public string CaFile => Path.Combine(Data, "certificates", "ca.pem");

    /// <summary>Starts a host and waits until it is ready.</summary>
    public static async Task<ControlPlane> StartAsync(string? data = null, TimeProvider? time = null, IReadOnlyDictionary<string, string?>? configuration = null, Action<IServiceCollection>? services = null, Uri? portal = null)
    {
        var directory = data ?? Directory.CreateTempSubdirectory("mc-").FullName;
        if (data is null)
        {
            await File.WriteAllBytesAsync(Path.Combine(directory, DatabaseFile), await EmptyDatabase.Value);
        }

        var settings = new HostSettings { Data = directory, Portal = portal ?? new Uri("https://127.0.0.1:0"), CallHome = new Uri("https://127.0.0.1:0"), Operations = new Uri("http://127.0.0.1:0"), Internal = new Uri("https://127.0.0.1:0") };
        var app = ControlPlaneHost.Build(settings, time, builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Warning);
            Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(builder.Configuration, configuration);

            // Most tests sign somebody in, and few are about how slow a guess is: a fifth of a second of a processor each time.
            builder.Services.PostConfigure<PasswordHasherOptions>(static options => options.IterationCount = 1_000);
            services?.Invoke(builder.Services);
        });
        await app.StartAsync();
        var host = new ControlPlane(app, directory, data is null, time ?? TimeProvider.System);
        await Eventually.TrueAsync(() => app.Services.GetRequiredService<Readiness>().IsReady, "the host is ready");
        return host;
    }

    /// <summary>A client that trusts the host's own CA and nothing else.</summary>
    public HttpClient Client(Uri address, string? bearer = null, DelegatingHandler? before = null) => TrustingClient.Create(address, CaFile, bearer, before);

    /// <summary>Creates a customer and waits until callhome knows it.</summary>
    public async Task<CustomerItem> CreateCustomerAsync(string name = "Acme")
    {
        using var response = await Admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest(name, "eu"));
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<CustomerItem>())!;
    }

    /// <summary>Makes an enrolment token.</summary>
    public async Task<CreatedEnrollmentToken> CreateEnrollmentTokenAsync(Guid customerId, int hours = 24, params string[] networks)
    {
        CreatedEnrollmentToken? created = null;
        await Eventually.TrueAsync(async () =>
        {
            using var response = await Admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customerId, null, hours, networks));
            created = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<CreatedEnrollmentToken>() : null;
            return created is not null;
        }, "callhome knows the customer");
        return created!;
    }

    /// <summary>Makes an API token and returns a client with it, once every named role knows it.</summary>
    public async Task<(HttpClient Client, CreatedToken Token)> ClientWithTokenAsync(Guid? customerId, params string[] scopes)
    {
        using var response = await Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("test", scopes, customerId));
        response.EnsureSuccessStatusCode();
        var token = (await response.Content.ReadFromJsonAsync<CreatedToken>())!;
        var client = Client(Portal, token.Token);
        foreach (var path in new[] { "/api/v1/licensing/customers", "/api/v1/callhome/enrollment-tokens", "/api/v1/identity/tokens", "/api/v1/audit/entries", "/api/v1/fleet/clusters" })
        {
            await Eventually.TrueAsync(async () => (int)(await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode != 401, $"the token is known for {path}");
        }

        return (client, token);
    }

    /// <summary>Stops the host, as Ctrl-C does.</summary>
    public Task StopAsync() => app.StopAsync();

    private static async Task<byte[]> ReadEmptyAsync()
    {
        var kept = Path.Combine(AppContext.BaseDirectory, "..", "..", $"empty-{typeof(SqliteStorage).Module.ModuleVersionId:N}-{typeof(ControlPlaneDbContext).Module.ModuleVersionId:N}.db");
        if (!File.Exists(kept))
        {
            var own = $"{kept}.{Environment.ProcessId}";
            await File.WriteAllBytesAsync(own, await MigrateAsync());
            File.Move(own, kept, overwrite: true);
        }

        return await File.ReadAllBytesAsync(kept);
    }

    private static async Task<byte[]> MigrateAsync()
    {
        var directory = Directory.CreateTempSubdirectory("mc-empty-").FullName;
        try
        {
            await using (var app = ControlPlaneHost.Build(new HostSettings { Data = directory, Serves = false }, null, builder => builder.Logging.SetMinimumLevel(LogLevel.Warning)))
            await using (var scope = app.Services.CreateAsyncScope())
            {
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                await db.Dialect.MigrateAsync(db, CancellationToken.None);
            }

            // Closed by all, it is one file.
            var rest = new FileInfo(Path.Combine(directory, $"{DatabaseFile}-wal"));
            return !rest.Exists || rest.Length == 0 ? await File.ReadAllBytesAsync(Path.Combine(directory, DatabaseFile)) : throw new InvalidOperationException("The empty database is still open.");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await app.DisposeAsync();
        if (ownsData)
        {
            Directory.Delete(Data, recursive: true);
        }
    }
}
