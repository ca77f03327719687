using System.Reflection;

namespace MissionControl.Contracts;

/// <summary>One kind of refusal, the same in API, protocol, pages and docs.</summary>
/// <param name="Code">Stable kebab-case name; <c>type</c> of the problem document is <c>/problems/{Code}</c>.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">What happened, in a few words.</param>
/// <param name="IsFinal">Sending the same again cannot succeed; false: later it may.</param>
public sealed record ProblemCode(string Code, int Status, string Title, bool IsFinal);

/// <summary>The registry of all refusals; each module adds its own in a file of its own. Guarded by a golden file.</summary>
public static partial class ProblemCodes
{
    /// <summary>The request cannot be read.</summary>
    public static readonly ProblemCode Malformed = new("malformed", 400, "The request cannot be read", true);

    /// <summary>A parameter is not known.</summary>
    public static readonly ProblemCode UnknownParameter = new("unknown-parameter", 400, "A parameter is not known", true);

    /// <summary>Nobody is signed in, or the token is not valid.</summary>
    public static readonly ProblemCode Unauthenticated = new("unauthenticated", 401, "A valid token is needed", false);

    /// <summary>Who asks is to prove once more who it is, for exactly this.</summary>
    public static readonly ProblemCode StepUpRequired = new("step-up-required", 401, "Confirm it", false);

    /// <summary>Nothing that the person has can confirm it.</summary>
    public static readonly ProblemCode StepUpUnavailable = new("step-up-unavailable", 409, "You cannot confirm this now", false);

    /// <summary>A token can confirm nothing.</summary>
    public static readonly ProblemCode StepUpImpossible = new("step-up-impossible", 403, "Not with a token", true);

    /// <summary>The token lacks a scope.</summary>
    public static readonly ProblemCode ScopeMissing = new("scope-missing", 403, "A right is missing", true);

    /// <summary>The vendor's staff may not be at this address.</summary>
    public static readonly ProblemCode OutsideNetwork = new("outside-network", 403, "Not from this network", true);

    /// <summary>There is no such thing, or it is not yours.</summary>
    public static readonly ProblemCode NotFound = new("not-found", 404, "There is no such thing", true);

    /// <summary>The thing is not in a state that allows this.</summary>
    public static readonly ProblemCode Conflict = new("conflict", 409, "The present state does not allow this", true);

    /// <summary>Another number of things matches now than was seen when this was decided.</summary>
    public static readonly ProblemCode CountMoved = new("count-moved", 409, "Another number matches now", false);

    /// <summary>The thing changed since it was read.</summary>
    public static readonly ProblemCode PreconditionFailed = new("precondition-failed", 412, "It has changed since you read it", false);

    /// <summary>The request is well-formed but impossible; every error is listed.</summary>
    public static readonly ProblemCode Invalid = new("invalid", 422, "The request is not possible", true);

    /// <summary>If-Match is needed.</summary>
    public static readonly ProblemCode PreconditionRequired = new("precondition-required", 428, "If-Match is needed", true);

    /// <summary>Too many requests.</summary>
    public static readonly ProblemCode RateLimited = new("rate-limited", 429, "Too many requests", false);

    /// <summary>A mistake of ours.</summary>
    public static readonly ProblemCode Internal = new("internal", 500, "Something went wrong on our side", false);

    /// <summary>A role of the distributed shape does not answer.</summary>
    public static readonly ProblemCode RoleUnavailable = new("role-unavailable", 503, "A role does not answer", false);

    /// <summary>An Idempotency-Key is needed.</summary>
    public static readonly ProblemCode IdempotencyKeyRequired = new("idempotency-key-required", 400, "An Idempotency-Key is needed", true);

    /// <summary>The Idempotency-Key was used for another request.</summary>
    public static readonly ProblemCode IdempotencyKeyReused = new("idempotency-key-reused", 422, "The Idempotency-Key was used for another request", true);

    /// <summary>Every code, by name.</summary>
    public static IReadOnlyDictionary<string, ProblemCode> All => Registry.Codes;

    // A class of its own: the fields of a partial class are initialised file by file, and only when all are may they be listed.
    private static class Registry
    {
        public static readonly IReadOnlyDictionary<string, ProblemCode> Codes = typeof(ProblemCodes)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.FieldType == typeof(ProblemCode))
            .Select(field => (ProblemCode)field.GetValue(null)!)
            .ToDictionary(code => code.Code, StringComparer.Ordinal);
    }
}
