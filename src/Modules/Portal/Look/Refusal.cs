using MissionControl.Client;
using MissionControl.Contracts.Api;

namespace MissionControl.Portal.Look;

/// <summary>Why a role gave no answer, in words for a page.</summary>
/// <param name="Role">The role.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">What happened.</param>
/// <param name="Detail">What to do about it.</param>
/// <param name="TraceId">For finding the request in the logs.</param>
/// <param name="Errors">Mistakes in the form, by field.</param>
public sealed record Refusal(string Role, int Status, string Title, string Detail, string? TraceId, IReadOnlyList<FieldError> Errors)
{
    internal static Refusal Of(string role, ApiException refusal) => refusal.Problem is null && (int)refusal.Status >= 500 ? Silent(role) : new(
        role, (int)refusal.Status, refusal.Problem?.Title ?? $"{Words.Role(role)} refused", refusal.Message, refusal.Problem?.TraceId, refusal.Problem?.Errors ?? []);

    internal static Refusal Silent(string role) => new(role, 503, $"{Words.Role(role)} did not answer", $"{Words.Role(role)} did not answer in time. Nothing was changed as far as is known; the rest of the page is current.", null, []);

    internal static Refusal Lacks(string scope) => new(
        scope[..scope.IndexOf(':', StringComparison.Ordinal)], 403, "Not yours to see", $"This needs the right {scope}. An administrator can give you a token that holds it.", null, []);

    internal static Refusal NoPage() => new("portal", 404, "There is no such page", "Nothing is at this address.", null, []);

    internal static Refusal NoFilter(IReadOnlyList<string> names) => new("portal", 400, "There is no such filter", $"This list has no filter called {string.Join(" or ", names)}. Without it the file would hold more than was meant.", null, []);

    internal static Refusal OutsideNetwork() => new("portal", 403, "Not from this network", "The vendor's staff works from its own networks only, and this address is in none of them. Your session is kept: go on from there.", null, []);

    internal static Refusal NoRole() => new("portal", 400, "Each role keeps its own list", "Name the role: choose it on the page of the list, and take the file from there.", null, []);

    internal static Refusal Expired() => new("portal", 400, "This page was open for too long", "Nothing was changed. Look at the page once more and send the form again.", null, []);
}
