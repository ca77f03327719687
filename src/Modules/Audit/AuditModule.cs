using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Audit.Access;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Check;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Erasure;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Numbers;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Push;
using MissionControl.Audit.Receipts;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Time;

namespace MissionControl.Audit;

/// <summary>The role <c>audit</c>: transparency logs, one for each customer and an anchor that binds them, and an index to search them by, fed by the one event <c>audit.entry</c>.</summary>
public sealed class AuditModule : IModule
{
    /// <inheritdoc />
    public string Name => "audit";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new FoundationEntry.Configuration());
        model.ApplyConfiguration(new IndexedEntry.Configuration());
        model.ApplyConfiguration(new Progress.Configuration());
        model.ApplyConfiguration(new Producer.Configuration());
        model.ApplyConfiguration(new NumbersRead.Configuration());
        model.ApplyConfiguration(new Log.Configuration());
        model.ApplyConfiguration(new LogHead.Configuration());
        model.ApplyConfiguration(new LogLeaf.Configuration());
        model.ApplyConfiguration(new LogTile.Configuration());
        model.ApplyConfiguration(new LogMinimum.Configuration());
        model.ApplyConfiguration(new PrunedEvent.Configuration());
        model.ApplyConfiguration(new LogCheckpoint.Configuration());
        model.ApplyConfiguration(new PersonalValue.Configuration());
        model.ApplyConfiguration(new LogSlot.Configuration());
        model.ApplyConfiguration(new EpochSlots.Configuration());
        model.ApplyConfiguration(new WitnessRow.Configuration());
        model.ApplyConfiguration(new Cosignature.Configuration());
        model.ApplyConfiguration(new PushedExport.Configuration());
        model.ApplyConfiguration(new ClusterLog.Configuration());
        model.ApplyConfiguration(new ClusterLogLine.Configuration());
        model.ApplyConfiguration(new Unmatched.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddOptions<AuditOptions>().BindConfiguration("Audit")
            .Validate(options => options.IsValid, "Audit:Epoch is a second to an hour, written as 00:01:00, Audit:BundleEntries 256 to 1000000, Audit:GapAfter 00:00:30 to a day, Audit:RetentionDays 30 to 36500, Audit:WitnessQuorum 1 to 20, and Audit:ReconcileAfter 00:01:00 to a day.")
            .Validate(options => OutsideWitness.AreValid(options.Witnesses), "Audit:Witnesses lists at most 10 witnesses, each with its key (Vkey: name+id+key of type 4, under a name of its own that no cluster has) and an https address (Url) without user and query.")
            .Validate(options => options.AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)), "Audit:AllowedNetworks lists networks, each written as 10.0.0.0/8.")
            .Validate(options => options.CaFile is null or "" || File.Exists(options.CaFile), "Audit:CaFile is not there.")
            .ValidateOnStart();
        host.Services.AddSingleton<TileCache>();
        host.Services.AddSingleton<LogKey>();
        host.Services.AddSingleton<HeadGuard>();
        host.Services.AddSingleton<AppendOnlyTest>();
        host.Services.AddHostedService(static services => services.GetRequiredService<AppendOnlyTest>());
        host.Services.AddSingleton<WatchHeads>();
        host.Services.AddHostedService(static services => services.GetRequiredService<WatchHeads>());
        host.Services.AddScoped<Sequencer>();
        host.Services.AddScoped<ImportEntries>();
        host.Services.AddSingleton<ClusterLogFindings>();
        host.Services.AddScoped<TakeClusterLogs>();
        host.Services.AddSingleton<WantedReceipts>();
        host.Services.AddSingleton<SignCheckpoints>();
        host.Services.AddSingleton<Sweeper>(static services => services.GetRequiredService<SignCheckpoints>());
        host.Services.AddHostedService<IssueReceipts>();
        host.Services.AddSingleton<Sweeper, CatchUp>();
        host.Services.AddSingleton<Sweeper, TellGaps>();
        host.Services.AddSingleton<Sweeper, PublishRetention>();
        host.Services.AddSingleton<BlindingKey>();
        host.Services.AddSingleton<SlotTrees>();
        host.Services.AddSingleton<LastEpoch>();
        host.Services.AddSingleton<Sweeper, CloseEpochs>();
        host.Services.AddSingleton<Sweeper, AskWitnesses>();
        host.Services.AddScoped<StopExport>();
        host.Services.AddSingleton<Sweeper, PushEntries>();
        host.Services.AddSingleton<Sweeper, ReconcileLogs>();
        if (host.Configuration.GetSection("Audit:Witnesses").GetChildren().Any())
        {
            host.Services.AddSingleton<Sweeper, AskOutside>();
        }

        host.Services.AddJob<VerifyLogs>();
    }

    /// <inheritdoc />
    public IReadOnlyList<ConsoleTask> ConsoleTasks => [AcceptRestored.Task, VerifyLogs.Task, PruneLogs.Task];

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<AuditEntryRecorded, AppendEntry>("audit.append-entry");
        handlers.Add<ClusterChanged, KeepWitness>("audit.keep-witness");
        handlers.Add<ItemsReceived, RecordAnswers>("audit.record-answers", "witness");
        handlers.Add<DeliveryEnded, NoteDelivery>("audit.note-delivery");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("foundation-entry", "who did what before there were logs, as it was written then", personal: true, "for good: the database itself refuses to change or delete an entry, until who owns it removes them", typeof(FoundationEntry));
        records.Keep("index", "what entries of the logs are found by", personal: false, "as long as the entry; it can be made again of the logs", typeof(IndexedEntry), typeof(Progress));
        records.Keep("numbers", "how far the numbers of each process that tells the logs something were looked at, and which are missing", personal: false, "as long as the log; it can be made again of the index, as far as nothing was pruned", typeof(Producer), typeof(NumbersRead));
        records.Keep("log", "the logs that customers verify, entry by entry, and all that was signed for them", personal: false, "for good, unless a term for entries is published (Audit:RetentionDays) and who owns the database prunes them: the database itself refuses to change anything in them, and to delete anything else", typeof(Log), typeof(LogHead), typeof(LogLeaf), typeof(LogTile), typeof(LogCheckpoint), typeof(LogSlot), typeof(LogMinimum));
        records.Keep("pruned-event", "id and hash of events whose entries were pruned, so that none is appended a second time", personal: false, "as long as the log", typeof(PrunedEvent));
        records.Keep("personal-value", "names and addresses that entries of the logs are committed to, and the exact bytes of imported ones", personal: true, "as long as the entry, or until they are erased", typeof(PersonalValue));
        records.Keep("witness", "which clusters and other witnesses cosign the logs, and what they have seen", personal: false, "the newest of a cluster for good; of cosignatures those of the newest checkpoint that enough have seen, and of later ones", typeof(WitnessRow), typeof(Cosignature));
        records.Keep("export", "which logs are sent to which systems, and how far", personal: false, "until it is removed", typeof(PushedExport));
        records.Keep("cluster-log", "the logs that clusters keep themselves, and what they and their customers' logs do not both say", personal: false, "for good: the database itself refuses to change or delete an entry", typeof(ClusterLog), typeof(ClusterLogLine), typeof(Unmatched));
        records.Keep("epoch-slots", "what the last epochs bound, to prove it to whoever may read a log", personal: false, "the last 60 epochs, an hour at the usual length; the epochs themselves stand in the anchor for good", typeof(EpochSlots));
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        ListEntries.Map(api);
        AccessApi.Map(api);
        LogsApi.Map(api);
        ErasePersonal.Map(api);
        ExportsApi.Map(api);
    }
}
