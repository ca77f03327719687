using System.Data.Common;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Console;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;
using MissionControl.Platform.Tasks;
using MissionControl.Platform.Telemetry;
using MissionControl.Platform.Time;
using MissionControl.Storage.Sqlite;

namespace MissionControl.Host;

/// <summary>Puts a process of Mission Control together: the composition root, used by the command and by the tests.</summary>
public static class ControlPlaneHost
{
    /// <summary>Builds the process; nothing listens and no database is touched before it is started.</summary>
    /// <exception cref="ArgumentException">The settings are impossible; the message says what to change.</exception>
    public static WebApplication Build(HostSettings settings, TimeProvider? time = null, Action<WebApplicationBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var clock = time ?? TimeProvider.System;
        var data = new DataDirectory(settings.Data);
        var modules = new ModuleCatalog(ModuleList.All, [.. settings.Roles]);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "missioncontrol" });
        Configure(builder, settings);
        configure?.Invoke(builder);
        var errors = settings.Errors(builder.Configuration);
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors));
        }

        var shape = Shape.Read(builder.Configuration, []);
        if (settings.Demo && string.IsNullOrEmpty(builder.Configuration["Demo:Simulator"]))
        {
            throw new ArgumentException("--demo needs the path of mc-simulator in the configuration key Demo:Simulator; infra/dev run sets it.");
        }

        var retention = RetentionTable.Of(modules.All, builder.Configuration, out var mistakes);
        if (mistakes.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, mistakes));
        }

        var listeners = new Listeners();
        var certificate = new ServerCertificate(data, builder.Configuration, shape, clock);
        builder.WebHost.UseKestrelHttpsConfiguration();
        if (settings.Serves)
        {
            builder.WebHost.ConfigureKestrel(kestrel => listeners.Configure(kestrel, settings, shape, modules, certificate, builder.Configuration));
        }


        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(data);
        builder.Services.AddSingleton(modules);
        builder.Services.AddSingleton(listeners);
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddSingleton<ApiAddress>();
        builder.Services.AddSingleton(shape);
        builder.Services.AddSingleton(certificate);
        shape.AddStorage(builder.Services, data.PathOf(SqliteStorage.FileName));
        // First in the list of hosted services: no module starts before the schema is there.
        builder.Services.AddHostedService<DatabaseStart>();
        builder.Services.AddPlatformSecurity();
        builder.Services.AddPlatformHttp();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
            json.SerializerOptions.Converters.Add(new TextConverter());
        });
        foreach (var module in modules.Active)
        {
            module.ConfigureServices(builder);
        }

        if (shape.RabbitMq is null)
        {
            builder.Services.AddEmbeddedMessaging(modules);
            builder.Services.AddHostedService<RolesTold>();
        }
        else
        {
            builder.Services.AddDistributedMessaging(modules, shape.RabbitMq);
        }

        builder.Services.AddPlatformRetention(modules, retention);
        builder.Services.AddPlatformJobs();
        builder.Services.AddPlatformTasks(modules);
        builder.Services.AddPlatformTelemetry();
        builder.Services.AddHostedService<DemoFleet>();
        builder.Services.AddHostedService<CertificateWatch>();
        builder.Services.AddApiDescription();

        var app = builder.Build();
        // Who called is believed only from proxies that are named; by default from nobody. The way from the portal to the roles and the
        // doors that strangers stand at are named apart: one process may have both.
        UseProxies(app, "Network:TrustedProxies", static served => served == Surface.Api);
        UseProxies(app, "Network:PublicProxies", static served => (served & (Surface.Portal | Surface.CallHome)) != 0);
        app.UseTraces();
        app.UseHostFiltering();
        app.UsePlatformHttp();
        app.UseRouting();
        app.UseSurfaces();
        app.UsePlatformSecurity();
        app.UseQueryParameters();
        app.UseIdempotencyKeys();
        MapEverything(app, modules);
        // Else the framework does it when it starts, and whoever describes the API before that finds it empty.
        app.UseEndpoints(static _ => { });
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var address = app.Services.GetRequiredService<ApiAddress>();
            address.Value = listeners.ApiAddress;
            address.CallHome = listeners.CallHomeAddress;
        });
        return app;
    }

    /// <summary>What a process goes by: the file, then the environment.</summary>
    internal static void AddConfiguration(IConfigurationBuilder configuration, HostSettings settings)
    {
        configuration.Sources.Clear();
        configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Identity:KeepBootstrapToken"] = settings.Demo ? "true" : null,

            // Browsers ask for no passkey under a certificate that they do not trust, and a demo's own is none yet.
            ["Identity:StepUpByCode"] = settings.Demo ? "true" : null,
            ["Identity:PortalAddress"] = settings.Portal.IsLoopback && settings.Roles.Contains("all") ? settings.Portal.ToString() : null,
        }.Where(entry => entry.Value is not null));
        if (settings.ConfigFile is not null)
        {
            configuration.AddJsonFile(Path.GetFullPath(settings.ConfigFile), optional: false);
        }

        configuration.AddEnvironmentVariables("MissionControl__");
    }

    private static void Configure(WebApplicationBuilder builder, HostSettings settings)
    {
        AddConfiguration(builder.Configuration, settings);
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(console => console.FormatterName = RedactingFormatter.FormatterName);
        builder.Logging.AddConsoleFormatter<RedactingFormatter, ConsoleFormatterOptions>();
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // Every failure of a statement is judged, and told, by the code that ran it.
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        builder.Logging.AddFilter("MassTransit", LogLevel.Warning);
        builder.Logging.AddFilter("Quartz", LogLevel.Warning);
        builder.Logging.AddFilter("Yarp", LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        var hosts = builder.Configuration["AllowedHosts"] ?? $"localhost;127.0.0.1;[::1];{System.Net.Dns.GetHostName()}";
        builder.Services.AddHostFiltering(filtering => (filtering.AllowedHosts, filtering.AllowEmptyHosts) = (hosts.Split(';', StringSplitOptions.RemoveEmptyEntries), false));
        // Long enough to finish what was accepted, short enough for a person at Ctrl-C.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
    }

    private static void UseProxies(WebApplication app, string key, Func<Surface, bool> where)
    {
        if (app.Configuration.GetSection(key).Get<string[]>() is not { Length: > 0 } proxies)
        {
            return;
        }

        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var proxy in proxies)
        {
            forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
        }

        app.UseWhen(context => where(context.Features.Get<SurfaceOf>()?.Value ?? Surface.None), branch => branch.UseForwardedHeaders(forwarded));
    }

    private static void MapEverything(WebApplication app, ModuleCatalog modules)
    {
        foreach (var module in modules.Active)
        {
            var api = app.MapGroup($"/api/v1/{module.Name}").OnSurface(Surface.Api).WithTags(module.Name).InModule(module.Name).NoteStaffReads(module.Name);
            module.MapEndpoints(api);
            api.MapParkedMessages(module.Name);
            api.MapJobs(module.Name);
            api.MapTasks(module.Name);
            api.MapStatus(module.Name);
            module.MapPages(app);
        }

        app.MapProblemPages();
        app.MapOperations();
        app.MapApiDescription();
        EndpointSecurity.AssertEveryEndpointIsGuarded(app);
    }
}

