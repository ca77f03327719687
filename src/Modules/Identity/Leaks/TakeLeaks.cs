using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Identity.Leaks;

/// <summary>A token that somebody found.</summary>
/// <param name="Token">As it was found; it goes no further than the judgement.</param>
/// <param name="Place">Where.</param>
internal sealed record Find(string Token, Place Place);

/// <summary>Who found it.</summary>
/// <param name="Kind">github, gitlab, person or anonymous.</param>
/// <param name="Actor">For the audit log, where it is not the request's principal.</param>
internal sealed record Finder(string Kind, AuditActor? Actor);

/// <summary>What a token that was found is.</summary>
internal enum Verdict
{
    /// <summary>No token, or none with this secret.</summary>
    NotOurs,

    /// <summary>Form and checksum fit, and there is no such id: made up, or so old that we forgot it.</summary>
    Gone,

    /// <summary>Only the role that owns it can tell, and it was asked.</summary>
    PassedOn,

    /// <summary>Ours, with the right secret.</summary>
    Leaked,
}

/// <summary>
/// Judges tokens that were found, and makes worth nothing what is ours: checksum, then the id, then the secret's digest in constant
/// time. Of a thousand tokens none costs a query of its own. What was told before changes nothing.
/// </summary>
internal static class TakeLeaks
{
    /// <summary>Tokens in one transaction.</summary>
    private const int AtOnce = 1000;

    /// <summary>Two replicas that hear of the same token at once meet at its key; the second finds what the first wrote.</summary>
    private const int Tries = 3;

    /// <summary>Judges every find and acts upon it. Call it without an open transaction.</summary>
    /// <returns>The verdict and, once it is written down, the incident of every token by its text.</returns>
    public static async Task<IReadOnlyDictionary<string, Judged>> ApplyAsync(ControlPlaneDbContext db, IEvents events, IEnumerable<Find> finds, Finder finder, TimeProvider time, CancellationToken cancellationToken)
    {
        var judged = new Dictionary<string, Judged>(StringComparer.Ordinal);
        foreach (var find in finds)
        {
            if (!judged.TryGetValue(find.Token, out var one))
            {
                judged.Add(find.Token, one = Judged.Of(find.Token));
            }

            if (one.Places.Count < LeakIncident.MostPlaces)
            {
                one.Places.Add(find.Place);
            }
        }

        foreach (var some in judged.Values.Where(one => one.Kind == 'a').Chunk(AtOnce))
        {
            await JudgeAsync(db, some, cancellationToken);
        }

        foreach (var some in judged.Values.Where(one => one.Verdict is Verdict.Leaked or Verdict.PassedOn).Chunk(AtOnce))
        {
            var known = await Known.OfAsync(db.Set<LeakIncident>().AsNoTracking(), db, some, cancellationToken);
            var news = some.Where(one => (one.Incident = known.Find(one)) is not { } incident || one.Places.Exists(place => known.IsNew(incident, place, finder.Kind))).ToList();
            if (news.Count > 0)
            {
                await WriteAsync(db, events, news, finder, time, cancellationToken);
            }
        }

        return judged;
    }

    /// <summary>Asks the table, without keeping anybody from writing: a flood of made-up tokens costs a few reads.</summary>
    private static async Task JudgeAsync(ControlPlaneDbContext db, IReadOnlyCollection<Judged> some, CancellationToken cancellationToken)
    {
        var ids = some.Select(one => one.Id).Distinct().ToList();
        var known = await db.Set<ApiToken>().AsNoTracking().Where(row => ids.Contains(row.Id)).Select(row => new { row.Id, row.SecretSha256 }).ToDictionaryAsync(row => row.Id, row => row.SecretSha256, cancellationToken);
        foreach (var one in some)
        {
            var isThere = known.TryGetValue(one.Id, out var sha256);
            one.Verdict = CryptographicOperations.FixedTimeEquals(sha256 ?? new byte[SHA256.HashSizeInBytes], one.SecretSha256) && isThere ? Verdict.Leaked : isThere ? Verdict.NotOurs : Verdict.Gone;
        }
    }

