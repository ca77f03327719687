using System.Linq.Expressions;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Notifications.Contacts;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;

namespace MissionControl.Notifications.Deliveries;

/// <summary>How far a delivery is.</summary>
internal enum DeliveryState
{
    Waiting,
    Sent,
    Failed,
}

/// <summary>
/// The intent to tell one recipient one thing over one channel. Its id is made of just these three, so that replicas and repeated
/// commands find the one that is there, and the receiver knows a second copy by it.
/// </summary>
internal sealed class Delivery
{
    /// <summary>Characters of an error that are kept.</summary>
    public const int ErrorLength = 300;

    /// <summary>Characters of the name of who wants to know.</summary>
    public const int ReportLength = 40;

    /// <summary>How long it is tried.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    /// <summary>The longest time between two attempts.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(4);

    private static readonly byte[] Something = [1];
    private static readonly byte[] Nothing = [];

    /// <summary>One of which only is read whether its body is kept, for lists: a body may be large.</summary>
    public static readonly Expression<Func<Delivery, Delivery>> WithoutBody = row => new Delivery
    {
        Id = row.Id,
        CustomerId = row.CustomerId,
        DedupKey = row.DedupKey,
        Channel = row.Channel,
        Recipient = row.Recipient,
        Subject = row.Subject,
        Severity = row.Severity,
        Body = row.Body.Length > 0 ? Something : Nothing,
        State = row.State,
        Attempts = row.Attempts,
        CreatedAt = row.CreatedAt,
        Since = row.Since,
        NextAt = row.NextAt,
        EndedAt = row.EndedAt,
        Error = row.Error,
        Report = row.Report,
    };

