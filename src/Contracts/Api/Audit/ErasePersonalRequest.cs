using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Audit;

/// <summary>Erases what is kept beside an audit log of one person, or beside one entry; it stands in that log as <c>audit.personal-erased</c>.</summary>
/// <param name="CustomerId">The customer whose log it is.</param>
/// <param name="SubjectId">The person, as entries name it: of all entries in which it acted or that were about it.</param>
/// <param name="EntryId">In place of a person one entry, by its id.</param>
/// <param name="Reason">Why, 3 to 500 characters; it is in the log for good, so name nobody.</param>
public sealed record ErasePersonalRequest([property: Required] Guid? CustomerId, [property: StringLength(100)] string? SubjectId, Guid? EntryId, [property: Required] string? Reason);

/// <summary>What was erased.</summary>
/// <param name="Entries">Entries that lost a value.</param>
/// <param name="Fields">How many values of each field there were.</param>
public sealed record ErasedValues(int Entries, IReadOnlyDictionary<string, int> Fields);
