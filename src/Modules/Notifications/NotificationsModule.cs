using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MimeKit;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Notifications.Channels;
using MissionControl.Notifications.Contacts;
using MissionControl.Notifications.Deliveries;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Notifications;

/// <summary>The role <c>notifications</c>: mail, webhooks and syslog out, for every role.</summary>
public sealed class NotificationsModule : IModule
{
    /// <inheritdoc />
    public string Name => "notifications";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new Contact.Configuration());
        model.ApplyConfiguration(new NotifiedCustomer.Configuration());
        model.ApplyConfiguration(new OutboundEndpoint.Configuration());
        model.ApplyConfiguration(new Delivery.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
        host.Services.AddOptions<NotificationOptions>().BindConfiguration("Notifications")
            .Validate(options => options.AllowedNetworks.All(network => IPNetwork.TryParse(network, out _)), "Notifications:AllowedNetworks lists networks, each written as 10.0.0.0/8.")
            .Validate(options => options.CaFile is null or "" || File.Exists(options.CaFile), "Notifications:CaFile is not there.")
            .Validate(options => options.Smtp.Host is null or "" || (MailboxAddress.TryParse(options.Smtp.From, out var from) && from.Domain.Length > 0), "Notifications:Smtp:From must be the address that mails come from when there is a mail server.")
            .Validate(options => options.Smtp.Port is > 0 and < 65536, "Notifications:Smtp:Port is 1 to 65535.")
            .Validate(options => options.Smtp.Security is "starttls" or "tls", "Notifications:Smtp:Security is starttls or tls.")
            .Validate(options => options.Smtp.PasswordFile is null or "" || File.Exists(options.Smtp.PasswordFile), "Notifications:Smtp:PasswordFile is not there.")
            .ValidateOnStart();
        host.Services.AddSingleton(services => services.GetRequiredService<IOptions<NotificationOptions>>().Value.Guard());
        host.Services.AddSingleton<EndpointSecrets>();
        host.Services.AddSingleton<MailChannel>();
        host.Services.AddSingleton<WebhookChannel>();
        host.Services.AddSingleton<SyslogChannel>();
        host.Services.AddSingleton<Ways>();
        host.Services.AddSweeper<SendDue>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<CustomerChanged, KeepCustomer>("notifications.keep-customer");
        handlers.Add<SendNotification, TakeNotification>("notifications.take-notification");
        handlers.Add<DeliverEvent, TakeEvent>("notifications.take-event");
        handlers.Add<WithdrawEvent, TakeWithdrawal>("notifications.take-withdrawal");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("contact", "who is told by mail", personal: true, "until it is removed", typeof(Contact));
        records.Keep("customer", "how customers are called", personal: false, "as long as the customer", typeof(NotifiedCustomer));
        records.Keep("endpoint", "which systems are told", personal: false, "until it is removed", typeof(OutboundEndpoint));
        records.Purge<Delivery>("delivery", "who was told what, and when; what it said is gone once it is sent", personal: true, Term.Days(90, 7, 400), "after it was sent or failed", row => row.EndedAt);
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        ContactsApi.Map(api);
        EndpointsApi.Map(api);
        DeliveriesApi.Map(api);
    }
}
