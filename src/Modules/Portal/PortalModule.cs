using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Client;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Portal.Edge;
using MissionControl.Portal.Live;
using MissionControl.Portal.Sessions;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal;

/// <summary>The role <c>portal</c>: the pages, a client of the REST API with the signed-in user's rights and nothing more.</summary>
public sealed class PortalModule : IModule
{
    // Long enough for a role under load, short enough that a dead one does not keep a reader waiting for the rest of the page.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public string Name => "portal";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var services = host.Services;
        services.AddRazorComponents();
        services.AddAntiforgery(forgery =>
        {
            forgery.Cookie.Name = "__Host-mc-forgery";
            forgery.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            forgery.Cookie.SameSite = SameSiteMode.Strict;
            forgery.SuppressXFrameOptionsHeader = true;
        });
        services.AddDataProtection().SetApplicationName("missioncontrol");
        services.AddSingleton<CookieSeal>();
        services.AddOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>().Configure<DataDirectory, CookieSeal, ILoggerFactory>((options, data, seal, logs) =>
        {
            options.XmlRepository = new FileSystemXmlRepository(Directory.CreateDirectory(data.PathOf("cookie-keys")), logs);
            options.XmlEncryptor = seal;
        });
        services.AddSingleton(provider => new MissionControlClient(new HttpClient(new ApiHandler(provider.GetRequiredService<ApiAddress>())) { BaseAddress = new Uri("http://api"), Timeout = Patience }));
        services.AddSingleton<SignedIn>();
        services.AddSingleton<Flashes>();
        services.AddSingleton<Watch>();
        services.AddScoped<PageContext>();
        ApiEdge.Add(services);
        services.AddSingleton<SignInLimit>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
    }

    /// <inheritdoc />
    public void MapPages(IEndpointRouteBuilder root)
    {
        PortalPages.Map(root);
        ApiEdge.Map(root);
    }

    /// <summary>Sends the client's requests to the API's address, which is known only once the listeners are bound.</summary>
    private sealed class ApiHandler(ApiAddress address) : DelegatingHandler(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new Uri(address.Value, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
