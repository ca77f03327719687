using System.Net;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Tokens;
using Scope = MissionControl.Platform.Security.Scopes;

namespace MissionControl.Identity.Tokens;

/// <summary>A bearer token of the API. Only the SHA-256 of its secret is kept.</summary>
internal sealed class ApiToken
{
    /// <summary>Name of the token that the first start makes.</summary>
    public const string Bootstrap = "bootstrap administrator";

    public required string Id { get; init; }

    public required byte[] SecretSha256 { get; init; }

    public required string Name { get; init; }

    /// <summary>Binds it to one customer; null: staff.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>The person who made it, with whom it ends; null: another token did.</summary>
    public Guid? PersonId { get; init; }

    /// <summary>The service account whose it is, which it does nothing beyond; null: nobody's.</summary>
    public Guid? AccountId { get; init; }

    /// <summary>Whether it is what the account gets access tokens with, and no bearer: then no role is told of it.</summary>
    public bool IsClientSecret { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Scopes { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Networks { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; set; }

    /// <summary>The one that takes its place since it was rotated.</summary>
    public string? SuccessorId { get; private set; }

    /// <summary>The one in whose place it came.</summary>
    public string? PredecessorId { get; private init; }

    public DateTimeOffset? RevokedAt { get; private set; }

    public long Version { get; private set; }

    public string PrincipalKind => AccountId is not null ? "serviceAccount" : CustomerId is null ? "staff" : "customerUser";

    public string Subject => AccountId is { } account ? $"client:{account:N}" : $"token:{Id}";

    public static ApiToken Create(string name, Guid? customerId, IEnumerable<string> scopes, IEnumerable<string> networks, TimeSpan life, DateTimeOffset now, out string text, Guid? personId = null, Guid? accountId = null, bool isClientSecret = false)
    {
        text = TokenText.New('a', out var id, out var sha256);
        return new ApiToken
        {
            Id = id,
            SecretSha256 = sha256,
            Name = name,
            CustomerId = customerId,
            PersonId = personId,
            AccountId = accountId,
            IsClientSecret = isClientSecret,
            Scopes = string.Join(' ', scopes),
            Networks = string.Join(' ', networks),
            CreatedAt = now,
            ExpiresAt = now + life,
            Version = 1,
        };
    }

    public IReadOnlyList<string> ScopeList() => Split(Scopes);

    public IReadOnlyList<string> NetworkList() => Split(Networks);

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && ExpiresAt > now;

    /// <summary>Why it cannot be revoked, in words; null: it can, also when it has expired, since its sessions may not have.</summary>
    public string? NoRevoking => RevokedAt is null ? null : "It is revoked already.";

    public bool TryRevoke(DateTimeOffset now)
    {
        if (NoRevoking is not null)
        {
            return false;
        }

        RevokedAt = now;
        Version++;
        return true;
    }

    /// <summary>How long it was made for, as long as it was not rotated: its successor lives as long.</summary>
    public TimeSpan Life => ExpiresAt - CreatedAt;

    /// <summary>Why it cannot be rotated, in words; null: it can.</summary>
    public string? NoRotating(DateTimeOffset now) => IsClientSecret ? "Make another secret of the account, and revoke this one when it is in place." : SuccessorId is not null ? "It was rotated already." : PredecessorId is not null && now - CreatedAt < TimeSpan.FromHours(1) ? "It took another's place less than an hour ago." : IsLive(now) ? null : "It is worth nothing any more; make another one.";

    /// <summary>Puts a token in the place of this one, with all that it may and as long a life; this one ends after the overlap, and never later than it would have.</summary>
    public ApiToken Rotate(TimeSpan overlap, TimeSpan longest, DateTimeOffset now, out string text)
    {
        text = TokenText.New('a', out var id, out var sha256);
        var life = Life < longest ? Life : longest;
        var successor = new ApiToken
        {
            Id = id, SecretSha256 = sha256, Name = Name, CustomerId = CustomerId, PersonId = PersonId, AccountId = AccountId, Scopes = Scopes, Networks = Networks,
            CreatedAt = now, ExpiresAt = now + life, PredecessorId = Id, Version = 1,
        };
        SuccessorId = id;
        ExpiresAt = now + overlap < ExpiresAt ? now + overlap : ExpiresAt;
        Version++;
        return successor;
    }

    /// <summary>Which networks a token made by this one may not have: a bound token makes none that is good elsewhere.</summary>
    public IEnumerable<FieldError> Beyond(IReadOnlyList<string> networks)
    {
        if (Networks.Length == 0)
        {
            yield break;
        }

        if (networks.Count == 0)
        {
            yield return new FieldError("/networks", "required", $"Your own token is bound to networks; name some within {Networks}.");
        }

        var own = Split(Networks).Select(IPNetwork.Parse).ToList();
        for (var i = 0; i < networks.Count; i++)
        {
            if (IPNetwork.TryParse(networks[i], out var network) && !own.Exists(outer => outer.PrefixLength <= network.PrefixLength && outer.Contains(network.BaseAddress)))
            {
                yield return new FieldError($"/networks/{i}", "beyond-your-own", $"'{network}' is not within {Networks}, which your own token is bound to.");
            }
        }
    }

    /// <summary>How long a token made by this one lives: no longer than this one, unless it is an administrator's.</summary>
    public TimeSpan LifeOfChild(TimeSpan asked, DateTimeOffset now) =>
        Scope.Include(Scopes, Scope.Everything) || now + asked < ExpiresAt ? asked : ExpiresAt - now;

    /// <summary>Revokes what is live of a selection, within the open transaction.</summary>
    /// <param name="selection">The tokens.</param>
    /// <param name="events">Told of each.</param>
    /// <param name="stillGranted">Spared are those that hold nothing beyond these scopes; null: none is.</param>
    /// <param name="reason">Why; it stands in the audit log.</param>
    /// <param name="actor">Who did it, where it is not the request's principal.</param>
    /// <param name="now">From when on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task RevokeAsync(IQueryable<ApiToken> selection, IEvents events, string? stillGranted, string reason, AuditActor? actor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var token in await selection.Where(row => row.RevokedAt == null).ToListAsync(cancellationToken))
        {
            if (stillGranted is not null && token.ScopeList().All(scope => Scope.Include(stillGranted, scope)))
            {
                continue;
            }

            token.TryRevoke(now);
            token.Tell(events);
            events.Audit(new AuditFact("identity.token-revoked", token.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "token", token.Id)
            {
                CustomerId = token.CustomerId, Actor = actor, Reason = reason, Changes = [Change.Add("/revokedAt", now)],
            });
        }
    }

    /// <summary>Tells the roles of it. A client secret opens no role's door, so none hears of it.</summary>
    public void Tell(IEvents events)
    {
        if (!IsClientSecret)
        {
            events.Publish(new TokenChanged(Id, SecretSha256, Subject, PrincipalKind, CustomerId, Split(Scopes), Split(Networks), ExpiresAt, RevokedAt, Version, PersonId, AccountId));
        }
    }

    public TokenItem ToItem(ClaimsPrincipal reader, DateTimeOffset now, LastUse? used = null) =>
        new(Id, Name, CustomerId, Split(Scopes), Split(Networks), RevokedAt is not null ? "revoked" : ExpiresAt <= now ? "expired" : "active", CreatedAt, ExpiresAt, RevokedAt,
            [AllowedAction.Of("rotate", RotateToken.Hindrance(this, reader, now)), AllowedAction.Of("revoke", Scope.Lacking(reader, TokensApi.Right) ?? NoRevoking)], PersonId)
        {
            AccountId = AccountId, Use = IsClientSecret ? "client-secret" : "bearer", LastUsedAt = used?.At, LastUsedFrom = used?.From, SuccessorId = SuccessorId, PredecessorId = PredecessorId,
        };

    private static string[] Split(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    internal sealed class Configuration : IEntityTypeConfiguration<ApiToken>
    {
        public void Configure(EntityTypeBuilder<ApiToken> builder)
        {
            builder.ToTable("identity_token").HasKey(row => row.Id);
            builder.Property(row => row.Id).HasMaxLength(12);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Scopes).HasMaxLength(2000);
            builder.Property(row => row.Networks).HasMaxLength(1000);
            builder.Property(row => row.SuccessorId).HasMaxLength(12);
            builder.Property(row => row.PredecessorId).HasMaxLength(12);
            builder.HasIndex(row => row.CreatedAt);
            builder.HasIndex(row => row.PersonId);
            builder.HasIndex(row => row.AccountId);
            builder.HasIndex(row => row.ExpiresAt);
            builder.Ignore(row => row.Life);
            builder.Ignore(row => row.NoRevoking);
            builder.Ignore(row => row.PrincipalKind);
            builder.Ignore(row => row.Subject);
        }
    }
}