/// <summary>
/// Before anything else starts: embedded brings the schema up to date itself; distributed waits until <c>missioncontrol migrate</c> did,
/// and says so. A schema that a newer program made is understood by neither: the process waits, and touches nothing. Builds the model,
/// too, which takes seconds when first met under load.
/// </summary>
internal sealed partial class DatabaseStart(IServiceScopeFactory scopes, Shape shape, Readiness readiness, TimeProvider time, ILogger<DatabaseStart> logger) : IHostedService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        readiness.Lacks("database", "The schema is being brought up to date.");
        while (!await IsCurrentAsync(cancellationToken))
        {
            await Task.Delay(Pause, time, cancellationToken);
        }

        readiness.Has("database");
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> IsCurrentAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        try
        {
            var (known, applied) = (db.Database.GetMigrations().ToList(), (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToList());
            if (applied.Except(known).ToList() is { Count: > 0 } unknown)
            {
                LogNewer(logger, string.Join(", ", unknown));
                return false;
            }

            if (shape.IsDistributed && known.Except(applied).ToList() is { Count: > 0 } missing)
            {
                LogSchema(logger, string.Join(", ", missing));
                return false;
            }
        }
        catch (DbException exception) when (shape.IsDistributed)
        {
            LogUnreachable(logger, exception);
            return false;
        }

        if (!shape.IsDistributed)
        {
            await db.Dialect.MigrateAsync(db, cancellationToken);
        }

        return true;
    }

    [LoggerMessage(3002, LogLevel.Warning, "The database lacks the migrations {Missing}: run missioncontrol migrate. This process waits")]
    private static partial void LogSchema(ILogger logger, string missing);

    [LoggerMessage(3007, LogLevel.Error, "The database has the migrations {Unknown}, which a newer version made: run that version, or restore the backup from before. This process waits and touches nothing")]
    private static partial void LogNewer(ILogger logger, string unknown);

    [LoggerMessage(3003, LogLevel.Warning, "The database cannot be reached; this process waits for it")]
    private static partial void LogUnreachable(ILogger logger, Exception exception);
}
