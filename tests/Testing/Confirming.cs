using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Testing;

/// <summary>A client of somebody who confirms with a passkey whatever is to be confirmed: asks, proves and repeats, as the portal does.</summary>
public sealed class Confirming(SoftPasskey passkey) : DelegatingHandler
{
    /// <inheritdoc />
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Content is { } content)
        {
            await content.LoadIntoBufferAsync(cancellationToken);
        }

        var answer = await base.SendAsync(request, cancellationToken);
        await answer.Content.LoadIntoBufferAsync(cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Unauthorized || request.Headers.Contains(StepUp.Header) || answer.Content.Headers.ContentType?.MediaType != "application/problem+json"
            || JsonSerializer.Deserialize<ProblemDocument>(await answer.Content.ReadAsByteArrayAsync(cancellationToken), JsonSerializerOptions.Web)?.StepUp is not { } demand)
        {
            return answer;
        }

        var begun = await PostAsync<StepUpChallenge>(request, "begin", new BeginStepUpRequest(demand.Audience, demand.Purpose, demand.SubjectDigest), cancellationToken);
        var proof = begun is null ? null : await PostAsync<StepUpProof>(request, "", new StepUpRequest(begun.Challenge, passkey.Get(begun.Options!)), cancellationToken);
        if (proof is null)
        {
            return answer;
        }

        answer.Dispose();
        using var again = new HttpRequestMessage(request.Method, request.RequestUri);
        foreach (var header in request.Headers)
        {
            again.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        again.Headers.Add(StepUp.Header, proof.Proof);
        if (request.Content is { } body)
        {
            again.Content = new ByteArrayContent(await body.ReadAsByteArrayAsync(cancellationToken));
            again.Content.Headers.ContentType = body.Headers.ContentType;
        }

        return await base.SendAsync(again, cancellationToken);
    }

    private async Task<T?> PostAsync<T>(HttpRequestMessage of, string path, object body, CancellationToken cancellationToken)
        where T : class
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(of.RequestUri!, $"/api/v1/identity/me/step-up/{path}")) { Content = JsonContent.Create(body, body.GetType()) };
        request.Headers.Authorization = of.Headers.Authorization;
        using var answer = await base.SendAsync(request, cancellationToken);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<T>(cancellationToken) : null;
    }
}
