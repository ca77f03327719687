using System.Globalization;
using Microsoft.EntityFrameworkCore;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Groups;

/// <summary>
/// What a change of a group does to who holds what, worked out for all its people at once. Only rows of the group begin and end: what
/// somebody holds in another way stays. Rights change only for those who hold other roles than before, whatever they hold them through.
/// </summary>
internal sealed class GroupEffect
{
    // More of them do not fit on a page that somebody reads.
    private const int Told = 10;

    private readonly Dictionary<Guid, Person> people;
    private readonly ILookup<Guid, HeldRole> held;
    private readonly List<HeldRole> ended;
    private readonly List<HeldRole> begun;
    private readonly List<GroupMember> left;
    private readonly List<GroupMember> joined;
    private readonly List<(Person Person, IReadOnlyList<string> Before, IReadOnlyList<string> After)> changed;

    private GroupEffect(Dictionary<Guid, Person> people, List<HeldRole> open, List<GroupMember> before, Guid groupId, IReadOnlyCollection<string> roles, IReadOnlyCollection<Guid> members, DateTimeOffset now)
    {
        this.people = people;
        held = open.ToLookup(row => row.PersonId);
        var (stay, given) = (members.ToHashSet(), open.Where(row => row.GroupId == groupId).ToList());
        left = [.. before.Where(row => !stay.Contains(row.PersonId))];
        joined = [.. stay.Except(before.Select(row => row.PersonId)).Select(id => new GroupMember { GroupId = groupId, PersonId = id })];
        ended = [.. given.Where(row => !stay.Contains(row.PersonId) || !roles.Contains(row.Role))];
        var there = given.Select(row => (row.PersonId, row.Role)).ToHashSet();
        begun = [.. stay.SelectMany(id => roles.Where(role => !there.Contains((id, role))).Select(role => new HeldRole { PersonId = id, Role = role, GroupId = groupId, Since = now }))];
        var (ends, begins) = (ended.ToHashSet(), begun.ToLookup(row => row.PersonId));
        changed =
        [
            .. people.Values.OrderBy(person => person.Name, StringComparer.Ordinal).ThenBy(person => person.Id)
                .Select(person => (person, Before: HeldRoles.Names(held[person.Id]), After: HeldRoles.Names(held[person.Id].Where(row => !ends.Contains(row)).Concat(begins[person.Id]))))
                .Where(one => !one.Before.SequenceEqual(one.After)),
        ];
    }

    /// <summary>Whether anything of what people hold, or what they hold it through, becomes another.</summary>
    public bool TouchesRoles => ended.Count + begun.Count > 0;

    public IReadOnlyList<Guid> Left => left.ConvertAll(row => row.PersonId);

    public IReadOnlyList<Guid> Joined => joined.ConvertAll(row => row.PersonId);

    /// <summary>Works out what becomes of a group's people when it has these roles and members, within the open transaction in which all of them are locked.</summary>
    public static async Task<GroupEffect> OfAsync(ControlPlaneDbContext db, Guid groupId, IReadOnlyCollection<string> roles, IReadOnlyCollection<Guid> members, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var before = await db.Set<GroupMember>().Where(row => row.GroupId == groupId).ToListAsync(cancellationToken);
        var ids = before.Select(row => row.PersonId).Union(members).ToList();
        var people = await db.Set<Person>().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        var open = await db.Set<HeldRole>().Where(row => ids.Contains(row.PersonId) && row.Until == null).ToListAsync(cancellationToken);
        return new GroupEffect(people, open, before, groupId, roles, members, now);
    }

    /// <summary>Why a caller may not have it so; null: it may.</summary>
    public async Task<string?> HindranceAsync(ControlPlaneDbContext db, System.Security.Claims.ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        var concerned = ended.Concat(begun).Select(row => row.PersonId).Concat(Left).Concat(Joined).Distinct();
        if (concerned.FirstOrDefault(id => PeopleApi.Beyond(caller, held[id].Select(row => row.Role)) is not null) is var beyond && beyond != Guid.Empty)
        {
            return $"{people[beyond].Name} may do what you may not.";
        }

        // Federated ones do not count, and are in no group; nobody who is stopped is a way in.
        var losing = changed.Where(one => one.Before.Contains(RoleBook.Administrator) && !one.After.Contains(RoleBook.Administrator) && one.Person.DisabledAt is null).Select(one => one.Person.Id).ToList();
        if (losing.Count == 0 || changed.Any(one => one.After.Contains(RoleBook.Administrator) && one.Person.DisabledAt is null))
        {
            return null;
        }

        return await db.Set<Person>().AnyAsync(row => row.DisabledAt == null && row.EmailKey != null && !losing.Contains(row.Id) && db.Set<HeldRole>().Any(role => role.PersonId == row.Id && role.Role == RoleBook.Administrator && role.Until == null), cancellationToken)
            ? null : "No administrator who may sign in would be left. Make another one first.";
    }

    /// <summary>What it comes to in words, for whoever confirms it.</summary>
    public string InWords() => changed.Count == 0 ? "Nobody holds other roles than before, but somebody holds them in another way." : string.Create(CultureInfo.InvariantCulture,
        $"From now on {string.Join("; ", changed.Take(Told).Select(one => $"{one.Person.Name} holds {PeopleApi.TitlesOf(one.After)}"))}{(changed.Count > Told ? $"; {changed.Count - Told} more people hold other roles" : "")}.");

    /// <summary>Makes it so, and tells of each person, within the open transaction.</summary>
    public async Task ApplyAsync(ControlPlaneDbContext db, IEvents events, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        db.RemoveRange(left);
        db.AddRange(joined);
        ended.ForEach(row => row.Until = now);
        db.AddRange(begun);
        foreach (var (person, before, after) in changed)
        {
            person.Renew();
            events.Publish(person.ToEvent());
            events.Audit(person.Fact("identity.person-roles-changed") with { Reason = reason, Changes = [Change.Replace("/roles", before, after)] });
        }

        // Those who may do the same from now on together: there are a few kinds of them, however many they are.
        foreach (var alike in changed.GroupBy(one => RoleBook.ScopesOf(one.After)))
        {
            var ids = alike.Select(one => (Guid?)one.Person.Id).ToList();
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => ids.Contains(row.PersonId)), events, alike.Key, "its person holds other roles now", null, now, cancellationToken);
        }

        if (changed.Count > 0)
        {
            var subjects = changed.ConvertAll(one => one.Person.Subject);
            await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => subjects.Contains(row.InvitedBy)), events, "who invited holds other roles now", now, cancellationToken);
        }
    }
}
