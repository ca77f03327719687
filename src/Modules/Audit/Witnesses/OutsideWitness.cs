using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>A witness that is no cluster of a customer, as the configuration names it (C2SP tlog-witness). It is shown the anchor.</summary>
internal sealed class OutsideWitness
{
    /// <summary>So many are asked at most: their words stand under the same checkpoints as those of clusters.</summary>
    public const int Most = 10;

    private const int LongestName = 100;

    // What clusters are called, and what a policy has words of its own for.
    private const string ClusterPrefix = "mc-witness-";
    private static readonly string[] Taken = ["none", Witnessed.Group];

    /// <summary>Its key, <c>name+id+key</c>.</summary>
    public string Vkey { get; init; } = "";

    /// <summary>Its submission prefix; <c>/add-checkpoint</c> comes behind it.</summary>
    public string Url { get; init; } = "";

    /// <summary>By what its words are kept, made of its key: with another key it is another witness.</summary>
    public Guid Id => new(SHA256.HashData(Encoding.UTF8.GetBytes($"mission-control/witness/{Vkey}")).AsSpan(0, 16), bigEndian: true);

    /// <summary>Where it is shown checkpoints.</summary>
    public Uri Address => new($"{Url.TrimEnd('/')}/add-checkpoint");

    /// <summary>Its key.</summary>
    /// <exception cref="InvalidOperationException">It is none; the start refuses that.</exception>
    public NoteKey Key() => NoteKey.TryParse(Vkey, out var key) ? key : throw new InvalidOperationException("The key of a witness cannot be read.");

    /// <summary>Whether all can be asked.</summary>
    public static bool AreValid(IReadOnlyList<OutsideWitness> witnesses)
    {
        var keys = witnesses.Select(witness => NoteKey.TryParse(witness.Vkey, out var key) ? key : null).ToList();
        try
        {
            return witnesses.Count <= Most && keys.TrueForAll(key => key is { Type: NoteKeyType.Cosignature, Name.Length: <= LongestName } && !key.Name.StartsWith(ClusterPrefix, StringComparison.Ordinal) && !Taken.Contains(key.Name))
                && keys.DistinctBy(key => key!.Name).Count() == keys.Count
                && witnesses.All(witness => Uri.TryCreate(witness.Url, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0);
        }
        finally
        {
            keys.ForEach(key => key?.Dispose());
        }
    }
}

/// <summary>What is known of a witness from outside.</summary>
/// <param name="Size">Size of the anchor that it has, as it says.</param>
/// <param name="Refusal">Why it cosigns the anchor no more; null: it does.</param>
internal sealed record OutsideState(long Size, string? Refusal)
{
    private const string Kind = "outside-witness";

    /// <summary>Reads what is known of all.</summary>
    public static async Task<Dictionary<Guid, OutsideState>> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        (await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind).Select(row => new { row.Id, row.Body }).ToListAsync(cancellationToken)).ToDictionary(row => Guid.ParseExact(row.Id, "N"), row => JsonSerializer.Deserialize<OutsideState>(row.Body)!);

    /// <summary>Keeps what is known now, in the open write transaction.</summary>
    public static Task WriteAsync(ControlPlaneDbContext db, IEnumerable<(Guid Witness, OutsideState State)> states, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, new BulkRows("audit_projection", ["kind", "id", "version", "body"], ["kind", "id"], [.. states.Select(one => new object?[] { Kind, one.Witness.ToString("N"), now.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(one.State) })]), null, cancellationToken);
}
