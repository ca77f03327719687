using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Billing periods.</summary>
    public Task<Page<PeriodItem>> ListPeriodsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<PeriodItem>>($"/api/v1/licensing/periods{query}", cancellationToken);

    /// <summary>One billing period.</summary>
    public Task<PeriodItem> GetPeriodAsync(Guid id, CancellationToken cancellationToken) => GetAsync<PeriodItem>($"/api/v1/licensing/periods/{id}", cancellationToken);

    /// <summary>What a period comes to, with the tag that closing it wants back.</summary>
    public async Task<SeenPreview> PreviewPeriodAsync(Guid id, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(HttpMethod.Get, $"/api/v1/licensing/periods/{id}/preview", null, null, cancellationToken);
        return new SeenPreview(await response.Content.ReadFromJsonAsync<PeriodPreview>(cancellationToken) ?? throw new JsonException("The answer is null."), response.Headers.ETag?.Tag ?? throw new JsonException("The preview has no ETag."));
    }

    /// <summary>Closes a period with what its preview said.</summary>
    public Task<StatementItem> ClosePeriodAsync(Guid id, ClosePeriodRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<StatementItem>(HttpMethod.Post, $"/api/v1/licensing/periods/{id}/close", request, precondition, cancellationToken);

    /// <summary>Statements.</summary>
    public Task<Page<StatementItem>> ListStatementsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<StatementItem>>($"/api/v1/licensing/statements{query}", cancellationToken);

    /// <summary>One statement.</summary>
    public Task<StatementItem> GetStatementAsync(Guid id, CancellationToken cancellationToken) => GetAsync<StatementItem>($"/api/v1/licensing/statements/{id}", cancellationToken);

    /// <summary>A statement's bytes, which its digest is of.</summary>
    public async Task<byte[]> GetStatementContentAsync(Guid id, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(HttpMethod.Get, $"/api/v1/licensing/statements/{id}/content", null, null, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>All that is added up on a statement.</summary>
    public Task<Page<StatementLineItem>> ListStatementLinesAsync(Guid id, CancellationToken cancellationToken) => GetAsync<Page<StatementLineItem>>($"/api/v1/licensing/statements/{id}/lines", cancellationToken);

    /// <summary>The cells of signed windows that a line was made of.</summary>
    public Task<Page<LineSourceItem>> ListLineSourcesAsync(Guid id, long line, string query, CancellationToken cancellationToken) =>
        GetAsync<Page<LineSourceItem>>($"/api/v1/licensing/statements/{id}/lines/{line}/sources{query}", cancellationToken);

    /// <summary>Credit and debit notes.</summary>
    public Task<Page<AdjustmentItem>> ListAdjustmentsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<AdjustmentItem>>($"/api/v1/licensing/adjustments{query}", cancellationToken);

    /// <summary>Books an amount on a contract's next statement.</summary>
    public Task<AdjustmentItem> CreateAdjustmentAsync(CreateAdjustmentRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<AdjustmentItem>(HttpMethod.Post, "/api/v1/licensing/adjustments", request, precondition, cancellationToken);
}

/// <summary>A preview, and what names it.</summary>
/// <param name="Preview">The preview.</param>
/// <param name="Tag">Its ETag, with its quotes.</param>
public sealed record SeenPreview(PeriodPreview Preview, string Tag);
