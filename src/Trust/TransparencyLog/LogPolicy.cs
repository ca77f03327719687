using System.Globalization;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>What a log said, and who has said to have seen it.</summary>
/// <param name="Checkpoint">What it said.</param>
/// <param name="Log">The key that signed it.</param>
/// <param name="Witnesses">The witnesses by the names of the policy, each with its time as Unix seconds.</param>
/// <param name="HasQuorum">Whether they are as many, and those, as the policy wants.</param>
public sealed record WitnessedCheckpoint(Checkpoint Checkpoint, NoteKey Log, IReadOnlyDictionary<string, long> Witnesses, bool HasQuorum);

/// <summary>Whose word counts (C2SP tlog-policy): the keys of logs and witnesses, and how many of which witnesses must have seen a checkpoint.</summary>
public sealed class LogPolicy : IDisposable
{
    /// <summary>The longest policy that is read, in characters.</summary>
    public const int MaxLength = 1_000_000;

    private const string Nobody = "none";
    private readonly List<(NoteKey Key, string? Url)> logs = [];
    private readonly Dictionary<string, (NoteKey Key, string? Url)> witnesses = new(StringComparer.Ordinal);
    private readonly List<(string Name, int Least, string[] Members)> groups = [];
    private readonly HashSet<string> members = new(StringComparer.Ordinal);
    private string? quorum;

    private LogPolicy()
    {
    }

    /// <summary>The logs, each with its address or null.</summary>
    public IReadOnlyList<(NoteKey Key, string? Url)> Logs => logs;

    /// <summary>The witnesses by name, each with its address or null.</summary>
    public IReadOnlyDictionary<string, (NoteKey Key, string? Url)> Witnesses => witnesses;

    /// <summary>Reads a policy.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static LogPolicy Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var policy = new LogPolicy();
        try
        {
            Require(text.Length <= MaxLength, 0, $"a policy has {MaxLength} characters at most");
            var number = 0;
            foreach (var line in text.Split('\n'))
            {
                number++;
                Require(!line.Any(letter => letter is (< ' ' and not '\t') or '\u007f'), number, "no control characters but tab and line feed");
                if (line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words && !words[0].StartsWith('#'))
                {
                    policy.Add(words, number);
                }
            }

            Require(policy.quorum is not null, number, "a policy has a line with the quorum");
            return policy;
        }
        catch (FormatException)
        {
            policy.Dispose();
            throw;
        }
    }

    /// <summary>Judges a note by this policy.</summary>
    /// <exception cref="FormatException">It is no checkpoint of a log of the policy, or a signature of somebody known is bad; the message says why.</exception>
    public WitnessedCheckpoint Judge(SignedNote note)
    {
        ArgumentNullException.ThrowIfNull(note);
        var checkpoint = Checkpoint.Parse(note.Text);
        var own = logs.Where(log => log.Key.Name == checkpoint.Origin).Select(log => log.Key).ToList();
        var opened = note.Open([.. own, .. witnesses.Values.Select(witness => witness.Key)]);
        if (opened.Verified.Select(one => one.Key).FirstOrDefault(own.Contains) is not { } signer)
        {
            throw new FormatException($"No log of the policy that is called {checkpoint.Origin} has signed this.");
        }

        var seen = witnesses.Select(witness => (witness.Key, Found: opened.Verified.FirstOrDefault(one => one.Key == witness.Value.Key)))
            .Where(one => one.Found.Key is not null).ToDictionary(one => one.Key, one => one.Found.Time, StringComparer.Ordinal);
        return new WitnessedCheckpoint(checkpoint, signer, seen, HasQuorum(seen.Keys));
    }

    /// <summary>Whether these witnesses are those that the quorum wants.</summary>
    public bool HasQuorum(IEnumerable<string> names)
    {
        // A group's members are defined before it: one pass in that order is enough.
        var seen = new HashSet<string>(names, StringComparer.Ordinal);
        foreach (var group in groups.Where(group => group.Members.Count(seen.Contains) >= group.Least))
        {
            seen.Add(group.Name);
        }

        return quorum == Nobody || seen.Contains(quorum!);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var key in logs.Select(log => log.Key).Concat(witnesses.Values.Select(witness => witness.Key)))
        {
            key.Dispose();
        }
    }

    private void Add(string[] words, int line)
    {
        switch (words)
        {
            case ["log", var text, .. { Length: <= 1 } url]:
                logs.Add((Read(text, NoteKeyType.Ed25519, line), url.FirstOrDefault()));
                break;
            case ["witness", var name, var text, .. { Length: <= 1 } url]:
                RequireNew(name, line);
                witnesses.Add(name, (Read(text, NoteKeyType.Cosignature, line), url.FirstOrDefault()));
                break;
            case ["group", var name, var least, .. { Length: > 0 } of]:
                RequireNew(name, line);
                foreach (var member in of)
                {
                    Require(IsDefined(member), line, $"'{member}' is not defined above");
                    Require(members.Add(member), line, $"'{member}' is a member already; it counts once");
                }

                groups.Add((name, LeastOf(least, of.Length, line), of));
                break;
            case ["quorum", var name]:
                Require(quorum is null, line, "a policy has one line with the quorum");
                Require(name == Nobody || IsDefined(name), line, $"'{name}' is not defined above");
                quorum = name;
                break;
            default:
                throw Wrong(line, "a line defines a log, a witness, a group or the quorum");
        }
    }

    private NoteKey Read(string text, NoteKeyType type, int line)
    {
        if (!NoteKey.TryParse(text, out var key) || key.Type != type)
        {
            key?.Dispose();
            throw Wrong(line, type == NoteKeyType.Ed25519 ? "this is no key of a log (name+id+key, type 1)" : "this is no key of a witness (name+id+key, type 4)");
        }

        var same = type == NoteKeyType.Ed25519 ? logs.Select(log => log.Key) : witnesses.Values.Select(witness => witness.Key);
        if (same.Any(other => other.PublicKey.Span.SequenceEqual(key.PublicKey.Span)))
        {
            key.Dispose();
            throw Wrong(line, "this key stands here already; it counts once");
        }

        return key;
    }

    private static int LeastOf(string least, int count, int line)
    {
        var number = least == "any" ? 1 : least == "all" ? count : Checkpoint.TryParseSize(least, out var value) && value <= count ? (int)value : 0;
        Require(number >= 1, line, string.Create(CultureInfo.InvariantCulture, $"a group wants 'any', 'all' or 1 to {count} of its members"));
        return number;
    }

    private bool IsDefined(string name) => witnesses.ContainsKey(name) || groups.Any(group => group.Name == name);

    private void RequireNew(string name, int line) => Require(name != Nobody && !IsDefined(name), line, $"'{name}' is taken");

    private static void Require(bool holds, int line, string otherwise)
    {
        if (!holds)
        {
            throw Wrong(line, otherwise);
        }
    }

    private static FormatException Wrong(int line, string why) => new(string.Create(CultureInfo.InvariantCulture, $"Line {line} of the policy: {why}."));
}
