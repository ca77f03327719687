using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace MissionControl.Platform.Http;

/// <summary>What every list takes besides its own filters.</summary>
/// <param name="Request">The request, whose question the link to the next page repeats.</param>
/// <param name="Sort">The order of the list; a leading minus reverses it.</param>
/// <param name="Limit">How many rows a page has at most; 50 if it is not said.</param>
/// <param name="Cursor">The position that a link to the next page carries; it belongs to its order.</param>
public sealed record ListQuery(HttpRequest Request, [FromQuery] string? Sort, [FromQuery] int? Limit, [FromQuery] string? Cursor)
{
    private static readonly string[] OfTheFirstPage = ["cursor", "count", "facets"];

    /// <summary>How many rows the page has at most.</summary>
    public int Take => Math.Clamp(Limit ?? 50, 1, QueryParameters.MaxLimit);

    /// <summary>The same question for the rows behind a position. What was counted for the first page is not counted again.</summary>
    public string LinkBehind(params string[] position) => Request.Path + QueryString
        .Create(Request.Query.Where(parameter => !OfTheFirstPage.Contains(parameter.Key, StringComparer.OrdinalIgnoreCase)))
        .Add("cursor", Cursors.Encode(position));
}

/// <summary>The orders that an endpoint's list can be had in.</summary>
/// <param name="Usual">The order without <c>sort</c>.</param>
/// <param name="Names">All of them.</param>
public sealed record SortNames(string Usual, IReadOnlyList<string> Names);
