using MissionControl.Contracts.Api;

namespace MissionControl.Portal.Lists;

/// <summary>All rows of a filter, asked for page by page as a file is written: in bounded memory, however many there are.</summary>
internal static class EveryPage
{
    /// <summary>Every row of a list. The first page is asked for by the caller, whose refusal is still an answer.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="next">Asks for the page that the API names as the next.</param>
    public static async IAsyncEnumerable<T> OfAsync<T>(Page<T> first, Func<string, Task<Page<T>>> next)
    {
        for (var page = first; ; page = await next(page.Next!))
        {
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (page.Next is null)
            {
                yield break;
            }
        }
    }
}
