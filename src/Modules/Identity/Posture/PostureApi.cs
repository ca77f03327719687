using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Posture;

/// <summary><c>/api/v1/identity/posture</c>: what is loose, the vendor's own or one customer's. What was looked for and not found stands there too.</summary>
internal static class PostureApi
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/posture", GetAsync).RequireScope("identity:read").WithName("GetPosture").WithSummary("What is loose about who may sign in and call: the vendor's own, or one customer's").Produces<PostureReport>();

    private static async Task<IResult> GetAsync(ControlPlaneDbContext db, IOptions<IdentityOptions> options, TimeProvider time, Guid? customer, CancellationToken cancellationToken)
    {
        // A customer's reader asks for its own, by name or without.
        var whose = db.Scope.IsAll ? customer : db.Scope.CustomerId;
        if (customer is not null && customer != whose)
        {
            return Problems.NotFound();
        }

        var look = new PostureLook(db, whose, time.GetUtcNow(), cancellationToken);
        List<PostureCheck> checks = whose is null ? [await ProgramChecks.BootstrapAsync(look)] : [];
        checks.AddRange(
        [
            await ProgramChecks.LeaksAsync(look, db.Scope.IsAll),
            await PeopleChecks.FewAdministratorsAsync(look),
            await PeopleChecks.AdministratorsAwayAsync(look),
            await PeopleChecks.InvitationsAsync(look),
            await PeopleChecks.WithoutPasskeyAsync(look),
            await PeopleChecks.AwayAsync(look),
            await PeopleChecks.WithoutRoleAsync(look),
            await PeopleChecks.ProvidersAsync(look, options.Value),
            await ProgramChecks.WideRightsAsync(look),
            await ProgramChecks.UnusedAsync(look),
            await ProgramChecks.ExpiringAsync(look),
            await ProgramChecks.WithoutOwnerAsync(look),
            await ProgramChecks.WithoutCredentialAsync(look),
        ]);
        return TypedResults.Ok(new PostureReport(whose, look.Now, checks.Count(check => check.Count > 0), checks));
    }
}
