using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Telemetry;

namespace MissionControl.Audit.Guard;

/// <summary>
/// Before the role appends anything, and every hour: does the database still refuse to change what is append-only? Under the login that
/// this process has, by each way that is known. Where it does not, somebody has taken the refusal away; unless the configuration says
/// otherwise nothing is appended or signed until it is back. Messages are kept meanwhile, as whatever cannot be applied.
/// </summary>
internal sealed partial class AppendOnlyTest(IServiceScopeFactory scopes, IOptions<AuditOptions> options, Readiness readiness, TimeProvider time, ILogger<AppendOnlyTest> logger) : BackgroundService
{
    private const string Condition = "append-only";
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan Sooner = TimeSpan.FromSeconds(10);
    private bool isSound;
    private string said = "";

    /// <summary>Why nothing is appended or signed; null: it is.</summary>
    public string? Refusal { get; private set; } = "The database was not tested yet.";

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(isSound ? Interval : Sooner, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await TryAsync(stoppingToken);
            }
        }
    }

    /// <summary>Tries it once.</summary>
    internal async Task TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
            Judge(await AppendOnly.FaultsAsync(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>(), "audit", cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The database is away. What was found before holds; before the first time nothing is appended.
            isSound = false;
            LogFailed(logger, exception);
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private void Judge(IReadOnlyList<string> faults)
    {
        isSound = faults.Count == 0;
        var (text, before) = (string.Join("; ", faults), said);
        (said, Refusal) = (text, isSound || !options.Value.Strict ? null : $"The database would let the audit log be changed: {text}.");
        if (isSound)
        {
            readiness.IsWell(Condition);
            return;
        }

        readiness.Warns(Condition, "The database would let append-only tables be changed. See event 6008.");
        if (text != before)
        {
            LogFaults(logger, text, options.Value.Strict ? "Nothing is appended or signed until missioncontrol migrate, under the owner's login, has put it back" : "Entries are appended and signed all the same (Audit:Strict)");
        }
    }

    [LoggerMessage(6008, LogLevel.Critical, "The database would let the audit log be changed: {Faults}. {Consequence}")]
    private static partial void LogFaults(ILogger logger, string faults, string consequence);

    [LoggerMessage(6009, LogLevel.Error, "Whether the database refuses to change the audit log could not be tested; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
