using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.ClusterAgent.Receipts;

/// <summary>
/// Of an entry of the audit log what an agent acts by. Nothing stands twice, nothing is missing and nothing has another type; members that
/// a later version added are passed over, since <c>v</c> says that those of now mean what they mean.
/// </summary>
/// <param name="V">1.</param>
/// <param name="EventId">Its id.</param>
/// <param name="Log">customer, fleet or operator.</param>
/// <param name="Type">What was done.</param>
/// <param name="Outcome">success, denied or failed.</param>
/// <param name="Receipt">none or required.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="Target">What it was done to.</param>
/// <param name="Changes">What came of it.</param>
/// <param name="RecordedAt">When the log took it.</param>
/// <param name="ClusterId">The cluster.</param>
public sealed record ProvenEntry(int V, Guid EventId, string Log, string Type, string Outcome, string Receipt, ProvenActor Actor, ProvenTarget Target, IReadOnlyList<ProvenChange> Changes, DateTimeOffset RecordedAt, Guid? ClusterId = null)
{
    private const string ApprovedBy = "/approvedBy";
    private const string ExpiresAt = "/expiresAt";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        MaxDepth = 16,
    };

    /// <summary>Reads an entry.</summary>
    /// <exception cref="FormatException">It is none that an agent can act by; the message says why.</exception>
    public static ProvenEntry Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<ProvenEntry>(bytes, Options) is { V: 1 } entry && entry.Changes.All(change => change is not null) ? entry : throw new FormatException("The entry is of a version that this agent does not know, or has a change that is none.");
        }
        catch (JsonException exception)
        {
            throw new FormatException($"The entry cannot be read: {exception.Message}");
        }
    }

    /// <summary>Who approved it: the one value that was added there; null: nobody, or more than one.</summary>
    public string? Approver() => Added(ApprovedBy);

    /// <summary>Until when it holds, written as the log writes instants; null: not said.</summary>
    public DateTimeOffset? Expiry() => DateTimeOffset.TryParseExact(Added(ExpiresAt), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private string? Added(string path) => Changes.Where(change => change.Path == path).ToList() is [{ Op: "add", Value: { ValueKind: JsonValueKind.String } value }] ? value.GetString() : null;
}

/// <summary>Who acted.</summary>
/// <param name="Kind">staff, customerUser, serviceAccount, cluster or system.</param>
/// <param name="Id">Subject.</param>
/// <param name="Mfa">A second factor was used.</param>
public sealed record ProvenActor(string Kind, string Id, bool Mfa);

/// <summary>What was acted on.</summary>
/// <param name="Type">The resource's noun.</param>
/// <param name="Id">Its id.</param>
public sealed record ProvenTarget(string Type, string Id);

/// <summary>One RFC 6902 operation.</summary>
/// <param name="Op">add, remove or replace.</param>
/// <param name="Path">JSON pointer.</param>
/// <param name="Value">The new value.</param>
public sealed record ProvenChange(string Op, string Path, JsonElement? Value = null);
