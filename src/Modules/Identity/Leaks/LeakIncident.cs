using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// A token that leaked, once for each token: whoever reports it again, or finds it elsewhere, adds a place. While only another role can
/// tell whether there is such a token it is unconfirmed, and gone again when that role says no. It is closed by a person, never by itself.
/// </summary>
internal sealed class LeakIncident
{
    /// <summary>What the outcome of a token is that was good until we heard of it.</summary>
    public const string Revoked = "revoked";

    /// <summary>Places that are kept of one token; a thousand copies tell no more.</summary>
    public const int MostPlaces = 100;

    public required Guid Id { get; init; }

    /// <summary>The third letter of the token.</summary>
    public required string Kind { get; init; }

    public required string TokenId { get; init; }

    /// <summary>Of the secret that was found. A report with another one is about another token, or about none.</summary>
    public required byte[] SecretSha256 { get; init; }

    public string? Name { get; private set; }

    /// <summary>Whom the token could act for; null: the vendor, or unconfirmed.</summary>
    public Guid? CustomerId { get; private set; }

    public Guid? ClusterId { get; private set; }

    /// <summary>The person whose own it is, or who answers for the program whose it is.</summary>
    public Guid? OwnerId { get; private set; }

    /// <summary>The token that took its place before it leaked; it is good still, unless somebody ended it.</summary>
    public string? SuccessorId { get; private set; }

    /// <summary>Who found it first: github, gitlab, person or anonymous.</summary>
    public required string Source { get; init; }

    /// <summary>The first place that was named.</summary>
    public string? Url { get; private set; }

    public int Places { get; private set; }

    public required DateTimeOffset ReportedAt { get; init; }

    public DateTimeOffset? VerifiedAt { get; private set; }

    /// <summary>revoked, was-used, was-revoked or was-expired; null: unconfirmed.</summary>
    public string? Outcome { get; private set; }

    public DateTimeOffset? DeadAt { get; private set; }

    /// <summary>When a cluster enrolled with it; of other kinds the uses are counted.</summary>
    public DateTimeOffset? SpentAt { get; private set; }

