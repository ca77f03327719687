using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Portal.Shell;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Portal.Pages.Audit;

/// <summary>What the receipt of an entry proves, step by step, as this page could make out.</summary>
/// <param name="Index">Where the entry stands.</param>
/// <param name="Entry">What it says.</param>
/// <param name="Leaf">Its hash.</param>
/// <param name="Path">The hashes that lead from it to the root, from below upwards.</param>
/// <param name="Checkpoint">What the log signed.</param>
/// <param name="Note">The text and the signatures of that.</param>
/// <param name="IsAsked">Whether it is the entry that was asked for.</param>
/// <param name="IsIncluded">Whether they lead to the root that was signed.</param>
/// <param name="SignedBy">The keys whose signatures are good; empty: none is.</param>
internal sealed record EntryProof(long Index, JsonElement Entry, TreeHash Leaf, IReadOnlyList<TreeHash> Path, Checkpoint Checkpoint, string Note, bool IsAsked, bool IsIncluded, IReadOnlyList<string> SignedBy)
{
    private const string Suffix = ".tlog-proof";

    /// <summary>Whether all of it is as it must be.</summary>
    public bool IsGood => IsAsked && IsIncluded && SignedBy.Count > 0;

    /// <summary>Reads a receipt of a log.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static EntryProof Of(string receipt, AuditLogItem log, Guid asked)
    {
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(receipt));
        var checkpoint = Checkpoint.Parse(proof.Note.Text);
        var leaf = TreeHash.OfLeaf(proof.Extra.Span);
        using var entry = JsonDocument.Parse(proof.Extra);
        return new EntryProof(
            proof.Index, entry.RootElement.Clone(), leaf, proof.Path, checkpoint, proof.Note.ToString(), Text(entry.RootElement, "eventId") == asked.ToString(),
            checkpoint.Origin == log.Origin && MerkleProof.VerifyInclusion(leaf, proof.Index, checkpoint.Size, [.. proof.Path], checkpoint.Root), Signers(proof.Note, log));
    }

    /// <summary>What the entry says under a name, or under one within another; null: nothing, or no text.</summary>
    public string? Says(string name, string? within = null) => within is null ? Text(Entry, name)
        : Entry.ValueKind == JsonValueKind.Object && Entry.TryGetProperty(within, out var outer) ? Text(outer, name) : null;

    /// <summary>The receipt as a file, for whoever checks it elsewhere.</summary>
    public static void Map(IEndpointRouteBuilder pages) => pages.MapGet($"/audit/logs/{{id:guid}}/{{entry:guid}}{Suffix}", (HttpContext http, Guid id, Guid entry) => PortalPage.WithReaderAsync(http, async reader =>
    {
        var page = http.RequestServices.GetRequiredService<PageContext>();
        page.Enter(http, reader);
        var receipt = await page.AskAsync("audit:read", (api, end) => api.GetAuditLogProofAsync(id, entry, end));
        if (receipt.Refusal is { } refusal)
        {
            return new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = refusal }, status: refusal.Status);
        }

        http.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = $"{entry}{Suffix}" }.ToString();
        return TypedResults.Text(receipt.Value, "text/plain; charset=utf-8");
    }));

    private static string? Text(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // By its own keys alone: what signs in another name says nothing of this log.
    private static List<string> Signers(SignedNote note, AuditLogItem log)
    {
        var keys = log.Keys.Select(text => NoteKey.TryParse(text, out var key) ? key : null).OfType<NoteKey>().ToList();
        try
        {
            return [.. note.Open([.. keys.Where(key => key.Name == log.Origin && key.Type == NoteKeyType.Ed25519)]).Verified.Select(one => one.Key.ToString())];
        }
        catch (FormatException)
        {
            return [];
        }
        finally
        {
            keys.ForEach(key => key.Dispose());
        }
    }
}
