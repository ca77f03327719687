using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;

namespace MissionControl.Platform.Http;

/// <summary>What the framework's validation finds is told as every other refusal is: 422 with a pointer for each mistake.</summary>
internal sealed class ValidationProblems : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => context.ProblemDetails is HttpValidationProblemDetails;

    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var errors = ((HttpValidationProblemDetails)context.ProblemDetails).Errors
            .SelectMany(member => member.Value.Select(detail => new FieldError(Pointer(member.Key), "invalid-value", detail))).ToList();
        return new ValueTask(Problems.WriteAsync(context.HttpContext, ProblemCodes.Invalid, "Correct the fields named in errors and send the request again.", errors));
    }

    private static string Pointer(string member) => string.Concat(member.Split('.').Select(step => "/" + JsonNamingPolicy.CamelCase.ConvertName(step.Replace("[", "/", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal))));
}
