using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What Mission Control is to an identity provider: to be imported there. Its address is the entity id.</summary>
internal static class PublishMetadata
{
    private const string Type = "application/samlmetadata+xml";

    public static void Map(IEndpointRouteBuilder federation) =>
        federation.MapGet("/{provider}/metadata", GetAsync).OpenToAll("a provider fetches it").WithName("GetSamlMetadata").WithSummary("What to register at an identity provider that speaks SAML").Produces<string>(StatusCodes.Status200OK, Type);

    private static async Task<IResult> GetAsync(string provider, ProviderBook providers, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        try
        {
            if (await providers.FindAsync(db, provider, cancellationToken) is not { Saml: not null } found)
            {
                return Problems.NotFound();
            }

            return providers.PortalAddress is null
                ? Problems.Of(ProblemCodes.Conflict, "This installation does not know its own address (Identity:PortalAddress).")
                : TypedResults.Text(SamlMetadata.Describe(providers.ExpectationOf(found, "")), Type);
        }
        catch (ProviderException failure)
        {
            return Problems.Of(ProblemCodes.Conflict, failure.Message);
        }
    }
}
