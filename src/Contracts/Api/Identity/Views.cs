using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Saves a view of a list.</summary>
/// <param name="List">The list: clusters, customers, audit, …</param>
/// <param name="Name">What it is called; no two views that somebody made of one list are called the same.</param>
/// <param name="Query">Filter, order and columns as the list's address has them, without the question mark.</param>
/// <param name="Shared">Whether others see it: all staff, or all of the same customer.</param>
/// <param name="IsDefault">Whether the list opens with it for whoever made it; the one that did so before does no longer.</param>
public sealed record SaveViewRequest(
    [property: Required, RegularExpression("^[a-z-]{1,40}$", ErrorMessage = "A list is named in small letters, such as clusters.")] string? List,
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required(AllowEmptyStrings = true), RegularExpression(ViewQuery.Form, ErrorMessage = ViewQuery.Mistake)] string? Query,
    bool Shared = false,
    bool IsDefault = false);

/// <summary>Changes a view; members left out stay as they are. Needs If-Match.</summary>
/// <param name="Name">New name.</param>
/// <param name="Query">New filter, order and columns.</param>
/// <param name="Shared">Whether others see it.</param>
/// <param name="IsDefault">Whether the list opens with it.</param>
public sealed record ChangeViewRequest(
    [property: StringLength(100, MinimumLength = 1)] string? Name = null,
    [property: RegularExpression(ViewQuery.Form, ErrorMessage = ViewQuery.Mistake)] string? Query = null,
    bool? Shared = null,
    bool? IsDefault = null);

/// <summary>A saved view of a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="List">The list.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Query">What stands after the question mark of the list's address.</param>
/// <param name="Shared">Whether others see it.</param>
/// <param name="IsDefault">Whether the list opens with it for the reader.</param>
/// <param name="Owner">Who made it.</param>
/// <param name="CreatedAt">When (UTC).</param>
/// <param name="Version">Its version, as in the ETag.</param>
/// <param name="Actions">change and delete, and whether the reader may.</param>
public sealed record ViewItem(
    Guid Id, string List, string Name, string Query, bool Shared, bool IsDefault, string Owner, DateTimeOffset CreatedAt, long Version, IReadOnlyList<AllowedAction> Actions);

/// <summary>What a view's query looks like: as a browser writes it, so that a link needs no more than a question mark before it.</summary>
internal static class ViewQuery
{
    public const string Form = "^[A-Za-z0-9._~%&=+,:;@/!$'()*-]{0,1000}$";
    public const string Mistake = "A query is at most 1000 characters of what stands after the question mark of an address.";
}
