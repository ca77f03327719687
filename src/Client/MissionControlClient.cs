using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;

namespace MissionControl.Client;

/// <summary>A refusal of the API.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="problem">The problem document, when there was one.</param>
public sealed class ApiException(HttpStatusCode status, ProblemDocument? problem) : Exception(problem?.Detail ?? problem?.Title ?? $"The API answered {(int)status}.")
{
    /// <summary>HTTP status.</summary>
    public HttpStatusCode Status => status;

    /// <summary>The problem document, when there was one.</summary>
    public ProblemDocument? Problem => problem;
}

/// <summary>What a change is safe against.</summary>
/// <param name="IdempotencyKey">The same key again is the same change, not a second one.</param>
/// <param name="IfMatch">The version that was read; a change by somebody else in between is refused with 412.</param>
/// <param name="Tag">The same as the ETag itself, of what has no version.</param>
public sealed record Precondition(string? IdempotencyKey = null, long? IfMatch = null, string? Tag = null);

/// <summary>Typed client of the public REST API.</summary>
/// <param name="http">Has the API's address as its base.</param>
/// <param name="bearer">Whom it speaks for; null: nobody.</param>
/// <param name="stepUp">Proof for the next request that demands one.</param>
public sealed partial class MissionControlClient(HttpClient http, string? bearer = null, string? stepUp = null)
{
    /// <summary>The same client speaking for somebody.</summary>
    public MissionControlClient As(string token) => new(http, token);

    /// <summary>The same client with a proof that its next request is wanted.</summary>
    public MissionControlClient Proving(string proof) => new(http, bearer, proof);

    /// <summary>Any answer as it came, for somebody who hands it on.</summary>
    public Task<JsonNode> GetJsonAsync(string path, CancellationToken cancellationToken) => GetAsync<JsonNode>(path, cancellationToken);

    /// <summary>What is at an address of the API, such as the one that a list names as its next page.</summary>
    public Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) => SendAsync<T>(HttpMethod.Get, path, null, null, cancellationToken);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, Precondition? precondition, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(method, path, body, precondition, cancellationToken);
        return await response.Content.ReadFromJsonAsync<T>(cancellationToken) ?? throw new JsonException("The answer is null.");
    }

    private async Task SendAsync(HttpMethod method, string path, object? body, Precondition? precondition, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(method, path, body, precondition, cancellationToken);
    }

    private async Task<HttpResponseMessage> RespondAsync(HttpMethod method, string path, object? body, Precondition? precondition, CancellationToken cancellationToken, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        if (stepUp is not null)
        {
            request.Headers.Add(StepUp.Header, stepUp);
        }

        if (precondition?.IdempotencyKey is { } key)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (precondition?.IfMatch is { } version)
        {
            request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{version}\""));
        }

        if (precondition?.Tag is { } tag)
        {
            request.Headers.TryAddWithoutValidation("If-Match", tag);
        }

        if (body is not null)
        {
            request.Content = JsonContent.Create(body, body.GetType());
        }

        var response = await http.SendAsync(request, completion, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var problem = response.Content.Headers.ContentType?.MediaType == "application/problem+json" ? await response.Content.ReadFromJsonAsync<ProblemDocument>(cancellationToken) : null;

            // A role demands proofs for itself: one that was taken over gets none that is good at another.
            throw new ApiException(response.StatusCode, problem is { StepUp: { } demand } && !path.StartsWith($"/api/v1/{demand.Audience}/", StringComparison.Ordinal) ? problem with { StepUp = null } : problem);
        }
    }
}
