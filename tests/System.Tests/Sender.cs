using System.Collections.Concurrent;
using Google.Protobuf;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.System.Tests;

/// <summary>A cluster that sends events and usage as fast as it is answered, and remembers which were acknowledged.</summary>
internal sealed class Sender(IInstallation installation, params IReadOnlyList<Uri> only)
{
    private static readonly int Newest = UsageWindow.HourOf(TimeProvider.System.GetUtcNow()) - 1;
    private readonly MemoryIdentity identity = new();
    private readonly SortedDictionary<long, Item> waiting = [];
    private List<CallHomeClient> doors = [];
    private long next = 1;
    private int round;
    private int unstored;

    public Guid ClusterId => identity.Enrollment!.ClusterId;

    /// <summary>Every check-in goes to all doors at once, as if the network or a retry doubled it; otherwise to one after the other.</summary>
    public bool Doubled { get; init; }

    /// <summary>How often the answer was that nothing could be stored.</summary>
    public int Unstored => Volatile.Read(ref unstored);

    /// <summary>What was refused for good, and why: nothing that is sent here should be.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    public ConcurrentDictionary<string, bool> Offered { get; } = new();

    public ConcurrentDictionary<string, bool> Acknowledged { get; } = new();

    public ConcurrentDictionary<int, bool> OfferedHours { get; } = new();

    public ConcurrentDictionary<int, bool> AcknowledgedHours { get; } = new();

    public async Task EnrollAsync(string token)
    {
        doors = [.. (only.Count > 0 ? only : installation.CallHomes).Select(address => new CallHomeClient(installation.Client(address), identity, TimeProvider.System))];
        var response = await doors[0].EnrollAsync(token, new Facts { Name = "sender" }, true, CancellationToken.None);
        identity.Enrollment = new Enrollment(installation.CallHomes[0], Guid.Parse(response.ClusterId), response.Epoch, "", true, 60, 10);
    }

    /// <summary>Whether every replica refuses a check-in of this cluster, with this code.</summary>
    public async Task<bool> IsRefusedEverywhereAsync(string code)
    {
        foreach (var door in doors)
        {
            try
            {
                await door.CheckInAsync(new CheckInRequest { ClusterId = ClusterId.ToString(), Epoch = 1 }, CancellationToken.None);
                return false;
            }
            catch (CallHomeException refusal) when (refusal.Code == code)
            {
                // As it should be.
            }
        }

        return true;
    }

    private ByteString Window(int hour)
    {
        using var signer = EcdsaSigner.From(identity.Key);
        var start = UsageWindow.StartOf(hour);
        var window = new UsageWindow(
            1, ClusterId.ToString("D"), 1, UsageWindow.Text(start), 3600, 1, UsageWindow.Text(start.AddHours(1)), true, [new UsageCell("data_points", 1, new Dictionary<string, string>(), "1")]);
        return ByteString.CopyFrom(Dsse.Sign(UsageWindow.PayloadType, window.ToBytes(), signer));
    }

    /// <summary>Sends until it is told to stop, as fast as it is answered or at most once in <paramref name="pace"/>.</summary>
    public async Task SendUntilAsync(CancellationToken stop, TimeSpan? pace = null)
    {
        using var timer = pace is null ? null : new PeriodicTimer(pace.Value);
        while (!stop.IsCancellationRequested)
        {
            if (timer is not null)
            {
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }

            for (var i = waiting.Count; i < 5; i++)
            {
                if (next % 5 == 0)
                {
                    var hour = Newest - (int)(next / 5);
                    OfferedHours[hour] = true;
                    waiting[next] = new Item { Seq = next, Type = "usage", AtMs = next, Body = Window(hour) };
                    next++;
                    continue;
                }

                var id = $"e{next}";
                Offered[id] = true;
                waiting[next] = new Item { Seq = next, Type = "event", AtMs = next, Body = new Event { Id = id, Kind = "test", Severity = "info", Text = "x" }.ToByteString() };
                next++;
            }

            try
            {
                // Every replica in turn: what one acknowledged, the other must know of.
                var request = new CheckInRequest { ClusterId = ClusterId.ToString(), Epoch = 1, LowestKept = waiting.Keys.First(), Items = { waiting.Values } };
                var answers = await Task.WhenAll((Doubled ? doors : [doors[round++ % doors.Count]]).Select(door => door.CheckInAsync(request, stop)));
                foreach (var refusal in answers.SelectMany(answer => answer.Refusals).Where(refusal => refusal.Final))
                {
                    Refused.Enqueue($"{refusal.Seq} {refusal.Code}: {refusal.Detail}");
                }

                foreach (var seq in waiting.Keys.Where(seq => Array.Exists(answers, answer => seq <= answer.Ack || answer.AcceptedAboveAck.Contains(seq))).ToList())
                {
                    if (seq % 5 == 0)
                    {
                        AcknowledgedHours[Newest - (int)(seq / 5)] = true;
                    }
                    else
                    {
                        Acknowledged[$"e{seq}"] = true;
                    }

                    waiting.Remove(seq);
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException or CallHomeException { Status: 503 or 401 })
            {
                // Killed under us: the same items are offered again after the restart.
                if (exception is CallHomeException { Code: "storage-unavailable" })
                {
                    Interlocked.Increment(ref unstored);
                }
            }
        }
    }
}
