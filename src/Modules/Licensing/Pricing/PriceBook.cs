using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Rating;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Pricing;

/// <summary>A name for versions of prices in one currency. The vendor's own: a customer sees the rate card of its contract.</summary>
internal sealed class PriceBook
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Currency { get; init; }

    /// <summary>The highest number that a version ever had, so that the one of a discarded draft is not given again.</summary>
    public int LastNumber { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    public PriceBookItem ToItem() => new(Id, Name, Currency, CreatedAt);

    /// <summary>Saves a new book, or a change of one of its versions, with its entry in the audit log. The only place that does.</summary>
    public async Task SaveAsync(ControlPlaneDbContext db, IEvents events, TimeProvider time, string type, int? number, IReadOnlyList<AuditChange> changes, string? reason, CancellationToken cancellationToken)
    {
        events.Audit(new AuditFact(type, AuditLog.Operator, number is null ? "price-book" : "price-book-version", number is null ? Id.ToString() : $"{Id}/{number}") { Changes = changes, Reason = reason });
        await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.PriceBook, Guid.Empty, number is null ? Id.ToString() : $"{Id}/{number}", Version: Version)], cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<PriceBook>
    {
        public void Configure(EntityTypeBuilder<PriceBook> builder)
        {
            builder.ToTable("licensing_price_book").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
            builder.Property(row => row.Currency).HasMaxLength(3);
            builder.HasIndex(row => row.Name);
        }
    }
}

/// <summary>Whether a version counts.</summary>
internal enum PriceBookVersionState
{
    Draft,
    Published,
}

/// <summary>A version of a price book: a sheet. Once published it never changes.</summary>
internal sealed class PriceBookVersion
{
    public required Guid BookId { get; init; }

    public required int Number { get; init; }

    public PriceBookVersionState State { get; private set; }

    /// <summary>In force from here until a later version is.</summary>
    public int FromHour { get; private set; }

    /// <summary>The sheet; see <see cref="PriceSheet.ToStored"/>.</summary>
    public string Content { get; private set; } = "";

    /// <summary>Of <see cref="Content"/>.</summary>
    public string Sha256 { get; private set; } = "";

    public int Rates { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? PublishedAt { get; private set; }

    public long Version { get; set; }

    public PriceSheet Sheet() => PriceSheet.FromStored(Content);

    /// <summary>The prices, as the rater is told them.</summary>
    public RateCard ToRateCard() => Sheet().Card;

    public void Hold(PriceSheet sheet, DateTimeOffset now)
    {
        Content = sheet.ToStored();
        (FromHour, Rates, Sha256, CreatedAt) = (sheet.FromHour, sheet.Card.Rates.Count, PriceSheet.Digest(Content), now);
        Version++;
    }

    public void Publish(DateTimeOffset now)
    {
        (State, PublishedAt) = (PriceBookVersionState.Published, now);
        Version++;
    }

    public PriceBookVersionItem ToItem(string? hindrance)
    {
        var why = hindrance ?? (State == PriceBookVersionState.Published ? "It is published, and never changes." : null);
        return new PriceBookVersionItem(
            BookId, Number, Words.Of(State), UsageWindow.StartOf(FromHour), Sha256, Rates, CreatedAt, PublishedAt, Version, [AllowedAction.Of("replace", why), AllowedAction.Of("discard", why), AllowedAction.Of("publish", why)]);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<PriceBookVersion>
    {
        public void Configure(EntityTypeBuilder<PriceBookVersion> builder)
        {
            builder.ToTable("licensing_price_book_version").HasKey(row => new { row.BookId, row.Number });
            builder.Property(row => row.Content).IsText();
            builder.Property(row => row.Sha256).HasMaxLength(71);
        }
    }
}
