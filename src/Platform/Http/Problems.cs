using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Platform.Http;

/// <summary>Writes RFC 9457 problem documents.</summary>
public static class Problems
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>A result that answers with a problem document.</summary>
    public static IResult Of(ProblemCode code, string? detail = null, IReadOnlyList<FieldError>? errors = null) => new ProblemResult(code, detail, errors);

    /// <summary>422 with every error at once.</summary>
    public static IResult Invalid(IReadOnlyList<FieldError> errors) => Of(ProblemCodes.Invalid, "Correct the fields named in errors and send the request again.", errors);

    /// <summary>401: the request is to be repeated with a proof for exactly this.</summary>
    public static IResult StepUp(StepUpDemand demand, string detail) => new ProblemResult(ProblemCodes.StepUpRequired, detail, null, demand);

    /// <summary>404: there is no such thing, or it is not yours; both look alike.</summary>
    public static IResult NotFound() => Of(ProblemCodes.NotFound, "There is no such thing, or it is not yours to see.");

    /// <summary>Writes the document to the response.</summary>
    public static Task WriteAsync(HttpContext context, ProblemCode code, string? detail, IReadOnlyList<FieldError>? errors = null, StepUpDemand? stepUp = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(code);
        context.Response.StatusCode = code.Status;
        if (code.Status is 429 or 503 && !context.Response.Headers.ContainsKey("Retry-After"))
        {
            context.Response.Headers.RetryAfter = "5";
        }

        // What was sent is said again here and there, and an answer is kept for its Idempotency-Key: a token that stood in the wrong field goes no further.
        var document = new ProblemDocument($"/problems/{code.Code}", code.Title, code.Status, detail is null ? null : TokenText.Redact(detail), code.Code,
            Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier,
            errors?.Select(error => error with { Pointer = TokenText.Redact(error.Pointer), Detail = TokenText.Redact(error.Detail) }).ToList(),
            stepUp is null ? null : stepUp with { Text = TokenText.Redact(stepUp.Text) });
        return context.Response.WriteAsJsonAsync(document, Json, "application/problem+json", context.RequestAborted);
    }

    private sealed class ProblemResult(ProblemCode code, string? detail, IReadOnlyList<FieldError>? errors, StepUpDemand? stepUp = null) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => code.Status;

        public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, code, detail, errors, stepUp);
    }
}
