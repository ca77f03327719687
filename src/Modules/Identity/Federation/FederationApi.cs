using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>
/// <c>/api/v1/identity/federation</c>: sign-in at a provider by OpenID Connect's authorization code flow with PKCE, or by SAML. The portal
/// sends browsers there and posts what they bring back; codes and tokens are exchanged here.
/// </summary>
internal static class FederationApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var federation = api.MapGroup("/federation");
        federation.MapGet("/{provider}", GetAsync).OpenToAll("what the page before sign-in shows").WithName("GetSignInProvider").WithSummary("A provider, for whoever wants to sign in by it").Produces<SignInProvider>();
        BeginSignIn.Map(federation);
        FinishSignIn.Map(federation);
        ProveSignIn.Map(federation);
        DirectorySignIn.Map(federation);
        BackChannelLogout.Map(federation);
        PublishMetadata.Map(federation);
    }

    /// <summary>Writes down that a sign-in was refused, and why; the reader is told in words that give nobody away.</summary>
    public static async Task<IResult> RefuseAsync(ControlPlaneDbContext db, IEvents events, Provider provider, AuditActor? actor, string why, string? told, UnknownTries unknown, CancellationToken cancellationToken)
    {
        // Anybody can bring an answer that is none: strangers fill no log.
        if (actor is not null || unknown.MayBeTold())
        {
            events.Audit(Fact(provider, "identity.sign-in-refused") with { Actor = actor ?? new AuditActor("system", "unknown", provider.Way), Outcome = AuditOutcome.Denied, Reason = why });
            await db.SaveChangesAsync(cancellationToken);
        }

        return Problems.Of(ProblemCodes.Unauthenticated, told ?? why);
    }

    public static AuditFact Fact(Provider provider, string type) => new(type, provider.IsStaffs ? AuditLog.Operator : AuditLog.Customer, "provider", provider.Id) { CustomerId = provider.CustomerId };

    private static async Task<IResult> GetAsync(string provider, ProviderBook providers, DirectoryClient directories, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (directories.Find(provider) is { } directory)
        {
            return TypedResults.Ok(new SignInProvider(directory.Id, directory.Name) { Kind = "ldap" });
        }

        try
        {
            return await providers.FindAsync(db, provider, cancellationToken) is { } found ? TypedResults.Ok(new SignInProvider(found.Id, found.Name)) : Problems.NotFound();
        }
        catch (ProviderException failure)
        {
            return Problems.Of(ProblemCodes.Conflict, failure.Message);
        }
    }
}
