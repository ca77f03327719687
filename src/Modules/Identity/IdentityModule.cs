using System.Net;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Identity.Confirmation;
using MissionControl.Identity.Devices;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.Groups;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.Leaks;
using MissionControl.Identity.Me;
using MissionControl.Identity.OAuth;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Identity.Posture;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Identity.Tokens;
using MissionControl.Identity.Views;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Identity;

/// <summary>The role <c>identity</c>: people, what they sign in with, programs and their tokens, sessions and saved views.</summary>
public sealed class IdentityModule : IModule
{
    /// <inheritdoc />
    public string Name => "identity";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new ApiToken.Configuration());
        model.ApplyConfiguration(new Session.Configuration());
        model.ApplyConfiguration(new SavedView.Configuration());
        model.ApplyConfiguration(new Person.Configuration());
        model.ApplyConfiguration(new HeldRole.Configuration());
        model.ApplyConfiguration(new Group.Configuration());
        model.ApplyConfiguration(new GroupMember.Configuration());
        model.ApplyConfiguration(new Invitation.Configuration());
        model.ApplyConfiguration(new Authenticator.Configuration());
        model.ApplyConfiguration(new RecoveryCode.Configuration());
        model.ApplyConfiguration(new Passkey.Configuration());
        model.ApplyConfiguration(new Challenge.Configuration());
        model.ApplyConfiguration(new DeviceAttempt.Configuration());
        model.ApplyConfiguration(new AskedConfirmation.Configuration());
        model.ApplyConfiguration(new Preferences.Configuration());
        model.ApplyConfiguration(new LeakIncident.Configuration());
        model.ApplyConfiguration(new LeakPlace.Configuration());
        model.ApplyConfiguration(new UsedToken.Configuration());
        model.ApplyConfiguration(new CustomerProvider.Configuration());
        model.ApplyConfiguration(new FederatedIdentity.Configuration());
        model.ApplyConfiguration(new SignInAttempt.Configuration());
        model.ApplyConfiguration(new TakenLogoutToken.Configuration());
        model.ApplyConfiguration(new ServiceAccount.Configuration());
        model.ApplyConfiguration(new FormerOwner.Configuration());
        model.ApplyConfiguration(new ScopeRequest.Configuration());
        model.ApplyConfiguration(new ClientKey.Configuration());
        model.ApplyConfiguration(new UsedAssertion.Configuration());
        model.ApplyConfiguration(new DirectoryTry.Configuration());
        model.ApplyConfiguration(new ConsumedAssertion.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
        host.Services.AddOptions<IdentityOptions>().BindConfiguration("Identity")
            .Validate(options => options.PortalAddress is null or { IsAbsoluteUri: true, Scheme: "https" }, "Identity:PortalAddress is written as https://control.example.com.")
            .Validate(options => options.BreachedPasswordsFile is null or "" || File.Exists(options.BreachedPasswordsFile), "Identity:BreachedPasswordsFile is not there.")
            .Validate(options => options.PasskeyOrigins.All(origin => Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Scheme == "https" && page.GetLeftPart(UriPartial.Authority) == origin && (page.Host == options.RelyingParty || page.Host.EndsWith($".{options.RelyingParty}", StringComparison.Ordinal))),
                "Identity:PasskeyOrigins are written as https://control.example.com, each within Identity:PasskeyDomain.")
            .Validate(options => options.StepUpCoolDown >= TimeSpan.Zero && options.StepUpCoolDown <= TimeSpan.FromDays(30), "Identity:StepUpCoolDown is 30 days at most.")
            .Validate(options => options.Staff.IsValid && options.Customers.IsValid, "Identity:Staff and Identity:Customers: Idle is 5 minutes to a day, Longest no shorter than that and 30 days at most.")
            .Validate(options => options.AllowedNetworks.Concat(options.CustomerNetworks).All(network => IPNetwork.TryParse(network, out _)), "Identity:AllowedNetworks and Identity:CustomerNetworks list networks, each written as 10.0.0.0/8.")
            .Validate(options => options.MostFederatedPeople is >= 1 and <= 1_000_000, "Identity:MostFederatedPeople is 1 to 1,000,000.")
            .Validate(options => options.CaFile is null or "" || File.Exists(options.CaFile), "Identity:CaFile is not there.")
            .Validate(options => options.Providers.Count == 0 || options.PortalAddress is not null, "Identity:Providers needs Identity:PortalAddress: providers send browsers back there.")
            .ValidateOnStart();
        host.Services.AddOptions<LeakOptions>().BindConfiguration("Identity:Leaks")
            .Validate(options => options.IsValid, "Identity:Leaks:GitHubKeysUrl is written as https://api.github.com/meta/public_keys/secret_scanning, or is empty.")
            .Validate(options => options.GitLabTokenFile is null or "" || options.ReadGitLabToken() is not null, "Identity:Leaks:GitLabTokenFile is not there, or holds fewer than 20 characters.")
            .ValidateOnStart();
        host.Services.AddSingleton<GitHubKeys>();
        host.Services.AddSingleton<ReportBody>();
        host.Services.AddSingleton<StrangersReports>();
        host.Services.AddSingleton<IValidateOptions<IdentityOptions>, StaffProviders>();
        host.Services.AddSingleton<IValidateOptions<IdentityOptions>, StaffDirectories>();
        host.Services.AddSingleton<DirectoryClient>();
        host.Services.AddSingleton<ProviderBook>();
        host.Services.AddSingleton<ProviderClient>();
        host.Services.AddSingleton<IdTokens>();
        host.Services.AddSingleton<PeopleLimit>();
        host.Services.AddSingleton<UserTokenKey>();
        host.Services.AddSingleton<Issuer>();
        host.Services.AddSingleton<ClientTokenKey>();
        host.Services.AddSingleton<ClientAssertions>();
        host.Services.AddSingleton<WrongClients>();
        host.Services.Configure<PasswordHasherOptions>(static options => options.IterationCount = Passwords.Iterations);
        host.Services.AddSingleton<Passwords>();
        host.Services.AddSingleton<FactorBook>();
        host.Services.AddSingleton<PasskeyBook>();
        host.Services.AddSingleton<PasskeyQuestions>();
        host.Services.AddSingleton<DeviceLimits>();
        host.Services.AddSingleton<BegunSignIns>();
        host.Services.AddSingleton<FirstAdministrator>();
        host.Services.AddSingleton<UnknownTries>();
        host.Services.AddHostedService<IdentityStart>();
        host.Services.AddSweeper<TellUserKeys>();
        host.Services.AddSweeper<ForgetChallenges>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<LeakedTokensJudged, TakeJudgement>("identity.take-judgement");
        handlers.Add<NoteTokenUses, AddTokenUses>("identity.add-token-uses");
        handlers.Add<NameRecipients, SendToPeople>("identity.send-to-people");
        handlers.Add<AskToConfirm, AskedConfirmation.Take>("identity.ask-to-confirm");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Purge<ApiToken>("token", "who may call the API, and could", personal: true, Term.Days(400, 90, 1200), "after it expired", row => row.ExpiresAt);
        records.Purge<Session>("session", "who was signed in", personal: true, Term.Days(400, 30, 400), "after it expired", row => row.ExpiresAt);
        records.Keep("person", "who may sign in, and by what", personal: true, "as long as the installation; a disabled person stays, for the audit log", typeof(Person), typeof(Authenticator), typeof(RecoveryCode), typeof(Passkey));
        records.Purge<Challenge>("challenge", "what a passkey was asked, so that it answers once", personal: true, Term.Days(1, 1, 7), "after it expired", row => row.ExpiresAt);
        records.Purge<DeviceAttempt>("device-attempt", "programs that waited to be signed in", personal: true, Term.Days(1, 1, 30), "after it expired", row => row.ExpiresAt);
        records.Purge<AskedConfirmation>("confirmation", "what programs asked people to confirm", personal: true, Term.Days(1, 1, 30), "after it expired", row => row.ExpiresAt);
        records.Keep("held-role", "who held which role when", personal: true, "as long as the person", typeof(HeldRole));
        records.Keep("group", "which groups give which roles", personal: false, "as long as the installation; a removed one stays, for who held a role through it", typeof(Group));
        records.Keep("group-member", "who is in which group", personal: true, "until the person leaves the group", typeof(GroupMember));
        records.Purge<Invitation>("invitation", "who was invited", personal: true, Term.Days(90, 7, 400), "after it expired", row => row.ExpiresAt);
        records.Purge<LeakIncident>("leak", "which tokens leaked, and what was done", personal: true, Term.Days(400, 90, 1200), "after it was closed", row => row.ClosedAt);
        records.Purge<LeakPlace>("leak-place", "where tokens were found", personal: true, Term.Days(400, 90, 1200), "after it was found", row => row.FoundAt);
        records.Purge<UsedToken>("used-token", "when and from where tokens were used last", personal: true, Term.Days(400, 90, 400), "after the last use", row => row.LastAt);
        records.Keep("provider", "by which provider a customer's users sign in", personal: false, "until it is removed", typeof(CustomerProvider));
        records.Keep("federated-identity", "who a person is at its provider", personal: true, "as long as the person", typeof(FederatedIdentity));
        records.Purge<SignInAttempt>("sign-in-attempt", "sign-ins at a provider that were begun", personal: true, Term.Days(1, 1, 30), "after it expired", row => row.ExpiresAt);
        records.Purge<TakenLogoutToken>("logout-token", "logout tokens that count no second time", personal: false, Term.Days(1, 1, 30), "after it expired", row => row.ExpiresAt);
        records.Keep("service-account", "which programs may call the API, and who answers for them", personal: true, "as long as the installation; a disabled one stays, for the audit log", typeof(ServiceAccount), typeof(FormerOwner));
        records.Purge<ScopeRequest>("scope-request", "which rights were asked for programs, and who decided", personal: true, Term.Days(400, 90, 1200), "after it could be granted", row => row.ExpiresAt);
        records.Purge<ClientKey>("client-key", "by which keys programs prove themselves, and did", personal: true, Term.Days(400, 90, 1200), "after it expired", row => row.ExpiresAt);
        records.Purge<UsedAssertion>("assertion", "assertions that count no second time", personal: false, Term.Days(1, 1, 30), "after it expired", row => row.ExpiresAt);
        records.Purge<DirectoryTry>("directory-try", "wrong passwords of people in a directory", personal: true, Term.Days(1, 1, 30), "after the last one counts no more", row => row.ExpiresAt);
        records.Purge<ConsumedAssertion>("consumed-assertion", "assertions that count no second time", personal: false, Term.Days(1, 1, 30), "after it ended", row => row.ExpiresAt);
        records.Keep("preferences", "how people want pages to look", personal: true, "as long as the person", typeof(Preferences));
        records.Keep("view", "filters of lists that somebody named", personal: true, "until it is deleted", typeof(SavedView));
    }

    /// <inheritdoc />
    public IReadOnlyList<ConsoleTask> ConsoleTasks => [CreateAdministrator.Task, TestDirectory.Task];

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        TokensApi.Map(api);
        ServiceAccountsApi.Map(api);
        OAuthApi.Map(api);
        SessionsApi.Map(api);
        SignInApi.Map(api);
        PasskeySignIn.Map(api);
        DeviceSignInApi.Map(api);
        MyDevices.Map(api);
        StepUpApi.Map(api);
        ConfirmationsApi.Map(api);
        FederationApi.Map(api);
        ProvidersApi.Map(api);
        TestProvider.Map(api);
        ListStaffProviders.Map(api);
        InvitationsApi.Map(api);
        PeopleApi.Map(api);
        GroupsApi.Map(api);
        MeApi.Map(api);
        LeaksApi.Map(api);
        PostureApi.Map(api);
        ViewsApi.Map(api);
    }

    /// <inheritdoc />
    public void MapPages(IEndpointRouteBuilder root) => OAuthApi.MapWellKnown(root);
}
