using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Witnesses;

/// <summary>The newest checkpoint of a log that a witness has seen.</summary>
/// <param name="Note">The checkpoint as it came, signed by its log.</param>
/// <param name="SeenAt">When it first was the newest.</param>
/// <param name="Refusal">Why nothing more is cosigned; null while all is well.</param>
public sealed record SeenLog(string Note, DateTimeOffset SeenAt, Refusal? Refusal = null)
{
    /// <summary>What it says.</summary>
    [JsonIgnore]
    public Checkpoint Checkpoint => Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes(Note)).Text);
}

/// <summary>What ended the witnessing of a log.</summary>
/// <param name="Reason">signature, rollback, fork, inconsistent or other-log.</param>
/// <param name="Note">What was shown, as it came.</param>
/// <param name="At">When.</param>
public sealed record Refusal(string Reason, string Note, DateTimeOffset At);

/// <summary>All that a witness remembers. Immutable.</summary>
/// <param name="Version">Version of the section of the desired state that was answered last; an older one is never answered.</param>
/// <param name="Keys">The keys that are believed, 32 bytes each: those of the first sight, and what they vouched for since.</param>
/// <param name="Logs">The logs: <c>anchor</c>, and <c>customer</c>, the one of the cluster's customer.</param>
public sealed record Seen(long Version, IReadOnlyList<byte[]> Keys, IReadOnlyDictionary<string, SeenLog> Logs)
{
    /// <summary>Nothing yet.</summary>
    public static Seen Nothing { get; } = new(0, [], new Dictionary<string, SeenLog>());

    /// <summary>With another state of a log.</summary>
    public Seen With(string log, SeenLog seen) => this with { Logs = new Dictionary<string, SeenLog>(Logs) { [log] = seen } };

    /// <summary>Without a log, as if it had never been seen; without the keys, too, when it was the last one.</summary>
    public Seen Without(string log)
    {
        var logs = Logs.Where(pair => pair.Key != log).ToDictionary();
        return this with { Logs = logs, Keys = logs.Count == 0 ? [] : Keys };
    }
}

/// <summary>Where a witness writes down what it has seen, before it says so.</summary>
/// <param name="directory">The agent's directory; null: the process remembers, and a new one begins anew.</param>
public sealed class WitnessBook(string? directory)
{
    private const string FileName = "witness.json";
    private Seen? seen;

    /// <summary>What was seen.</summary>
    /// <exception cref="InvalidDataException">It cannot be read: then nothing is known, and nothing may be cosigned.</exception>
    public Seen Read()
    {
        if (seen is not null)
        {
            return seen;
        }

        var file = directory is null ? null : Path.Combine(directory, FileName);
        try
        {
            seen = file is not null && File.Exists(file) ? JsonSerializer.Deserialize<Seen>(File.ReadAllBytes(file)) ?? throw new JsonException("It is empty.") : Seen.Nothing;
            foreach (var log in seen.Logs.Values)
            {
                _ = log.Checkpoint;
            }

            return seen;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentNullException or NullReferenceException)
        {
            seen = null;
            throw new InvalidDataException($"{file} cannot be read: {exception.Message} Nothing is cosigned; mc-agent witness --reset all begins anew.", exception);
        }
    }

    /// <summary>Remembers it, and returns once that survives a power cut.</summary>
    public void Write(Seen next)
    {
        if (directory is not null)
        {
            var file = Path.Combine(directory, FileName);
            DurableFile.Write($"{file}.next", JsonSerializer.SerializeToUtf8Bytes(next));
            DurableFile.Move($"{file}.next", file);
        }

        seen = next;
    }
}
