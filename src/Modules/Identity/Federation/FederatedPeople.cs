using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.IdentityModel.JsonWebTokens;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Federation;

/// <summary>What a provider says of somebody.</summary>
/// <param name="Issuer">The issuer.</param>
/// <param name="Subject">The subject there.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The address that it claims; empty: none.</param>
/// <param name="Groups">The groups that it is in.</param>
internal sealed record FederatedClaims(string Issuer, string Subject, string Name, string Email, IReadOnlyList<string> Groups)
{
    private const int LongestName = 100;
    private const int MostGroups = 1000;

    /// <summary>Whether an id_token leaves something to be asked at the userinfo endpoint: providers may put claims in either (OpenID Connect Core 1.0, 5.4).</summary>
    public static bool IsIncomplete(Provider provider, JsonWebToken token) => !token.TryGetPayloadValue<object>(provider.GroupsClaim, out _) || IdTokens.TextOf(token, "name") is null;

    /// <summary>Reads them; what the id_token says counts before what the userinfo endpoint does, which nobody signed.</summary>
    public static FederatedClaims Of(Provider provider, JsonWebToken token, JsonElement? info)
    {
        var email = Text("email")?.Trim();
        var name = Text("name") ?? Text("preferred_username") ?? email ?? token.Subject;
        return Of(provider, token.Subject, name, email, Groups());

        string? Text(string claim) => IdTokens.TextOf(token, claim) is { Length: > 0 } text ? text : info is { ValueKind: JsonValueKind.Object } more && more.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        IReadOnlyList<string> Groups()
        {
            var found = token.TryGetPayloadValue<JsonElement>(provider.GroupsClaim, out var own) ? own
                : info is { ValueKind: JsonValueKind.Object } more && more.TryGetProperty(provider.GroupsClaim, out var other) ? other : default;
            return found.ValueKind switch
            {
                JsonValueKind.Array => [.. found.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!).Take(MostGroups)],
                JsonValueKind.String => [found.GetString()!],
                _ => IdTokens.TextOf(token, provider.GroupsClaim) is { } one ? [one] : [],
            };
        }
    }

    /// <summary>What a provider said in other words than an id_token.</summary>
    public static FederatedClaims Of(Provider provider, string subject, string name, string? email, IReadOnlyList<string> groups) =>
        new(provider.Issuer, subject, Cut(name), email is not null && MailAddresses.IsOne(email) ? email : "", groups);

    // What no page and no engine shows right is left out: control letters, half of a pair.
    private static string Cut(string name)
    {
        var plain = string.Concat(name.EnumerateRunes().Where(rune => rune.Value != 0xFFFD && !System.Text.Rune.IsControl(rune))).Trim();
        while (plain.Length > LongestName)
        {
            plain = plain[..(char.IsLowSurrogate(plain[LongestName]) ? LongestName - 1 : LongestName)];
        }

        return plain.Length > 0 ? plain : "Somebody";
    }
}

/// <summary>Makes and keeps the people whom providers sign in.</summary>
internal static class FederatedPeople
{
    public const string NoRole = "Your provider signed you in, but none of your groups there gives you a role here. Ask whoever manages the groups.";
    public const string Disabled = "This account is disabled here.";

    /// <summary>
    /// Finds or makes the person of an identity, within the open transaction, and gives it the roles that its groups give now. Nothing
    /// but issuer and subject finds it: whose address it claims is asked of nobody.
    /// </summary>
    /// <returns>The person, and why it is not signed in; null: it may be.</returns>
    public static async Task<(Person? Person, string? Refusal)> BringAsync(ControlPlaneDbContext db, IEvents events, Provider provider, FederatedClaims claims, PeopleLimit limit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = provider.KeyOf(claims.Subject);
        var roles = provider.RolesOf([.. claims.Groups]);
        if (await db.Set<FederatedIdentity>().SingleOrDefaultAsync(row => row.Key == key, cancellationToken) is not { } identity)
        {
            return roles.Count == 0 ? (null, NoRole)
                : provider.CustomerId is { } customer && await limit.IsReachedAsync(db, customer, cancellationToken) ? (null, PeopleLimit.Reached)
                : (Make(db, events, provider, claims, key, roles, now), null);
        }

        await Actor.LockAsync(db, [identity.PersonId], cancellationToken);
        var person = await db.Set<Person>().SingleAsync(row => row.Id == identity.PersonId, cancellationToken);
        if (person.DisabledAt is not null)
        {
            return (person, Disabled);
        }

        (person.Name, person.Email, identity.ProviderId) = (claims.Name, claims.Email, provider.Id);
        await GiveAsync(db, events, provider, person, roles, now, cancellationToken);
        return roles.Count > 0 ? (person, null) : (person, NoRole);
    }

