using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Invitations;

/// <summary><c>/api/v1/identity/invitations</c>: how people come to be.</summary>
internal static class InvitationsApi
{
    /// <summary>Open invitations of the vendor, or of one customer; each is a mail to an address that somebody typed.</summary>
    private const int MaxInADay = 100;

    private static readonly ListOrders<Invitation> Orders = new ListOrders<Invitation>("-createdAt").By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var invitations = api.MapGroup("/invitations");
        invitations.MapPost("/", InviteAsync).RequireScope(PeopleApi.Right).WithName("InvitePerson").WithSummary("Invite somebody; the code is shown once and sent by mail").Produces<CreatedInvitation>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        invitations.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListInvitations").WithSummary("Invitations, newest first").Lists((InvitationItem row) => row.Id.ToString()).Produces<Page<InvitationItem>>().SortedBy(Orders);
        invitations.MapPost("/{id:guid}/revoke", RevokeAsync).RequireScope(PeopleApi.Right).WithName("RevokeInvitation").WithSummary("Make an invitation worth nothing").Produces(StatusCodes.Status204NoContent);
        AcceptInvitation.Map(invitations);
    }

    /// <summary>Adds an invitation, its audit entry and its mail to what is saved next.</summary>
    public static void Add(ControlPlaneDbContext db, IEvents events, Invitation invitation, string code, IdentityOptions options, string? reason, DateTimeOffset now)
    {
        db.Add(invitation);
        var fact = invitation.PersonId is { } person ? invitation.Fact("identity.recovery-begun") with { TargetType = "person", TargetId = person.ToString() } : invitation.Fact("identity.person-invited");
        events.Audit(fact with
        {
            Reason = reason,
            Changes = [Change.Add("/invitation", invitation.Id), Change.Add("/kind", invitation.Kind), Change.Add("/roles", invitation.Roles), Change.Add("/expiresAt", invitation.ExpiresAt)],
            Personal = invitation.Email is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["email"] = invitation.Email },
        });
        if (invitation.Email is { } email)
        {
            events.Publish(new SendNotification(Guid.CreateVersion7(now), invitation.CustomerId, [new Recipient("address", email)], invitation.PersonId is null ? "invitation" : "recovery", new Dictionary<string, string>
            {
                ["name"] = invitation.Name ?? email,
                ["portal"] = options.PortalAddress is { } portal ? new Uri(portal, "/invitation").ToString() : "the address of Mission Control, there “I have an invitation”",
                ["code"] = code,
                ["expires"] = invitation.ExpiresAt.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture),
            }, "info", $"invitation/{invitation.Id:N}"));
        }
    }

    private static async Task<IResult> InviteAsync(InviteRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, FactorBook factors, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        var now = time.GetUtcNow();
        var customer = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        var errors = PeopleApi.RoleMistakes(request.Roles!, customer is null ? Person.Staff : Person.CustomerUser, http.User).ToList();
        if (request.CustomerId is { } asked && asked != customer)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }

        if (!MailAddresses.IsOne(request.Email!.Trim()))
        {
            errors.Add(new FieldError("/email", "not-an-address", "Write one mail address, such as somebody@example.com."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var yesterday = now - TimeSpan.FromDays(1);
        if (await db.Set<Invitation>().CountAsync(row => row.CustomerId == customer && row.CreatedAt > yesterday, cancellationToken) >= MaxInADay)
        {
            return Problems.Of(ProblemCodes.RateLimited, $"{MaxInADay} invitations were made within a day; come back tomorrow.");
        }

        var (email, roles) = (request.Email.Trim(), request.Roles!.Distinct(StringComparer.Ordinal).ToList());
        if (await guard.DemandAsync(http, db, StepUp.Invite(email, customer, roles), $"{email} is invited to be {string.Join(", ", roles.Select(role => RoleBook.Find(role)!.Title))}{(customer is null ? " with the vendor" : "")}.", cancellationToken) is { } unproven)
        {
            return unproven;
        }

        // Whether the address is somebody's already is told to whoever reads its mail: a customer's caller does not get the code itself,
        // or it could find out, and become, whomever it names.
        var invitation = Invitation.Create(factors, email, request.Name!.Trim(), customer is null ? Person.Staff : Person.CustomerUser, customer, roles, null, http.User.FindFirst("sub")!.Value, now, out var code);
        Add(db, events, invitation, code, options.Value, null, now);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        return TypedResults.Created($"/api/v1/identity/invitations/{invitation.Id}", new CreatedInvitation(invitation.Id, db.Scope.IsAll ? code : null, invitation.ExpiresAt));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, string? q, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var query = Visible(db).AsNoTracking();
        return await Orders.PageAsync(list, (customer is null ? query : query.Where(row => row.CustomerId == customer)).Holding(row => row.Email!, q), row => row.ToItem(reader, now), cancellationToken);
    }

    private static async Task<IResult> RevokeAsync(Guid id, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } invitation)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        if (invitation.NoRevoking(now) is null)
        {
            invitation.Revoke(now);
            events.Audit(invitation.Fact("identity.invitation-revoked") with { Changes = [Change.Add("/revokedAt", now)] });
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.NoContent();
    }

    private static IQueryable<Invitation> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Invitation>().Where(row => all || row.CustomerId == customer);
    }
}