    private static async Task WriteAsync(ControlPlaneDbContext db, IEvents events, IReadOnlyList<Judged> some, Finder finder, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await WriteOnceAsync(db, events, some, finder, time.GetUtcNow(), cancellationToken);
                return;
            }
            catch (DbUpdateException) when (attempt < Tries)
            {
                db.ChangeTracker.Clear();
            }
        }
    }

    private static async Task WriteOnceAsync(ControlPlaneDbContext db, IEvents events, IReadOnlyList<Judged> some, Finder finder, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var own = some.Where(one => one.Kind == 'a').Select(one => one.Id).Order(StringComparer.Ordinal).ToList();
        if (own.Count > 0)
        {
            await db.Dialect.LockRowsAsync(db, "identity_token", ["id"], [.. own.Select(id => new object?[] { id })], cancellationToken);
        }

        var tokens = await db.Set<ApiToken>().Where(row => own.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        var accounts = tokens.Values.Select(token => token.AccountId).OfType<Guid>().Distinct().ToList();
        var owners = accounts.Count == 0 ? [] : await db.Set<ServiceAccount>().AsNoTracking().Where(row => accounts.Contains(row.Id)).ToDictionaryAsync(row => row.Id, row => (Guid?)row.OwnerId, cancellationToken);
        var known = await Known.OfAsync(db.Set<LeakIncident>(), db, some, cancellationToken);
        var (fresh, foreign) = (new List<LeakIncident>(), new List<LeakedToken>());
        foreach (var one in some)
        {
            var token = tokens.GetValueOrDefault(one.Id);
            if (one.Kind == 'a' && token is null)
            {
                // It was purged a moment ago.
                continue;
            }

            if (known.Find(one) is not { } incident)
            {
                incident = new LeakIncident { Id = Guid.CreateVersion7(now), Kind = one.Kind.ToString(), TokenId = one.Id, SecretSha256 = one.SecretSha256, Source = finder.Kind, ReportedAt = now };
                db.Add(incident);
                if (token is null || one.Kind != 'a')
                {
                    foreign.Add(new LeakedToken(incident.Id, incident.Kind, incident.TokenId, incident.SecretSha256, one.Untagged));
                }
                else
                {
                    Revoke(events, token, token.PersonId ?? owners.GetValueOrDefault(token.AccountId ?? Guid.Empty), incident, finder, now);
                    fresh.Add(incident);
                }
            }

            foreach (var place in one.Places.DistinctBy(place => (place.Source, place.Url)).Where(place => known.IsNew(incident, place, finder.Kind)))
            {
                db.Add(incident.Add(place, finder.Kind, now));
            }

            one.Incident = incident;
        }

        foreach (var incident in fresh)
        {
            events.Audit(LeakLetters.Fact(incident) with { Actor = finder.Actor });
        }

        await LeakLetters.SendAsync(db, events, fresh, now, cancellationToken);
        if (foreign.Count > 0)
        {
            events.Publish(new TokensLeaked(Guid.CreateVersion7(now), foreign, now));
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        // What is tracked is looked through at every save: the next thousand do without these.
        db.ChangeTracker.Clear();
    }

    private static void Revoke(IEvents events, ApiToken token, Guid? owner, LeakIncident incident, Finder finder, DateTimeOffset now)
    {
        incident.Confirm(token, owner, now);
        if (token.TryRevoke(now))
        {
            token.Tell(events);
            events.Audit(incident.Fact("identity.token-revoked") with { Actor = finder.Actor, Reason = "it leaked", Changes = [Change.Add("/revokedAt", now)] });
        }
    }

    /// <summary>What is written down of some tokens already. A report that is sent again finds all of it here, and keeps nobody from writing.</summary>
    private sealed record Known(Dictionary<string, LeakIncident> Incidents, HashSet<string> Places)
    {
        public static async Task<Known> OfAsync(IQueryable<LeakIncident> rows, ControlPlaneDbContext db, IReadOnlyCollection<Judged> some, CancellationToken cancellationToken)
        {
            var ids = some.Select(one => one.Id).Distinct().ToList();
            var incidents = (await rows.Where(row => ids.Contains(row.TokenId)).ToListAsync(cancellationToken)).ToDictionary(row => KeyOf(row.Kind, row.TokenId, row.SecretSha256));
            var known = incidents.Values.Select(row => row.Id).ToList();
            var places = known.Count == 0 ? [] : await db.Set<LeakPlace>().Where(row => known.Contains(row.IncidentId)).Select(row => new { row.IncidentId, row.Digest }).ToListAsync(cancellationToken);
            return new Known(incidents, places.Select(row => KeyOf(row.IncidentId, row.Digest)).ToHashSet(StringComparer.Ordinal));
        }

        public LeakIncident? Find(Judged one) => Incidents.GetValueOrDefault(KeyOf(one.Kind.ToString(), one.Id, one.SecretSha256));

        /// <summary>Whether it is to be added: of an incident with as many places as are kept, none is.</summary>
        public bool IsNew(LeakIncident incident, Place place, string finder) => incident.Places < LeakIncident.MostPlaces && !Places.Contains(KeyOf(incident.Id, place.Digest(finder)));

        private static string KeyOf(string kind, string id, byte[] sha256) => $"{kind}{id}{Convert.ToHexString(sha256)}";

        private static string KeyOf(Guid incident, byte[] digest) => $"{incident:N}{Convert.ToHexString(digest)}";
    }
}

/// <summary>A token that was found, cut to what may be kept, and what it turned out to be.</summary>
internal sealed class Judged
{
    /// <summary>Bytes of the longest sealed token that its owner is asked about; none is as long.</summary>
    private const int LongestSealed = 128;

    public char Kind { get; private init; }

    public string Id { get; private init; } = "";

    public byte[] SecretSha256 { get; private init; } = [];

    /// <summary>Of a sealed token what it says, without what makes it good; null: of another.</summary>
    public byte[]? Untagged { get; private init; }

    public Verdict Verdict { get; set; }

    public List<Place> Places { get; } = [];

    public LeakIncident? Incident { get; set; }

    /// <summary>What the form alone tells.</summary>
    public static Judged Of(string token)
    {
        if (TokenText.TryParse(token, out var kind, out var id, out var sha256))
        {
            // Of the other kinds none was ever given out.
            return new Judged { Kind = kind, Id = id, SecretSha256 = sha256, Verdict = kind == 'e' ? Verdict.PassedOn : Verdict.NotOurs };
        }

        return SealedToken.TryParse(token, 'c', out var body) && body.Length is > SealedToken.TagSize and <= LongestSealed
            ? new Judged { Kind = 'c', Id = token[4..TokenScanner.LoggableLength], SecretSha256 = SHA256.HashData(body), Untagged = body[..^SealedToken.TagSize], Verdict = Verdict.PassedOn }
            : new Judged { Verdict = Verdict.NotOurs };
    }
}