    // From attempt to attempt; the last one repeats until patience ends.
    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2), LongestPause,
    ];

    public required Guid Id { get; init; }

    public required Guid? CustomerId { get; init; }

    public required string DedupKey { get; init; }

    /// <summary>mail, webhook or syslog.</summary>
    public required string Channel { get; init; }

    /// <summary>The mail address, or the endpoint's id.</summary>
    public required string Recipient { get; init; }

    /// <summary>The mail's subject, or the event's type.</summary>
    public required string Subject { get; init; }

    /// <summary>info, warning or critical.</summary>
    public required string Severity { get; init; }

    /// <summary>The mail's text, or the event; empty once it is sent, for some of what is told is meant for its recipient alone, and where a batch of an export failed.</summary>
    public required byte[] Body { get; set; }

    public DeliveryState State { get; set; }

    public int Attempts { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when it is tried for <see cref="Patience"/>: when it was asked for, or asked for again.</summary>
    public required DateTimeOffset Since { get; set; }

    /// <summary>When it is tried next; null: never.</summary>
    public required DateTimeOffset? NextAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public string? Error { get; set; }

    /// <summary>Who wants to know how it ends; null: nobody.</summary>
    public string? Report { get; init; }

    public static Delivery Mail(Contact contact, Letter letter, string severity, string dedupKey, DateTimeOffset now) =>
        New("mail", contact.Email, dedupKey, contact.CustomerId, letter.Subject, severity, Encoding.UTF8.GetBytes(letter.Text), now, null);

    public static Delivery Event(OutboundEndpoint endpoint, string type, Guid id, byte[] cloudEvent, DateTimeOffset now, string? report = null) =>
        New(endpoint.Kind, endpoint.Id.ToString(), id.ToString("N"), endpoint.CustomerId, type, "info", cloudEvent, now, report);

    /// <summary>One that nobody wants any more, as it ends.</summary>
    public static Delivery Withdrawn(OutboundEndpoint endpoint, Guid id, string report, string why, DateTimeOffset now)
    {
        var delivery = Event(endpoint, "withdrawn", id, [], now, report);
        (delivery.State, delivery.NextAt, delivery.EndedAt, delivery.Error) = (DeliveryState.Failed, null, now, why);
        return delivery;
    }

    /// <summary>How one ended that somebody wanted to know of.</summary>
    public static DeliveryEnded Ended(string report, string dedupKey, DeliveryState state, string? error, DateTimeOffset now) =>
        new(Guid.ParseExact(dedupKey, "N"), report, state == DeliveryState.Sent ? DeliveryEnded.Sent : DeliveryEnded.Failed, error, now);

    /// <summary>How long after a failed attempt it is tried again; null: its time is over.</summary>
    /// <param name="attempts">How often it was tried.</param>
    /// <param name="asked">What the receiver asked for.</param>
    /// <param name="now">The present instant.</param>
    public TimeSpan? PauseAfter(int attempts, TimeSpan? asked, DateTimeOffset now)
    {
        var pause = Pauses[Math.Min(attempts, Pauses.Length) - 1];
        pause = asked > pause ? Bounded(asked.Value) : pause;
        return now + pause > Since + Patience ? null : pause;
    }

    /// <summary>What a receiver asked for, within reason: 10 s to <see cref="LongestPause"/>.</summary>
    public static TimeSpan Bounded(TimeSpan asked) => asked < Pauses[0] ? Pauses[0] : asked > LongestPause ? LongestPause : asked;

    /// <summary>Why it cannot be asked for again, in words; null: it can.</summary>
    public string? NoRedelivering => State switch
    {
        DeliveryState.Failed => Body.Length > 0 ? null : "What it said is not kept.",
        DeliveryState.Sent => "It was sent; what it said is not kept.",
        _ => "It is being tried anyway.",
    };

    /// <summary>What the API says of it.</summary>
    /// <param name="hindrance">Why its reader may change none; null: it may.</param>
    /// <param name="isStaff">What the vendor's mail server said, with names and addresses of the inside, is told to staff alone.</param>
    public DeliveryItem ToItem(string? hindrance, bool isStaff) => new(
        Id, CustomerId, Channel, Recipient, Subject, Severity, Word(State), Attempts, CreatedAt, State == DeliveryState.Waiting ? NextAt : null, EndedAt,
        Error is null || isStaff || Channel != "mail" ? Error : State == DeliveryState.Failed ? "The mail server did not take it." : "The mail server has not taken it yet.",
        [AllowedAction.Of("redeliver", hindrance ?? NoRedelivering)]);

    public static string Word(DeliveryState state) => state.ToString().ToLowerInvariant();

    private static Delivery New(string channel, string recipient, string dedupKey, Guid? customerId, string subject, string severity, byte[] body, DateTimeOffset now, string? report) => new()
    {
        Id = IdOf(dedupKey, channel, recipient),
        CustomerId = customerId,
        DedupKey = dedupKey,
        Channel = channel,
        Recipient = recipient,
        Subject = WellFormedText.Line(subject, 200),
        Severity = severity,
        Body = body,
        CreatedAt = now,
        Since = now,
        NextAt = now,
        Report = report,
    };

    private static Guid IdOf(string dedupKey, string channel, string recipient) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{dedupKey}\n{channel}\n{recipient.ToUpperInvariant()}")).AsSpan(0, 16), bigEndian: true);

    internal sealed class Configuration : IEntityTypeConfiguration<Delivery>
    {
        public void Configure(EntityTypeBuilder<Delivery> builder)
        {
            builder.ToTable("notifications_delivery").HasKey(row => row.Id);
            builder.Property(row => row.DedupKey).HasMaxLength(200);
            builder.Property(row => row.Channel).HasMaxLength(20);
            builder.Property(row => row.Recipient).HasMaxLength(254);
            builder.Property(row => row.Subject).HasMaxLength(200);
            builder.Property(row => row.Severity).HasMaxLength(20);
            builder.Property(row => row.Error).HasMaxLength(ErrorLength);
            builder.Property(row => row.Report).HasMaxLength(ReportLength);
            builder.Ignore(row => row.NoRedelivering);
            builder.HasIndex(row => new { row.State, row.NextAt });
            builder.HasIndex(row => row.CreatedAt);
            builder.HasIndex(row => row.EndedAt);
            builder.HasIndex(row => new { row.Recipient, row.CreatedAt });
        }
    }
}
