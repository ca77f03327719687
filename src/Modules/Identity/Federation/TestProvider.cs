using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>Asks a provider what it publishes, or a directory what it answers, and explains what is wrong. Nobody is signed in, and a secret is shown to nobody.</summary>
internal static class TestProvider
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/providers/{id:guid}/test", TestAsync).RequireScope(PeopleApi.Right).WithName("TestProvider").WithSummary("Ask a provider what it publishes, and explain what is wrong").Produces<ProviderTest>();
        api.MapPost("/staff-providers/{provider}/test", TestStaffsAsync).RequireScope(PeopleApi.Right).WithName("TestStaffProvider").WithSummary("Ask a provider or a directory of staff, and explain what is wrong").Produces<ProviderTest>();
    }

    private static async Task<IResult> TestAsync(Guid id, ProviderBook providers, ProviderClient client, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await ProvidersApi.Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } row)
        {
            return Problems.NotFound();
        }

        var checks = await AskAsync(() => providers.Open(row), row.Saml is { } kept ? KeptSaml.Of(kept).MetadataAddress : null, providers, client, time.GetUtcNow(), cancellationToken);
        return await TellAsync(db, events, row.Fact("identity.provider-tested"), checks, cancellationToken);
    }

    // Staff's are the server's configuration, of which a customer's administrator knows nothing.
    private static async Task<IResult> TestStaffsAsync(string provider, TestStaffProviderRequest request, ProviderBook providers, ProviderClient client, DirectoryClient directories, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.NotFound();
        }

        if (directories.Find(provider) is { } directory)
        {
            return request.Name is { Length: > 0 } name && !DirectoryNames.IsName(name)
                ? Problems.Invalid([new FieldError("/name", "characters", "A name has characters that can be seen, and no others.")])
                : await TellAsync(db, events, FederationApi.Fact(directory.ToProvider(), "identity.directory-tested") with { TargetType = "directory" }, await TestDirectory.LookAsync(directory, directories, request.Name, cancellationToken), cancellationToken);
        }

        if (providers.Staffs.FirstOrDefault(one => one.Id == provider) is not { } found)
        {
            return Problems.NotFound();
        }

        var checks = await AskAsync(() => found.ToProvider(time.GetUtcNow()), null, providers, client, time.GetUtcNow(), cancellationToken);
        return await TellAsync(db, events, new AuditFact("identity.provider-tested", AuditLog.Operator, "provider", found.Id), checks, cancellationToken);
    }

    private static async Task<List<ProviderCheck>> AskAsync(Func<Provider> open, string? metadataAddress, ProviderBook providers, ProviderClient client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<ProviderCheck> checks = [];
        try
        {
            var provider = open();
            if (provider.Saml is not null)
            {
                return [.. await TestSaml.LookAsync(provider, metadataAddress, providers, client, now, cancellationToken)];
            }

            var found = await client.FetchAsync(provider, cancellationToken);
            checks.Add(new ProviderCheck("discovery", "passed", $"The discovery document of {provider.Issuer} was read, and its issuer is the same."));
            checks.Add(new ProviderCheck("keys", "passed", $"{found.JsonWebKeySet.Keys.Count(IdTokens.IsUsable)} keys sign there."));
            checks.AddRange(Look(providers, provider, found));
        }
        catch (ProviderException failure)
        {
            checks.Add(new ProviderCheck(failure.Code, "failed", failure.Message));
        }

        return checks;
    }

    private static async Task<IResult> TellAsync(ControlPlaneDbContext db, IEvents events, AuditFact fact, List<ProviderCheck> checks, CancellationToken cancellationToken)
    {
        var hasSucceeded = checks.TrueForAll(check => check.Outcome != "failed");
        // The code alone: what it says in words names people and places inside.
        events.Audit(fact with { Outcome = hasSucceeded ? AuditOutcome.Success : AuditOutcome.Failed, Reason = checks.Find(check => check.Outcome == "failed")?.Code });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(new ProviderTest(hasSucceeded, checks));
    }

    private static IEnumerable<ProviderCheck> Look(ProviderBook providers, Provider provider, OpenIdConnectConfiguration found)
    {
        yield return found.CodeChallengeMethodsSupported.Count > 0
            ? new ProviderCheck("pkce", "passed", "PKCE with S256 is offered.")
            : new ProviderCheck("pkce", "warning", "The provider does not say whether it does PKCE. It is sent in any case.");
        yield return found.AuthorizationResponseIssParameterSupported
            ? new ProviderCheck("iss", "passed", "Answers name their issuer (RFC 9207), and it is checked.")
            : new ProviderCheck("iss", "warning", "Answers do not name their issuer (RFC 9207); the redirect URI, which is this provider's alone, keeps providers apart.");
        if (found.ScopesSupported.Count > 0 && provider.Scopes.Except(found.ScopesSupported).ToList() is { Count: > 0 } unknown)
        {
            yield return new ProviderCheck("scopes", "warning", $"The provider does not list the scopes {string.Join(", ", unknown)}; it may refuse them.");
        }

        if (provider.ClientSecret is not null && found.TokenEndpointAuthMethodsSupported is { Count: > 0 } methods && !methods.Contains("client_secret_basic") && !methods.Contains("client_secret_post"))
        {
            yield return new ProviderCheck("client-authentication", "failed", "The provider takes no client secret (token_endpoint_auth_methods_supported).");
        }

        if (provider.RequiredAcr.Count + provider.RequiredAmr.Count == 0)
        {
            yield return new ProviderCheck("second-factor", "warning", "Nothing that the provider says proves a second factor: everybody is asked for a code here as well.");
        }

        yield return providers.PortalAddress is null
            ? new ProviderCheck("redirect-uri", "failed", "This installation does not know its own address (Identity:PortalAddress); the vendor sets it.")
            : new ProviderCheck("redirect-uri", "passed", $"Register {providers.RedirectUriOf(provider)} there. The first sign-in shows whether it is, and whether the secret is right.");
    }
}
