using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Platform.Security;

/// <summary>Authentication and authorisation of the API.</summary>
public static class PlatformSecurity
{
    /// <summary>Registers bearer authentication and scopes. An endpoint without a policy asks for an authenticated principal.</summary>
    public static void AddPlatformSecurity(this IServiceCollection services)
    {
        services.AddScoped<CurrentPrincipal>();
        services.AddSingleton<KnownTokens>();
        services.AddSingleton(provider => new TokenUses(provider.GetRequiredService<IServiceScopeFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddOptions<AccessTokenOptions>().BindConfiguration("AccessTokens")
            .Validate(options => options.IsValid, "AccessTokens:Issuer is written as https://login.example.com, and needs AccessTokens:Audience. AllowedNetworks are written as 10.0.0.0/8, and CaFile must be there.")
            .ValidateOnStart();
        services.AddSingleton<OtherIssuer>();
        services.AddHostedService(provider => provider.GetRequiredService<TokenUses>());
        services.AddSingleton<StaffNetworks>();
        services.AddSingleton<RecentReads>();
        services.AddSingleton(provider => new StepUpGuard(provider.GetRequiredService<KnownTokens>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAuthorizationHandler, ScopeHandler>();
        services.AddAuthentication(BearerAuthentication.SchemeName).AddScheme<AuthenticationSchemeOptions, BearerAuthentication>(BearerAuthentication.SchemeName, null);
        services.AddAuthorization(authorization => authorization.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>Every role's handlers for identity's facts.</summary>
    public static void AddSecurityHandlers(this HandlerRegistry handlers, string module)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<TokenChanged, KeepToken>($"{module}.keep-token");
        handlers.Add<PersonChanged, KeepPerson>($"{module}.keep-person");
        handlers.Add<UserKeysChanged, KeepUserKeys>($"{module}.keep-user-keys");
        handlers.Add<ServiceAccountChanged, KeepServiceAccount>($"{module}.keep-service-account");
        handlers.Add<ClientKeysChanged, KeepClientKeys>($"{module}.keep-client-keys");
    }

    /// <summary>Module first (it chooses whose tokens count), then who, then what they may, then how often.</summary>
    public static void UsePlatformSecurity(this IApplicationBuilder app)
    {
        app.UseModules();
        app.UseAuthentication();
        app.Use(static (context, next) =>
        {
            // A program of the vendor is where the vendor is, too.
            if (context.User.FindFirst("kind")?.Value is "staff" or "serviceAccount" && context.User.FindFirst("customer") is null && !context.RequestServices.GetRequiredService<StaffNetworks>().Admits(context, context.User.FindFirst("auth")?.Value == "session"))
            {
                return Problems.WriteAsync(context, ProblemCodes.OutsideNetwork, "The vendor's staff works from its own networks only; this address is in none of them.");
            }

            BearerAuthentication.Enter(
                context.User, context.RequestServices.GetRequiredService<CurrentPrincipal>(), context.RequestServices.GetRequiredService<CustomerScope>(), context.Connection.RemoteIpAddress);
            return next(context);
        });
        app.UseRateLimiter();
        app.UseAuthorization();
    }
}
