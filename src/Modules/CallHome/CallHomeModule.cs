using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.DesiredState;
using MissionControl.CallHome.Enrollment;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Tasks;
using MissionControl.Platform.Telemetry;
using MissionControl.Platform.Time;

namespace MissionControl.CallHome;

/// <summary>The role <c>callhome</c>: the clusters' only way in.</summary>
public sealed class CallHomeModule : IModule
{
    /// <inheritdoc />
    public string Name => "callhome";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new Cluster.Configuration());
        model.ApplyConfiguration(new ClusterKeyRow.Configuration());
        model.ApplyConfiguration(new ClusterEpoch.Configuration());
        model.ApplyConfiguration(new EnrollmentToken.Configuration());
        model.ApplyConfiguration(new KnownCustomer.Configuration());
        model.ApplyConfiguration(new IntakeRow.Configuration());
        model.ApplyConfiguration(new DesiredSection.Configuration());
        model.ApplyConfiguration(new DesiredRevision.Configuration());
        model.ApplyConfiguration(new UsedNonce.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var services = host.Services;
        services.AddValidation();
        services.AddOptions<CallHomeOptions>().BindConfiguration("CallHome").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => new SealingKeys(
            provider.GetRequiredService<DataDirectory>(), provider.GetRequiredService<IOptions<CallHomeOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<Nonces>();
        services.AddScoped<Assertions>();
        services.AddScoped<EndLeakedAccess>();
        services.AddSingleton<Anchors>();
        services.AddSingleton<EnrollmentLimiter>();
        services.AddSingleton<CloneAlarm>();
        services.AddSingleton<Handover>();
        services.AddSingleton<CheckInLimiter>();
        services.AddSingleton<Wanted>();
        services.AddKeyedSingleton<WorkMeter>("callhome");
        services.AddSingleton<CheckIn>();
        services.AddSingleton<Bundles>();
        services.AddSingleton<ClusterDirectory>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterDirectory>());
        services.AddSingleton<GroupCommit>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupCommit>());
        services.AddHostedService<Watermark>();
        services.AddJob<CheckKeys>();
        foreach (var which in SwitchManyClusters.Switches)
        {
            services.AddSingleton<TaskAction>(provider => new SwitchManyClusters(which, provider.GetRequiredService<TimeProvider>()));
        }
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<SetDesiredState, ApplyDesiredState>("callhome.apply-desired-state");
        handlers.Add<CustomerChanged, KeepCustomer>("callhome.keep-customer");
        handlers.Add<TokensLeaked, BurnLeakedTokens>("callhome.burn-leaked-tokens");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("cluster", "who may call home, and by which keys and epochs its usage was signed", personal: false, "as long as its usage", typeof(Cluster), typeof(ClusterKeyRow), typeof(ClusterEpoch));
        records.Purge<EnrollmentToken>(
            "enrollment-token", "who could enrol a cluster, and who did", personal: false, Term.Days(400, 30, 1200), "after it expired", row => row.ExpiresAt);
        records.Keep("customer", "for whom clusters may be enrolled", personal: false, "replaced by the newest", typeof(KnownCustomer));
        records.Keep("intake", "up to which number a cluster's items are durable", personal: false, "as long as the cluster", typeof(IntakeRow));
        records.Keep("desired-state", "what the roles want of a cluster", personal: false, "replaced by the newest", typeof(DesiredSection), typeof(DesiredRevision));

        // Past its expiry it is refused anyway; the margin is for replicas whose clocks differ.
        records.Purge<UsedNonce>("used-nonce", "that a nonce was used, so that it counts once", personal: false, Term.Fixed(TimeSpan.FromMinutes(10)), "after it expired", row => row.ExpiresAt);
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        EnrollmentTokensApi.Map(api);
        ClustersApi.Map(api);
        AskRotation.Map(api);
        Readmit.Map(api);
        SwitchManyClusters.Map(api);
    }

    /// <inheritdoc />
    public void MapPages(IEndpointRouteBuilder root)
    {
        // Bodies are read and judged field by field at the door; the framework's filter would only cost.
        var callhome = root.MapGroup("/callhome/v1").OnSurface(Surface.CallHome).InModule(Name).DisableValidation();
        Ping.Map(callhome);
        Enroll.Map(callhome);
        ExchangeToken.Map(callhome);
        CheckIn.Map(callhome);
        Bundles.Map(callhome);
        RequestEpoch.Map(callhome);
        RotateKey.Map(callhome);
        Unenroll.Map(callhome);
    }
}
