using System.Data.Common;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Notifications.Deliveries;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Notifications.Contacts;

/// <summary><c>/api/v1/notifications/contacts</c>: who is told by mail, of a customer and of the vendor.</summary>
internal static class ContactsApi
{
    private const string Right = "notifications:write";

    /// <summary>Contacts of one customer, or of the vendor: a mail goes to each of them.</summary>
    private const int MaxContacts = 50;

    private const int MaxAddedInADay = 100;

    private const string Added = "contact-added/";

    // Ids are made in the order of time.
    private static readonly ListOrders<Contact> Orders = new ListOrders<Contact>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var contacts = api.MapGroup("/contacts");
        contacts.MapPost("/", AddAsync).RequireScope(Right).WithName("AddContact").WithSummary("Add somebody who is told by mail; the address is told so").Produces<ContactItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        contacts.MapGet("/", ListAsync).RequireScope("notifications:read").WithName("ListContacts").WithSummary("Who is told by mail, by name").Lists((ContactItem row) => row.Id.ToString()).Produces<Page<ContactItem>>().SortedBy(Orders);
        contacts.MapDelete("/{id:guid}", RemoveAsync).RequireScope(Right).WithName("RemoveContact").WithSummary("Tell somebody nothing more").Produces(StatusCodes.Status204NoContent);
    }

    /// <summary>Staff see all, a customer its own.</summary>
    public static IQueryable<Contact> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Contact>().Where(row => all || row.CustomerId == customer);
    }

    /// <summary>Whose something new is: a customer's caller owns what it makes, staff say for whom.</summary>
    /// <returns>The owner, and what is wrong with it.</returns>
    public static async Task<(Guid? CustomerId, FieldError? Mistake)> OwnerAsync(ControlPlaneDbContext db, Guid? asked, CancellationToken cancellationToken)
    {
        Guid? owner = db.Scope.IsAll ? asked : db.Scope.CustomerId;
        var isUnknown = (asked is not null && asked != owner) || (owner is { } id && !await db.Set<NotifiedCustomer>().AnyAsync(row => row.Id == id, cancellationToken));
        return (owner, isUnknown ? new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours.") : null);
    }

    private static async Task<IResult> AddAsync(AddContactRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (owner, mistake) = await OwnerAsync(db, request.CustomerId, cancellationToken);
        List<FieldError> errors = mistake is null ? [] : [mistake];
        var email = request.Email!.Trim();
        if (!MailAddresses.IsOne(email))
        {
            errors.Add(new FieldError("/email", "not-an-address", "Write one mail address, such as security@example.com."));
        }

        var existing = await db.Set<Contact>().Where(row => row.CustomerId == owner).Select(row => new { row.Kind, row.Email }).ToListAsync(cancellationToken);
        if (existing.Exists(row => row.Kind == request.Kind && string.Equals(row.Email, email, StringComparison.OrdinalIgnoreCase)))
        {
            errors.Add(new FieldError("/email", "known-already", $"{email} is a {request.Kind} contact already."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (existing.Count >= MaxContacts)
        {
            return Problems.Of(ProblemCodes.Conflict, $"There are {MaxContacts} contacts; remove one first.");
        }

        // Mails go to addresses that somebody typed: a stranger gets one of a kind in a day, and nobody makes us send many.
        var now = time.GetUtcNow();
        var yesterday = now - TimeSpan.FromDays(1);
        if (await db.Set<Delivery>().CountAsync(row => row.CustomerId == owner && row.CreatedAt > yesterday && row.DedupKey.StartsWith(Added), cancellationToken) >= MaxAddedInADay)
        {
            return Problems.Of(ProblemCodes.RateLimited, $"{MaxAddedInADay} contacts were added within a day; come back tomorrow.");
        }

        var contact = new Contact { Id = Guid.CreateVersion7(now), CustomerId = owner, Kind = request.Kind!, Name = request.Name!.Trim(), Email = email, CreatedAt = now };
        db.Add(contact);
        var words = new Dictionary<string, string>
        {
            ["kind"] = contact.Kind,
            ["customer"] = await db.Set<NotifiedCustomer>().Where(row => row.Id == owner).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken) ?? "the vendor",
        };
        var told = Delivery.Mail(contact, Templates.Fill("contact-added", words), "info", $"{Added}{owner:N}/{contact.Kind}/{now:yyyyMMdd}", now);
        if (!await db.Set<Delivery>().AnyAsync(row => row.Id == told.Id, cancellationToken))
        {
            db.Add(told);
        }

        events.Audit(Fact(contact, "notifications.contact-added") with { Changes = [Change.Add("/kind", contact.Kind)], Personal = Personal(contact) });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception is not DbUpdateConcurrencyException && exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database))
        {
            return Problems.Of(ProblemCodes.Conflict, "Somebody added the same contact at the same moment.");
        }

        return TypedResults.Created($"/api/v1/notifications/contacts/{contact.Id}", contact.ToItem(Scopes.Lacking(reader, Right)));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, string? kind, string? q, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = kind is null ? query : query.Where(row => row.Kind == kind);
        var hindrance = Scopes.Lacking(reader, Right);
        return await Orders.PageAsync(list, query.Holding(row => row.Name, q), row => row.ToItem(hindrance), cancellationToken);
    }

    private static async Task<IResult> RemoveAsync(Guid id, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } contact)
        {
            return Problems.NotFound();
        }

        db.Remove(contact);
        if (!await db.Set<Contact>().AnyAsync(row => row.Id != id && row.CustomerId == contact.CustomerId && row.Email == contact.Email, cancellationToken))
        {
            // What waits for the address is not sent any more.
            var now = time.GetUtcNow();
            foreach (var waiting in await db.Set<Delivery>().Where(row => row.Recipient == contact.Email && row.Channel == "mail" && row.CustomerId == contact.CustomerId && row.State != DeliveryState.Sent).ToListAsync(cancellationToken))
            {
                (waiting.State, waiting.NextAt, waiting.EndedAt, waiting.Error, waiting.Body) = (DeliveryState.Failed, null, waiting.EndedAt ?? now, "The contact was removed.", []);
            }
        }

        events.Audit(Fact(contact, "notifications.contact-removed") with { Changes = [Change.Remove("/kind", contact.Kind)], Personal = Personal(contact) });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    // One address and nothing else: no name, no group, no second one behind a comma, no host that is not written out.
    private static AuditFact Fact(Contact contact, string type) =>
        new(type, contact.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "contact", contact.Id.ToString()) { CustomerId = contact.CustomerId };

    private static Dictionary<string, string> Personal(Contact contact) => new() { ["name"] = contact.Name, ["email"] = contact.Email };
}
