using MissionControl.Notifications.Deliveries;
using MissionControl.Notifications.Endpoints;

namespace MissionControl.Notifications.Channels;

/// <summary>How one attempt to deliver ended.</summary>
internal enum AttemptEnd
{
    /// <summary>The receiver has it.</summary>
    Sent,

    /// <summary>Try it again; others to the same receiver may get through.</summary>
    Later,

    /// <summary>Try it again; the receiver answers nobody.</summary>
    Away,

    /// <summary>The receiver will not take it, ever.</summary>
    Refused,

    /// <summary>The receiver wants nothing more.</summary>
    Gone,
}

/// <summary>What became of an attempt.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Error">What went wrong, in words for whoever looks after it; never what was sent.</param>
/// <param name="Pause">How long the receiver asked to be left alone.</param>
internal sealed record Attempt(AttemptEnd End, string? Error = null, TimeSpan? Pause = null)
{
    public static readonly Attempt Sent = new(AttemptEnd.Sent);

    public static Attempt Away(string error) => new(AttemptEnd.Away, error);
}

/// <summary>A way to one receiver, open for as long as there is something for it.</summary>
internal interface IWay : IAsyncDisposable
{
    /// <summary>Tries once. Whatever goes wrong is told, and nothing thrown but that it was cancelled.</summary>
    Task<Attempt> SendAsync(Delivery delivery, CancellationToken cancellationToken);
}

/// <summary>Opens ways.</summary>
internal sealed class Ways(MailChannel mail, WebhookChannel webhook, SyslogChannel syslog)
{
    /// <summary>The way of a channel; of an endpoint where it is not mail.</summary>
    public IWay To(string channel, OutboundEndpoint? endpoint) => (channel, endpoint) switch
    {
        ("mail", _) => mail.Open(),
        (_, null) => new Closed(new Attempt(AttemptEnd.Refused, "The endpoint was removed.")),
        (_, { IsDisabled: true }) => new Closed(new Attempt(AttemptEnd.Refused, "The endpoint is disabled.")),
        ("webhook", _) => webhook.To(endpoint),
        _ => syslog.To(endpoint),
    };

    private sealed class Closed(Attempt why) : IWay
    {
        public Task<Attempt> SendAsync(Delivery delivery, CancellationToken cancellationToken) => Task.FromResult(why);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
