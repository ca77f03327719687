namespace MissionControl.Contracts.Api;

/// <summary>One page of a list.</summary>
/// <param name="Items">The items of this page.</param>
/// <param name="Next">Link to the next page, or null at the end.</param>
/// <param name="Total">How many items match the whole filter, when asked for by <c>count=exact</c>.</param>
/// <param name="Facets">Counts by field and value for the whole filter, when asked for by <c>facets=…</c>.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next, long? Total = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>? Facets = null);

/// <summary>One mistake in a request.</summary>
/// <param name="Pointer">JSON pointer into the body, or the parameter's name.</param>
/// <param name="Code">Kebab-case.</param>
/// <param name="Detail">What to change.</param>
public sealed record FieldError(string Pointer, string Code, string Detail)
{
    /// <summary>The line of a file that was sent, from 1; null where there are no lines.</summary>
    public int? Line { get; init; }

    /// <summary>The column in that line, from 1; null where only the line is known.</summary>
    public int? Column { get; init; }
}

/// <summary>RFC 9457 problem document as this API writes it.</summary>
/// <param name="Type">/problems/{code}.</param>
/// <param name="Title">What happened.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">What to do about it.</param>
/// <param name="Code">Stable code.</param>
/// <param name="TraceId">For finding the request in the logs.</param>
/// <param name="Errors">Every validation error at once.</param>
/// <param name="StepUp">What is to be proved before the request is repeated.</param>
public sealed record ProblemDocument(string Type, string Title, int Status, string? Detail, string Code, string? TraceId, IReadOnlyList<FieldError>? Errors, StepUpDemand? StepUp = null);

/// <summary>What a role wants proved before it does something.</summary>
/// <param name="Audience">The role.</param>
/// <param name="Purpose">What for.</param>
/// <param name="SubjectDigest">What exactly, as digest.</param>
/// <param name="Text">The same in words, for whoever is to confirm it.</param>
public sealed record StepUpDemand(string Audience, string Purpose, string SubjectDigest, string Text)
{
    /// <summary>Where the person can confirm it in the portal, for a program that asked for that (<see cref="Contracts.StepUp.AskHeader"/>): <c>/confirm/{id}</c> there; null: it did not.</summary>
    public Guid? Confirmation { get; init; }
}

/// <summary>Something that can be done to a resource, and whether the reader may do it now.</summary>
/// <param name="Name">What.</param>
/// <param name="Allowed">Whether the endpoint would take it.</param>
/// <param name="Reason">Why not, otherwise.</param>
public sealed record AllowedAction(string Name, bool Allowed, string? Reason)
{
    /// <summary>An action that something hinders, or nothing.</summary>
    /// <param name="name">What.</param>
    /// <param name="hindrance">Why it cannot be done now; null: it can.</param>
    public static AllowedAction Of(string name, string? hindrance) => new(name, hindrance is null, hindrance);
}
