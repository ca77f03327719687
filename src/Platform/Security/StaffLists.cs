using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;

namespace MissionControl.Platform.Security;

/// <summary>What an answer of an endpoint shows of many customers: the ids of its rows, each once.</summary>
public sealed record ListsCustomers(Func<object?, IReadOnlyList<string>> Ids);

/// <summary>
/// A list or a search over many customers that the vendor's staff reads: entries in the log of the operators that say what was asked
/// for, and which rows were shown. What the same question has shown within the hour is not told again: an open page that is asked for
/// again and again tells what is new on it, and who turns the pages of a list what stands on each.
/// </summary>
public static class StaffLists
{
    // An entry has 65,535 bytes, and an id fewer than 60.
    private const int IdsOfAnEntry = 1_000;

    // How a list is cut and sorted says nothing of what was looked for, and a cursor may hold the name behind which a page begins.
    private static readonly string[] OfThePage = ["sort", "limit", "cursor", "count", "facets"];

    // What is typed may be somebody's name or address.
    private static readonly string[] Typed = ["q", "recipient"];

    /// <summary>Says which rows a list over many customers shows.</summary>
    /// <typeparam name="TBuilder">What is built.</typeparam>
    /// <typeparam name="TRow">A row of its pages.</typeparam>
    /// <param name="builder">The endpoint.</param>
    /// <param name="id">The id of a row, or of what it is about.</param>
    public static TBuilder Lists<TBuilder, TRow>(this TBuilder builder, Func<TRow, string> id)
        where TBuilder : IEndpointConventionBuilder => builder.Lists((Page<TRow> page) => page.Items.Select(id));

    /// <summary>The same for an answer that is no page.</summary>
    public static TBuilder Lists<TBuilder, TAnswer>(this TBuilder builder, Func<TAnswer, IEnumerable<string>> ids)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ListsCustomers(answer => answer switch
        {
            IShownAsFile file => file.Ids,
            IValueHttpResult { Value: TAnswer shown } => [.. ids(shown).Distinct()],
            _ => throw new InvalidOperationException($"A list that says its rows are {typeof(TAnswer)} answered with {answer?.GetType()}."),
        }));

    /// <summary>What was asked for, in a bounded space; not which page of it.</summary>
    internal static string Asked(HttpRequest request) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('&', Filter(request).Select(parameter => $"{parameter.Key}={parameter.Value}")))));

    /// <summary>Tells the log of the operators what was asked for and shown.</summary>
    internal static void Tell(IEvents events, string type, string list, HttpRequest request, IReadOnlyList<string> ids)
    {
        var asked = Filter(request).ToLookup(parameter => Typed.Contains(parameter.Key, StringComparer.OrdinalIgnoreCase));
        AuditChange[] filter = [.. asked[false].Select(parameter => Change.Add($"/filter/{parameter.Key}", parameter.Value.ToString())), Change.Add("/count", ids.Count)];
        foreach (var shown in ids.Chunk(IdsOfAnEntry).DefaultIfEmpty([]))
        {
            events.Audit(new AuditFact(type, AuditLog.Operator, "list", list)
            {
                Changes = [.. filter, Change.Add("/ids", shown)],
                Personal = asked[true].ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString()),
            });
        }
    }

    private static IEnumerable<KeyValuePair<string, StringValues>> Filter(HttpRequest request) => request.Query.Where(parameter => !OfThePage.Contains(parameter.Key, StringComparer.OrdinalIgnoreCase)).OrderBy(parameter => parameter.Key, StringComparer.Ordinal);
}

/// <summary>An answer that is a file, and says what is in it before it is read.</summary>
public interface IShownAsFile
{
    /// <summary>The ids of its rows, or of what they are about.</summary>
    IReadOnlyList<string> Ids { get; }
}
