using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Sessions;

namespace MissionControl.Portal.Shell;

/// <summary>
/// What matters most is asked about once more: the role demands a proof, the reader sees in words what they are about to do, confirms
/// just that with a passkey, and the same form is sent again with the answer.
/// </summary>
internal static class Confirmation
{
    /// <summary>Fields of the page that asks; none of them reaches a form's own handler.</summary>
    public const string Challenge = "stepup-challenge", Code = "stepup-code", Credential = "credential", Fields = "stepup-form";

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    /// <summary>The form that led to the page, as it was sent: the page carries it sealed, for this address and session, since secrets may be in it.</summary>
    /// <returns>Null: it is too old, or of another address or session; nothing of it is to be done.</returns>
    public static IFormCollection? Open(HttpContext http, IFormCollection form)
    {
        if (form[Fields].ToString() is not { Length: > 0 } box)
        {
            return form;
        }

        try
        {
            var fields = JsonSerializer.Deserialize<Dictionary<string, string?[]>>(SealOf(http).Unprotect(box))!.ToDictionary(field => field.Key, field => new StringValues(field.Value), StringComparer.Ordinal);
            foreach (var field in form.Where(field => field.Key is Challenge or Code or Credential or "code"))
            {
                fields[field.Key] = field.Value;
            }

            return new FormCollection(fields);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Trades the answer that a form carries for a proof; without one there is nothing to do.</summary>
    /// <returns>Why the answer proves nothing, in words; null: it does, or there is none.</returns>
    public static async Task<string?> TakeAsync(PageContext page, IFormCollection form, Func<PageContext, StepUpRequest, Task>? prove)
    {
        if (form[Challenge].ToString() is not { Length: > 0 } challenge)
        {
            return null;
        }

        var (credential, code) = (form[Credential].ToString(), form[Code].ToString().Trim());
        if (credential.Length == 0 && code.Length == 0)
        {
            // The form's own handler proves it by a code, or asks again.
            return null;
        }

        try
        {
            await (prove ?? ProveAsync)(page, new StepUpRequest(challenge, credential.Length > 0 ? credential : null, code.Length > 0 ? code : null));
            return null;
        }
        catch (ApiException refusal) when ((int)refusal.Status is 422 or 429)
        {
            return refusal.Problem?.Errors is [var first, ..] ? first.Detail : refusal.Message;
        }
    }

    /// <summary>A demand that a role made of a program, made of the program's person.</summary>
    public static ApiException Demanded(StepUpDemand demand) =>
        new(HttpStatusCode.Unauthorized, new ProblemDocument("/problems/step-up-required", "Confirm it", 401, null, "step-up-required", null, null, demand));

    private static async Task ProveAsync(PageContext page, StepUpRequest answer) => page.Proof = (await page.Api.ProveStepUpAsync(answer, page.Aborted)).Proof;

    /// <summary>The page that asks.</summary>
    /// <param name="page">The page.</param>
    /// <param name="reader">Who reads.</param>
    /// <param name="form">What is sent again with the answer.</param>
    /// <param name="demand">What is demanded.</param>
    /// <param name="mistake">Why the last answer proved nothing; null: it is the first.</param>
    /// <param name="takesCode">Whether the form's own handler takes a code for what one signs in with.</param>
    public static async Task<IResult> AskAsync(PageContext page, TradedSession reader, IFormCollection form, StepUpDemand demand, string? mistake, bool takesCode)
    {
        page.Proof = null;
        StepUpChallenge? asked = null;
        string? unavailable = null;
        try
        {
            asked = await page.Api.BeginStepUpAsync(new BeginStepUpRequest(demand.Audience, demand.Purpose, demand.SubjectDigest), page.Aborted);
        }
        catch (ApiException refusal) when (refusal.Problem?.Code == "step-up-unavailable")
        {
            unavailable = refusal.Message;
        }

        return new PageResult<ConfirmPage>(reader, new Dictionary<string, object?>
        {
            [nameof(ConfirmPage.Demand)] = demand, [nameof(ConfirmPage.Asked)] = asked, [nameof(ConfirmPage.Mistake)] = mistake, [nameof(ConfirmPage.Unavailable)] = unavailable, [nameof(ConfirmPage.FormTakesCode)] = takesCode,
            [nameof(ConfirmPage.Box)] = SealOf(page.Http).Protect(JsonSerializer.Serialize(form.Where(field => field.Key is not (Challenge or Code or Credential or Fields or "__RequestVerificationToken")).ToDictionary(field => field.Key, field => field.Value.ToArray())), Life),
        }, status: (mistake ?? unavailable) is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static ITimeLimitedDataProtector SealOf(HttpContext http) => http.RequestServices.GetRequiredService<IDataProtectionProvider>()
        .CreateProtector("missioncontrol confirm v1", http.Request.Path, SignedIn.KeyOf(http.Request.Cookies[SignedIn.Cookie] ?? "")).ToTimeLimitedDataProtector();
}