    /// <summary>Ends what people have who came by a provider, within the open transaction: it is gone, or another one under the same name.</summary>
    public static async Task EndAllAsync(ControlPlaneDbContext db, IEvents events, string providerId, string by, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = await db.Set<FederatedIdentity>().Where(row => row.ProviderId == providerId).Select(row => row.PersonId).ToListAsync(cancellationToken);

        // Two providers of one issuer share their people: who came by this one, and by the other one since, counts too.
        ids = [.. ids.Union(await db.Set<Session>().Where(row => row.ProviderId == providerId && row.EndedAt == null && row.PersonId != null).Select(row => row.PersonId!.Value).ToListAsync(cancellationToken))];
        await Actor.LockAsync(db, ids, cancellationToken);
        foreach (var person in await db.Set<Person>().Where(row => ids.Contains(row.Id)).ToListAsync(cancellationToken))
        {
            await EndAsync(db, events, person, by, reason, now, cancellationToken);
        }
    }

    /// <summary>Signs a person out everywhere, and revokes its tokens.</summary>
    private static async Task EndAsync(ControlPlaneDbContext db, IEvents events, Person person, string by, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var count = await PeopleApi.EndSessionsAsync(db, person.Id, null, now, cancellationToken);
        person.Renew();
        await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == person.Id), events, null, reason, ActorOf(person, by), now, cancellationToken);
        events.Publish(person.ToEvent());
        events.Audit(person.Fact("identity.person-signed-out") with { Actor = ActorOf(person, by), Reason = reason, Changes = [Change.Remove("/sessions", count)] });
    }

    public static AuditActor ActorOf(Person person, string by = "openid") => new(person.Kind, person.Subject, by);

    private static Person Make(ControlPlaneDbContext db, IEvents events, Provider provider, FederatedClaims claims, byte[] key, IReadOnlyList<string> roles, DateTimeOffset now)
    {
        var person = new Person
        {
            Id = Guid.CreateVersion7(now),
            Kind = provider.Kind,
            CustomerId = provider.CustomerId,
            Email = claims.Email,
            EmailKey = null,
            Name = claims.Name,
            CreatedAt = now,
        };
        db.Add(person);
        db.Add(new FederatedIdentity { Key = key, PersonId = person.Id, ProviderId = provider.Id, Issuer = claims.Issuer, Subject = claims.Subject, CreatedAt = now });
        db.AddRange(roles.Select(role => new HeldRole { PersonId = person.Id, Role = role, Since = now }));
        events.Publish(person.ToEvent());
        events.Audit(person.Fact("identity.person-joined") with
        {
            Actor = ActorOf(person, provider.Way),
            Changes = [Change.Add("/provider", provider.Id), Change.Add("/roles", roles)],
            Personal = new Dictionary<string, string> { ["email"] = claims.Email, ["name"] = claims.Name, ["subject"] = claims.Subject },
        });
        return person;
    }

    private static async Task GiveAsync(ControlPlaneDbContext db, IEvents events, Provider provider, Person person, IReadOnlyList<string> roles, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var held = await db.Set<HeldRole>().Where(row => row.PersonId == person.Id && row.Until == null).ToListAsync(cancellationToken);
        var before = held.Select(row => row.Role).Order(StringComparer.Ordinal).ToList();
        if (before.SequenceEqual(roles))
        {
            return;
        }

        held.Where(row => !roles.Contains(row.Role)).ToList().ForEach(row => row.Until = now);
        db.AddRange(roles.Except(before).Select(role => new HeldRole { PersonId = person.Id, Role = role, Since = now }));
        await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.InvitedBy == person.Subject), events, "who invited holds other roles now", now, cancellationToken);
        if (roles.Count == 0)
        {
            await EndAsync(db, events, person, provider.Way, "its groups give it no role any more", now, cancellationToken);
        }
        else
        {
            person.Renew();
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == person.Id), events, RoleBook.ScopesOf(roles), "its person holds other roles now", ActorOf(person, provider.Way), now, cancellationToken);
            events.Publish(person.ToEvent());
        }

        events.Audit(person.Fact("identity.person-roles-changed") with { Actor = ActorOf(person, provider.Way), Reason = $"groups at {provider.Name}", Changes = [Change.Replace("/roles", before, roles)] });
    }
}
