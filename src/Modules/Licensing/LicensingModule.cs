using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Billing;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Customers;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Licenses;
using MissionControl.Licensing.Meters;
using MissionControl.Licensing.Plans;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Usage;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Licensing;

/// <summary>The role <c>licensing</c>.</summary>
public sealed class LicensingModule : IModule
{
    /// <inheritdoc />
    public string Name => "licensing";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new Customer.Configuration());
        model.ApplyConfiguration(new Meter.Configuration());
        model.ApplyConfiguration(new LedgerCluster.Configuration());
        model.ApplyConfiguration(new LedgerEpoch.Configuration());
        model.ApplyConfiguration(new ClusterLedger.Configuration());
        model.ApplyConfiguration(new StoredWindow.Configuration());
        model.ApplyConfiguration(new WindowHead.Configuration());
        model.ApplyConfiguration(new LedgerCell.Configuration());
        model.ApplyConfiguration(new ParkedCell.Configuration());
        model.ApplyConfiguration(new QuarantinedWindow.Configuration());
        model.ApplyConfiguration(new WaitingWindow.Configuration());
        model.ApplyConfiguration(new DueReceipt.Configuration());
        model.ApplyConfiguration(new Period.Configuration());
        model.ApplyConfiguration(new Statement.Configuration());
        model.ApplyConfiguration(new Adjustment.Configuration());
        model.ApplyConfiguration(new ChangeStream.Configuration());
        model.ApplyConfiguration(new RecordedChange.Configuration());
        model.ApplyConfiguration(new BillingAccount.Configuration());
        model.ApplyConfiguration(new PriceBook.Configuration());
        model.ApplyConfiguration(new PriceBookVersion.Configuration());
        model.ApplyConfiguration(new Plan.Configuration());
        model.ApplyConfiguration(new PlanVersion.Configuration());
        model.ApplyConfiguration(new Contract.Configuration());
        model.ApplyConfiguration(new ContractVersion.Configuration());
        model.ApplyConfiguration(new License.Configuration());
        model.ApplyConfiguration(new LicensedCluster.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
        host.Services.AddScoped<Ledger.Ledger>();
        host.Services.AddSingleton<ReceiptKey>();
        host.Services.AddSingleton<LeaseKey>();
        host.Services.AddSingleton<LeaseSigning>();
        host.Services.AddSweeper<IssueReceipts>();
        host.Services.AddSweeper<CountParkedCells>();
        host.Services.AddSweeper<JudgeWaitingWindows>();
        host.Services.AddSweeper<OpenPeriods>();
        host.Services.AddSweeper<RenewLeases>();
        host.Services.AddSweeper<WarnOfExpiry>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<ItemsReceived, RecordUsage>("licensing.record-usage", "usage");
        handlers.Add<ClusterChanged, KeepCluster>("licensing.keep-cluster");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("customer", "who the tenants are", personal: false, "as long as their usage", typeof(Customer));
        records.Keep("meter", "what is counted, and how", personal: false, "as long as usage rests on it", typeof(Meter));
        records.Keep("agreement", "what is agreed, and at which prices", personal: false, "until the contract's end and 10 years more; nothing purges it yet",
            typeof(BillingAccount), typeof(Contract), typeof(ContractVersion), typeof(PriceBook), typeof(PriceBookVersion), typeof(Plan), typeof(PlanVersion));
        records.Keep("ledger", "the exact consumption, as signed and as counted", personal: false, "until the contract's end and 10 years more; nothing purges it yet",
            typeof(StoredWindow), typeof(WindowHead), typeof(LedgerCell), typeof(ParkedCell), typeof(ClusterLedger), typeof(LedgerCluster), typeof(LedgerEpoch), typeof(ChangeStream), typeof(RecordedChange));
        records.Keep("statement", "what was billed, what corrects it, and the periods it is for", personal: false, "until the contract's end and 10 years more; nothing purges it yet", typeof(Period), typeof(Statement), typeof(Adjustment));
        records.Keep("waiting-window", "windows that cannot be judged yet", personal: false, "until they are judged", typeof(WaitingWindow), typeof(DueReceipt));
        records.Keep("license", "what customers may use, and the newest lease of it", personal: false, "as long as their usage", typeof(License), typeof(LicensedCluster));
        records.Purge<QuarantinedWindow>("quarantined-window", "windows that do not count, for whoever decides on them", personal: false, Term.Days(90, 30, 400), "after a person decided; undecided ones stay", row => row.DecidedAt);
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        CustomersApi.Map(api);
        LegalHoldApi.Map(api);
        MetersApi.Map(api);
        BillingAccountsApi.Map(api);
        PriceBooksApi.Map(api);
        SheetsApi.Map(api);
        PlansApi.Map(api);
        ContractsApi.Map(api);
        UsageApi.Map(api);
        WindowsApi.Map(api);
        PeriodsApi.Map(api);
        StatementsApi.Map(api);
        AdjustmentsApi.Map(api);
        GapsApi.Map(api);
        ChangesApi.Map(api);
        LicensesApi.Map(api);
    }
}
