using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Directories;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>By what staff signs in besides passkeys and passwords, as the configuration says it, with what is to be registered there.</summary>
internal static class ListStaffProviders
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/staff-providers", List).RequireScope("identity:read").WithName("ListStaffProviders").WithSummary("Providers and directories that sign staff in, as the server's configuration says it").Produces<StaffProviderList>();

    // A customer's administrator knows nothing of them but the buttons on the page before sign-in.
    private static IResult List(ClaimsPrincipal reader, ProviderBook providers, DirectoryClient directories, ControlPlaneDbContext db, TimeProvider time)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.NotFound();
        }

        IReadOnlyList<AllowedAction> actions = [AllowedAction.Of("test", Scopes.Lacking(reader, PeopleApi.Right))];
        return TypedResults.Ok(new StaffProviderList([
            .. providers.Staffs.Select(provider => Describe(provider, providers, actions, time.GetUtcNow())),
            .. directories.All.Select(directory => new StaffProviderItem(directory.Id, directory.Name, "ldap", directory.Server!.ToString(), RolesOf(directory.Roles), null, null, null, actions)),
        ]));
    }

    private static StaffProviderItem Describe(StaffProviderOptions provider, ProviderBook providers, IReadOnlyList<AllowedAction> actions, DateTimeOffset now)
    {
        var isSaml = provider.Kind == "saml";
        return new StaffProviderItem(
            provider.Id, provider.Name, provider.Kind, isSaml ? EntityOf(provider, now) : provider.Issuer, RolesOf(provider.Roles), At($"/signin/{provider.Id}/{(isSaml ? "acs" : "callback")}"),
            isSaml ? null : At($"/api/v1/identity/federation/{provider.Id}/backchannel-logout"), isSaml ? At($"/api/v1/identity/federation/{provider.Id}/metadata") : null, actions);

        string? At(string path) => providers.PortalAddress is { } portal ? new Uri(portal, path).ToString() : null;
    }

    // The metadata says it where the configuration does not; what is wrong with its file the test says.
    private static string EntityOf(StaffProviderOptions provider, DateTimeOffset now)
    {
        try
        {
            return provider.ToProvider(now).Issuer;
        }
        catch (ProviderException)
        {
            return provider.Issuer;
        }
    }

    private static List<GroupRole> RolesOf(Dictionary<string, string> roles) => [.. roles.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new GroupRole(pair.Key, pair.Value))];
}
