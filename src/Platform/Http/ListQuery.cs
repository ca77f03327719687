using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace MissionControl.Platform.Http;

/// <summary>What every list takes besides its own filters.</summary>
public sealed record ListQuery
{
    private static readonly string[] OfTheFirstPage = ["cursor", "count", "facets"];

    /// <summary>The request, whose question the link to the next page repeats.</summary>
    public required HttpRequest Request { get; init; }

    /// <summary>The order of the list; a leading minus reverses it.</summary>
    [FromQuery]
    public string? Sort { get; init; }

    /// <summary>How many rows a page has at most; 50 if it is not said.</summary>
    [FromQuery]
    public int? Limit { get; init; }

    /// <summary>The position that a link to the next page carries; it belongs to its order.</summary>
    [FromQuery]
    public string? Cursor { get; init; }

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
