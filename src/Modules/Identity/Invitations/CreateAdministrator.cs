using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Invitations;

/// <summary><c>missioncontrol admin create</c>: an administrator for whom nobody needs to be signed in, also when all others lost their way.</summary>
internal static class CreateAdministrator
{
    public static readonly ConsoleTask Task = new(
        "create",
        "Invite an administrator; prints a code that is good once, for seven days. Example: missioncontrol admin create --data data --email ada@example.com --name \"Ada Lovelace\"",
        [("email", "Mail address that the administrator signs in with."), ("name", "What to call the administrator.")],
        RunAsync);

    private static async Task<string> RunAsync(IServiceProvider services, Func<string, string> option, CancellationToken cancellationToken)
    {
        var (email, name) = (option("email").Trim(), option("name").Trim());
        if (!MailAddresses.IsOne(email) || name.Length is 0 or > 100)
        {
            throw new InvalidOperationException("--email is one mail address, such as ada@example.com; --name has 1 to 100 characters.");
        }

        var db = services.GetRequiredService<ControlPlaneDbContext>();
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        services.GetRequiredService<CurrentPrincipal>().Set(new AuditActor("staff", "console", "local"), null);
        var invitation = Invitation.Create(services.GetRequiredService<FactorBook>(), email, name, Person.Staff, null, [RoleBook.Administrator], null, "console", now, out var code);
        var options = services.GetRequiredService<IOptions<IdentityOptions>>().Value;
        InvitationsApi.Add(db, services.GetRequiredService<IEvents>(), invitation, code, options, "made on the server's console", now);
        await db.SaveChangesAsync(cancellationToken);
        return $"Invited {email} as administrator until {invitation.ExpiresAt:u}.\nOpen {(options.PortalAddress is { } portal ? new Uri(portal, $"/invitation#{code}") : $"the portal's page /invitation#{code}")}\nor type this code there: {code}";
    }
}
