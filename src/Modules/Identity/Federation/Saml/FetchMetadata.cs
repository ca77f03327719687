using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>Fetches what an identity provider publishes, through the guarded client, for whoever is about to set it; nothing is kept.</summary>
internal static class FetchMetadata
{
    public static void Map(IEndpointRouteBuilder providers) =>
        providers.MapPost("/metadata", FetchAsync).RequireScope(PeopleApi.Right).WithName("FetchSamlMetadata").WithSummary("Fetch the metadata of an identity provider, to be looked at and set").Produces<FetchedMetadata>();

    private static async Task<IResult> FetchAsync(FetchMetadataRequest request, ProviderClient client, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var address = request.Address!.Trim();
        FetchedMetadata? found = null;
        ProviderException? failed = null;
        try
        {
            var now = time.GetUtcNow();
            var text = await client.FetchMetadataAsync(address, cancellationToken);
            var facts = SamlMetadata.Read(text, now);
            found = new FetchedMetadata(facts.EntityId, facts.SignInAddress, CustomerSaml.Describe(facts.Certificates, now), text);
        }
        catch (ProviderException failure)
        {
            failed = failure;
        }

        events.Audit(new AuditFact("identity.metadata-fetched", db.Scope.IsAll ? AuditLog.Operator : AuditLog.Customer, "provider", "new")
        {
            CustomerId = db.Scope.IsAll ? null : db.Scope.CustomerId,
            Outcome = failed is null ? AuditOutcome.Success : AuditOutcome.Failed,
            Reason = failed?.Message,
            Changes = [Change.Add("/metadataAddress", address)],
        });
        await db.SaveChangesAsync(cancellationToken);
        return found is not null ? TypedResults.Ok(found) : Problems.Invalid([new FieldError("/address", failed!.Code, failed.Message)]);
    }
}
