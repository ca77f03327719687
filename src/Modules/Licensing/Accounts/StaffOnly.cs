using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Accounts;

/// <summary>What is agreed is written by the vendor's staff alone.</summary>
internal static class StaffOnly
{
    public const string Right = "licensing:write";

    /// <summary>Why somebody may change nothing of what is agreed, in words; null: they may.</summary>
    public static string? Hindrance(ClaimsPrincipal reader, ControlPlaneDbContext db) => Scopes.Lacking(reader, Right) ?? (db.Scope.IsAll ? null : "Only staff of the vendor changes what is agreed.");

    /// <summary>Nobody but the vendor's staff sees what is behind this group, whatever rights a customer's principal has.</summary>
    public static RouteGroupBuilder ForStaff(this RouteGroupBuilder group) => group.AddEndpointFilter(static async (context, next) =>
        context.HttpContext.RequestServices.GetRequiredService<CustomerScope>().IsAll ? await next(context) : Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees price books and plans; the prices of a contract are its rate card."));
}
