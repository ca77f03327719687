using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Confirmation;

/// <summary>
/// What a program without a browser wants its person to confirm in the portal. The role that demands it worded it; the proof that comes of
/// it is made when the program fetches it, and for its session alone: nobody who reads the table finds one.
/// </summary>
internal sealed class AskedConfirmation
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Open ones of one person; what comes beyond is dropped, so that a flood hides nothing.</summary>
    private const int MostOpen = 20;

    public required Guid Id { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>The program's session.</summary>
    public required Guid SessionId { get; init; }

    public required string Audience { get; init; }

    public required string Purpose { get; init; }

    public required string SubjectDigest { get; init; }

    public required string Text { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was confirmed or refused.</summary>
    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>How it was confirmed (RFC 8176); null: it was not.</summary>
    public string? Factors { get; init; }

    /// <summary>When the program fetched its proof.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    public StepUpDemand Demand => new(Audience, Purpose, SubjectDigest, Text);

    public string StateAt(DateTimeOffset now) =>
        AnsweredAt is null ? ExpiresAt > now ? ConfirmationStates.Waiting : ConfirmationStates.Over
        : Factors is null ? ConfirmationStates.Refused
        : TakenAt is null && AnsweredAt + StepUpProofs.Lifetime > now ? ConfirmationStates.Confirmed : ConfirmationStates.Over;

    internal sealed class Configuration : IEntityTypeConfiguration<AskedConfirmation>
    {
        public void Configure(EntityTypeBuilder<AskedConfirmation> builder)
        {
            builder.ToTable("identity_confirmation").HasKey(row => row.Id);
            builder.Property(row => row.Audience).HasMaxLength(30);
            builder.Property(row => row.Purpose).HasMaxLength(40);
            builder.Property(row => row.SubjectDigest).HasMaxLength(43);
            builder.Property(row => row.Text).HasMaxLength(StepUp.MostInPortal);
            builder.Property(row => row.Factors).HasMaxLength(100);
            builder.HasIndex(row => row.PersonId);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }

    /// <summary>Keeps what a role asks, of a session of the very person it names, once.</summary>
    internal sealed class Take(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<AskToConfirm>
    {
        public async Task HandleAsync(AskToConfirm message, MessageContext context, CancellationToken cancellationToken)
        {
            var now = time.GetUtcNow();
            if (!StepUp.Purposes.Contains(message.Demand.Purpose) || message.Demand.Text.Length > StepUp.MostInPortal
                || await db.Set<AskedConfirmation>().AnyAsync(row => row.Id == message.Id, cancellationToken)
                || await db.Set<Session>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == message.SessionId && row.PersonId == message.PersonId, cancellationToken) is not { } session || !session.IsLive(now)
                || await db.Set<AskedConfirmation>().CountAsync(row => row.PersonId == message.PersonId && row.AnsweredAt == null && row.ExpiresAt > now, cancellationToken) >= MostOpen)
            {
                return;
            }

            db.Add(new AskedConfirmation
            {
                Id = message.Id, PersonId = message.PersonId, SessionId = message.SessionId, Audience = message.Demand.Audience, Purpose = message.Demand.Purpose, SubjectDigest = message.Demand.SubjectDigest,
                Text = WellFormedText.Line(message.Demand.Text, StepUp.MostInPortal), AskedAt = message.AskedAt, ExpiresAt = now + Life,
            });
        }
    }
}