    public DateTimeOffset? ToldAt { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    public string? ClosedBy { get; private set; }

    public string? ClosedBecause { get; private set; }

    public string? Comment { get; private set; }

    public long Version { get; private set; } = 1;

    public string Loggable => $"mc{Kind}_{TokenId}";

    public string State => Outcome is null ? "unconfirmed" : ClosedAt is null ? "open" : "closed";

    public string KindName => Kind switch { "a" => "api", "c" => "clusterAccess", _ => "enrolment" };

    /// <summary>Adds a place.</summary>
    public LeakPlace Add(Place place, string reporter, DateTimeOffset now)
    {
        Places++;
        Version++;
        Url ??= place.Url;
        return new LeakPlace { IncidentId = Id, Digest = place.Digest(reporter), Reporter = reporter, Source = place.Source, Url = place.Url, FoundAt = now };
    }

    /// <summary>It is an API token of ours, with the right secret: it is worth nothing from now on, if it was anything.</summary>
    public void Confirm(ApiToken token, Guid? owner, DateTimeOffset now)
    {
        (Name, CustomerId, OwnerId, SuccessorId) = (token.Name, token.CustomerId, owner, token.SuccessorId);
        Outcome = token.RevokedAt is not null ? "was-revoked" : token.ExpiresAt <= now ? "was-expired" : Revoked;
        DeadAt = Outcome switch { "was-revoked" => token.RevokedAt, "was-expired" => token.ExpiresAt, _ => now };
        VerifiedAt = now;
        Version++;
    }

    /// <summary>The role that owns it says that it is real, and what became of it.</summary>
    public void Confirm(string outcome, Guid? customerId, Guid? clusterId, string? name, DateTimeOffset? spentAt, DateTimeOffset at)
    {
        (Outcome, CustomerId, ClusterId, Name, SpentAt) = (outcome, customerId, clusterId, name, spentAt);
        DeadAt = spentAt ?? at;
        VerifiedAt = at;
        Version++;
    }

    public void Told(DateTimeOffset now)
    {
        ToldAt = now;
        Version++;
    }

    public void Close(string because, string comment, string by, DateTimeOffset now)
    {
        (ClosedBecause, Comment, ClosedBy, ClosedAt) = (because, comment, by, now);
        Version++;
    }

    /// <summary>Why a reader cannot close it, in words; null: it can.</summary>
    public string? NoClosing(ClaimsPrincipal reader) => Scopes.Lacking(reader, TokensApi.Right)
        ?? (Outcome is null ? "Whether the token is real is not known yet." : ClosedAt is not null ? "It is closed already." : null);

    public LeakItem ToItem(ClaimsPrincipal reader, DateTimeOffset? lastUsedAt)
    {
        var used = SpentAt ?? lastUsedAt;
        return new LeakItem(Id, Loggable, KindName, Name, CustomerId, ClusterId, OwnerId, State, Outcome, Source, Url, Places, ReportedAt, DeadAt, used, used > ReportedAt, ClosedAt, Version,
            reader.FindFirst("customer") is not null ? [] : [AllowedAction.Of("close", NoClosing(reader))]) { SuccessorId = SuccessorId };
    }

    /// <summary>Where what happens to it is told.</summary>
    public AuditFact Fact(string type) => new(type, CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "token", TokenId) { CustomerId = CustomerId, ClusterId = ClusterId };

    internal sealed class Configuration : IEntityTypeConfiguration<LeakIncident>
    {
        public void Configure(EntityTypeBuilder<LeakIncident> builder)
        {
            builder.ToTable("identity_leak").HasKey(row => row.Id);
            builder.Property(row => row.Kind).HasMaxLength(1);
            builder.Property(row => row.TokenId).HasMaxLength(12);
            builder.Property(row => row.SecretSha256).HasMaxLength(32);
            builder.Property(row => row.SuccessorId).HasMaxLength(12);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Source).HasMaxLength(20);
            builder.Property(row => row.Url).HasMaxLength(Place.MostUrl);
            builder.Property(row => row.Outcome).HasMaxLength(20);
            builder.Property(row => row.ClosedBy).HasMaxLength(60);
            builder.Property(row => row.ClosedBecause).HasMaxLength(20);
            builder.Property(row => row.Comment).HasMaxLength(500);
            builder.HasIndex(row => new { row.TokenId, row.Kind, row.SecretSha256 }).IsUnique();
            builder.HasIndex(row => row.ReportedAt);
            builder.HasIndex(row => row.ClosedAt);
            builder.Ignore(row => row.Loggable);
            builder.Ignore(row => row.State);
            builder.Ignore(row => row.KindName);
        }
    }
}

/// <summary>Where a token was found, as a stranger wrote it: one line, cut, and without the token itself.</summary>
/// <param name="Source">What kind of place, such as commit.</param>
/// <param name="Url">Where. Shown as text, and never fetched.</param>
internal sealed record Place(string? Source, string? Url)
{
    public const int MostUrl = 2000;
    public const int MostSource = 40;

    public static Place Of(string? source, string? url) => new(Line(source, MostSource)?.ToLowerInvariant(), Line(url, MostUrl));

    /// <summary>The same place from the same reporter is the same row, however often it is told.</summary>
    public byte[] Digest(string reporter) => SHA256.HashData(Encoding.UTF8.GetBytes($"{reporter}\n{Source}\n{Url}"));

    private static string? Line(string? text, int length)
    {
        // What is longer is cut before it is looked at: nobody makes us read a megabyte for one place.
        var line = Protocol.Tokens.TokenText.Redact(WellFormedText.Line(WellFormedText.Cut(text ?? "", length * 2), length * 2)).Trim();
        return line.Length == 0 ? null : WellFormedText.Cut(line, length);
    }
}

/// <summary>A place where a token was found.</summary>
internal sealed class LeakPlace
{
    public required Guid IncidentId { get; init; }

    public required byte[] Digest { get; init; }

    /// <summary>github, gitlab, person or anonymous.</summary>
    public required string Reporter { get; init; }

    public string? Source { get; init; }

    public string? Url { get; init; }

    public required DateTimeOffset FoundAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LeakPlace>
    {
        public void Configure(EntityTypeBuilder<LeakPlace> builder)
        {
            builder.ToTable("identity_leak_place").HasKey(row => new { row.IncidentId, row.Digest });
            builder.Property(row => row.Digest).HasMaxLength(32);
            builder.Property(row => row.Reporter).HasMaxLength(20);
            builder.Property(row => row.Source).HasMaxLength(Place.MostSource);
            builder.Property(row => row.Url).HasMaxLength(Place.MostUrl);
            builder.HasIndex(row => row.FoundAt);
        }
    }
}
