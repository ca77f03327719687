using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Erasure;

/// <summary>
/// <c>POST /api/v1/audit/erasures</c>: takes away what is kept beside a log of one person, or beside one entry. The log stays as it is and
/// verifies on; what an entry is committed to can be shown by nobody any more, and that it was erased, by whom and why, is an entry itself.
/// </summary>
internal static class ErasePersonal
{
    /// <summary>The entry that says what was erased.</summary>
    public const string Told = "audit.personal-erased";

    /// <summary>Its target where values of a person were.</summary>
    public const string Person = "person";

    /// <summary>Its target where those of one entry were.</summary>
    public const string Entry = "entry";

    public static void Map(IEndpointRouteBuilder api) => api
        .MapPost("/erasures", HandleAsync).RequireScope("audit:erase").WithName("ErasePersonalValues").WithSummary("Erase the names and addresses kept beside the audit log of a customer, of one person or of one entry").Produces<ErasedValues>();

    /// <summary>Whether a value is the actor's alone: also where somebody else is whom the entry is about.</summary>
    public static bool IsOfActor(string field) => field is "address" or "user";

    /// <summary>Erases within the open write transaction.</summary>
    /// <param name="db">The database.</param>
    /// <param name="log">The log.</param>
    /// <param name="subject">Of all entries in which it acted or that were about it; null: of one entry.</param>
    /// <param name="entry">The event id of that entry.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How many entries lost a value, and how many values of each field there were.</returns>
    public static async Task<(int Entries, IReadOnlyDictionary<string, int> Fields)> EraseAsync(ControlPlaneDbContext db, Guid log, string? subject, Guid? entry, CancellationToken cancellationToken)
    {
        // Changes that did not fit into their entry name nobody: they are the log's, and stay. Of what somebody else did to it the address
        // and the user are that one's: also of the entry that says what was erased.
        var hits = db.Set<IndexedEntry>().Where(row => row.LogId == log);
        var values = db.Set<PersonalValue>().Where(value => value.LogId == log && value.Field != Leaf.ChangesField);
        values = subject is null ? values.Where(value => hits.Any(row => row.Position == value.Position && row.EventId == entry))
            : values.Where(value => hits.Any(row => row.Position == value.Position && (row.ActorId == subject || (row.TargetId == subject && value.Field != "address" && value.Field != "user"))));
        var fields = await values.GroupBy(value => value.Field).Select(group => new { Field = group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Field, group => group.Count, StringComparer.Ordinal, cancellationToken);
        var entries = await values.Select(value => value.Position).Distinct().CountAsync(cancellationToken);
        await values.ExecuteDeleteAsync(cancellationToken);
        return (entries, fields);
    }

    private static async Task<IResult> HandleAsync(ErasePersonalRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, CancellationToken cancellationToken)
    {
        // Whoever the entries are about must not be who takes away that they did it.
        if (!db.Scope.IsAll)
        {
            return Problems.NotFound();
        }

        var errors = new List<FieldError>();
        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            errors.Add(mistake);
        }

        if (string.IsNullOrWhiteSpace(request.SubjectId) == (request.EntryId is null))
        {
            errors.Add(new FieldError("/subjectId", "invalid-value", "Name either a person by its subject id, or an entry by its id."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var (customer, subject, entry) = (request.CustomerId!.Value, string.IsNullOrWhiteSpace(request.SubjectId) ? null : request.SubjectId, request.EntryId);
        var log = Log.IdOf(Log.NameOf("customer", customer));
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await db.Set<Log>().AnyAsync(row => row.Id == log, cancellationToken))
        {
            return Problems.NotFound();
        }

        var what = subject is null ? $"beside entry {entry}" : $"of {subject}";
        if (await guard.DemandAsync(http, db, StepUp.ErasePersonal(customer, subject, entry), $"The names and addresses {what} in the audit log of customer {customer} are erased for good.", cancellationToken) is { } unproven)
        {
            return unproven;
        }

        var (entries, fields) = await EraseAsync(db, log, subject, entry, cancellationToken);
        if (entries > 0)
        {
            events.Audit(new AuditFact(Told, AuditLog.Customer, subject is null ? Entry : Person, subject ?? entry.ToString()!)
            {
                CustomerId = customer,
                Reason = reason,
                Changes = [Change.Add("/entries", entries), .. fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => Change.Add($"/fields/{field.Key}", field.Value))],
            });
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(new ErasedValues(entries, fields));
    }
}
