using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging.Console;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;
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
        var errors = settings.Errors();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors));
        }

        var clock = time ?? TimeProvider.System;
        var data = new DataDirectory(settings.Data);
        var modules = new ModuleCatalog(ModuleList.All, [.. settings.Roles]);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "missioncontrol" });
        Configure(builder, settings);
        configure?.Invoke(builder);
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
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => listeners.Configure(kestrel, settings, Certificate, builder.Configuration));
        X509Certificate2 Certificate() => Certificates.Server(data, builder.Configuration, clock.GetUtcNow());

        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(data);
        builder.Services.AddSingleton(modules);
        builder.Services.AddSingleton(listeners);
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddSingleton<ApiAddress>();
        builder.Services.AddSqliteStorage(data.PathOf(SqliteStorage.FileName));
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

        builder.Services.AddEmbeddedMessaging(modules);
        builder.Services.AddPlatformRetention(modules, retention);
        builder.Services.AddPlatformJobs();
        builder.Services.AddPlatformTelemetry();
        builder.Services.AddHostedService<DemoFleet>();
        builder.Services.AddApiDescription();

        var app = builder.Build();
        app.UseHostFiltering();
        app.UsePlatformHttp();
        app.UseRouting();
        app.UseSurfaces();
        app.UsePlatformSecurity();
        app.UseQueryParameters();
        app.UseIdempotencyKeys();
        MapEverything(app, modules);
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<ApiAddress>().Value = listeners.AddressOf("ops"));
        return app;
    }

    private static void Configure(WebApplicationBuilder builder, HostSettings settings)
    {
        builder.Configuration.Sources.Clear();
        if (settings.ConfigFile is not null)
        {
            builder.Configuration.AddJsonFile(Path.GetFullPath(settings.ConfigFile), optional: false);
        }

        builder.Configuration.AddEnvironmentVariables("MissionControl__");
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(console => console.FormatterName = RedactingFormatter.FormatterName);
        builder.Logging.AddConsoleFormatter<RedactingFormatter, ConsoleFormatterOptions>();
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("MassTransit", LogLevel.Warning);
        builder.Logging.AddFilter("Quartz", LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        var hosts = builder.Configuration["AllowedHosts"] ?? $"localhost;127.0.0.1;[::1];{System.Net.Dns.GetHostName()}";
        builder.Services.AddHostFiltering(filtering => (filtering.AllowedHosts, filtering.AllowEmptyHosts) = (hosts.Split(';', StringSplitOptions.RemoveEmptyEntries), false));
        // Long enough to finish what was accepted, short enough for a person at Ctrl-C.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
    }

    private static void MapEverything(WebApplication app, ModuleCatalog modules)
    {
        foreach (var module in modules.Active)
        {
            var api = app.MapGroup($"/api/v1/{module.Name}").OnSurface(Surface.Api).WithTags(module.Name).InModule(module.Name);
            module.MapEndpoints(api);
            api.MapParkedMessages(module.Name);
            api.MapJobs(module.Name);
            module.MapPages(app);
        }

        app.MapProblemPages();
        app.MapOperations();
        app.MapApiDescription();
        EndpointSecurity.AssertEveryEndpointIsGuarded(app);
    }
}

/// <summary>Brings the embedded database up to date before anything else starts, and builds the model, which takes seconds when first met under load.</summary>
internal sealed class DatabaseStart(IServiceScopeFactory scopes, Readiness readiness) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        readiness.Lacks("database", "The schema is being brought up to date.");
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await db.Dialect.MigrateAsync(db, cancellationToken);
        readiness.Has("database");
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
