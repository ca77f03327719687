using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;

namespace MissionControl.Identity.Posture;

/// <summary>What is loose about people, and about how they come in.</summary>
internal static class PeopleChecks
{
    /// <summary>Fewer, and one lost device locks everybody out.</summary>
    private const int LeastAdministrators = 2;

    /// <summary>Federated ones do not count: a provider that is silent, or groups that somebody changed there, would lock everybody out.</summary>
    public static async Task<PostureCheck> FewAdministratorsAsync(PostureLook look)
    {
        var there = await Administrators(look).Where(row => row.EmailKey != null).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id).Take(LeastAdministrators).ToListAsync(look.Aborted);
        return PostureLook.Of("few-administrators", "Risk of a lock-out: fewer than two administrators who sign in without a provider",
            "Make another administrator with a passkey or password of their own: when the only one is away or loses the device, nobody manages people here.",
            there.Count < LeastAdministrators ? there.ConvertAll(Describe) : [], LeastAdministrators - there.Count);
    }

    public static Task<PostureCheck> AdministratorsAwayAsync(PostureLook look) => look.FindAsync("administrators-away", "Administrators who have not signed in for 90 days",
        "Take the role from whoever does not need it any more, or disable the person.", Away(Administrators(look), look), DescribeAway);

    public static Task<PostureCheck> InvitationsAsync(PostureLook look)
    {
        var (customer, now, role) = (look.CustomerId, look.Now, $" {look.Administrator} ");
        return look.FindAsync("administrator-invitations", "Open invitations to be administrator", "See that each one went to whom it was meant for, and revoke what nobody waits for: whoever holds the code becomes administrator.",
            look.Db.Set<Invitation>().AsNoTracking().Where(row => row.CustomerId == customer && row.AcceptedAt == null && row.RevokedAt == null && row.ExpiresAt > now && (" " + row.Roles + " ").Contains(role)).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id),
            row => new PostureThing("invitation", row.Id.ToString(), row.Name ?? row.Email ?? "the first administrator", row.CreatedAt, row.ExpiresAt));
    }

    /// <summary>Whom a provider signs in needs none here: it opens nothing.</summary>
    public static Task<PostureCheck> WithoutPasskeyAsync(PostureLook look) => look.FindAsync("people-without-passkey", "People who sign in here without a passkey",
        "Ask them to set one up under Your account: a false page can ask for a password and a code, and not for a passkey.",
        look.People().Where(row => row.EmailKey != null && !look.Db.Set<Passkey>().Any(key => key.PersonId == row.Id)).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id), Describe);

    public static Task<PostureCheck> AwayAsync(PostureLook look) => look.FindAsync("people-away", "People who have not signed in for 90 days",
        "Disable whoever has left: nobody notices when somebody else signs in as them.", Away(look.People(), look), DescribeAway);

    public static Task<PostureCheck> WithoutRoleAsync(PostureLook look) => look.FindAsync("people-without-role", "People without any role",
        "Give them one, or disable them: they may do nothing here.",
        look.People().Where(row => !look.Db.Set<HeldRole>().Any(role => role.PersonId == row.Id && role.Until == null)).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id)
            .Select(row => new { row.Id, row.Name, row.CreatedAt, Ended = look.Db.Set<HeldRole>().Where(role => role.PersonId == row.Id).Max(role => role.Until) }),
        row => new PostureThing("person", row.Id.ToString(), row.Name, row.Ended ?? row.CreatedAt));

    /// <summary>Staff's stand in the configuration, customers' in the database. A directory proves none, and everybody shows a code after it.</summary>
    public static async Task<PostureCheck> ProvidersAsync(PostureLook look, IdentityOptions options)
    {
        const string code = "providers-without-second-factor", title = "Providers of which no second factor is demanded";
        const string advice = "Demand it there, and name the values of acr or amr that prove it: until then each person keeps an authenticator here besides, which an administrator has to forget when it is lost.";
        if (look.CustomerId is not { } customer)
        {
            var staffs = options.Providers.Where(one => one.RequiredAcr.Trim().Length == 0 && one.RequiredAmr.Trim().Length == 0).Select(one => new PostureThing("provider", one.Id, one.Name, null)).ToList();
            return PostureLook.Of(code, title, advice, [.. staffs.Take(PostureLook.MostThings)], staffs.Count);
        }

        return await look.FindAsync(code, title, advice,
            look.Db.Set<CustomerProvider>().AsNoTracking().Where(row => row.CustomerId == customer && row.RequiredAcr == "" && row.RequiredAmr == "").OrderBy(row => row.CreatedAt).ThenBy(row => row.Id),
            row => new PostureThing("provider", row.Id.ToString(), row.Name, row.CreatedAt));
    }

    private static IQueryable<Person> Administrators(PostureLook look)
    {
        var administrator = look.Administrator;
        return look.People().Where(row => look.Db.Set<HeldRole>().Any(role => role.PersonId == row.Id && role.Role == administrator && role.Until == null));
    }

    /// <summary>Who never signed in is away since it was made.</summary>
    private static IOrderedQueryable<Person> Away(IQueryable<Person> people, PostureLook look)
    {
        var then = look.LongAgo;
        return people.Where(row => row.LastSignInAt < then || (row.LastSignInAt == null && row.CreatedAt < then)).OrderBy(row => row.LastSignInAt ?? row.CreatedAt).ThenBy(row => row.Id);
    }

    private static PostureThing Describe(Person person) => new("person", person.Id.ToString(), person.Name, person.CreatedAt);

    private static PostureThing DescribeAway(Person person) => Describe(person) with { Since = person.LastSignInAt ?? person.CreatedAt };
}
