using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>Sends a browser to a provider: state, nonce and PKCE's challenge, or the id of SAML's request, are this browser's and this sign-in's alone.</summary>
internal static class BeginSignIn
{
    public static void Map(IEndpointRouteBuilder federation) =>
        federation.MapPost("/{provider}/begin", BeginAsync).OpenToAll("nobody is signed in yet").WithName("BeginFederatedSignIn").WithSummary("Begin to sign in at a provider").Produces<BegunFederatedSignIn>();

    private static async Task<IResult> BeginAsync(string provider, BeginFederatedSignInRequest request, ProviderBook providers, ProviderClient client, BegunSignIns begun, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            if (await providers.FindAsync(db, provider, cancellationToken) is not { } found)
            {
                return Problems.NotFound();
            }

            if (providers.PortalAddress is null)
            {
                return Problems.Of(ProblemCodes.Conflict, "This installation does not know its own address (Identity:PortalAddress), so that no provider can send anybody back.");
            }

            // Each is a row of ten minutes, and nobody has proved anything yet.
            if (!begun.MayDo())
            {
                return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
            }

            var configuration = found.Saml is null ? await client.DiscoverAsync(found, anew: false, cancellationToken) : null;
            var attempt = SignInAttempt.Begin(found.Id, request.ReturnUrl ?? "/", time.GetUtcNow(), out var state, out var browser);
            db.Add(attempt);
            await db.SaveChangesAsync(cancellationToken);
            if (configuration is null)
            {
                return TypedResults.Ok(new BegunFederatedSignIn(SamlRequest.AddressOf(found, providers.ExpectationOf(found, SignInAttempt.RequestIdOf(browser)), state, time.GetUtcNow()), browser, attempt.ExpiresAt, ComesAsForm: true));
            }

            var parameters = new Dictionary<string, string?>
            {
                ["response_type"] = "code",
                ["client_id"] = found.ClientId,
                ["redirect_uri"] = providers.RedirectUriOf(found),
                ["scope"] = string.Join(' ', found.Scopes),
                ["state"] = state,
                ["nonce"] = SignInAttempt.NonceOf(browser),
                ["code_challenge"] = SignInAttempt.ChallengeOf(browser),
                ["code_challenge_method"] = "S256",
            };
            if (found.RequiredAcr.Count > 0)
            {
                parameters["acr_values"] = string.Join(' ', found.RequiredAcr);
            }

            return TypedResults.Ok(new BegunFederatedSignIn(QueryHelpers.AddQueryString(configuration.AuthorizationEndpoint, parameters), browser, attempt.ExpiresAt));
        }
        catch (ProviderException failure)
        {
            return Problems.Of(ProblemCodes.Conflict, failure.Message);
        }
    }
}

/// <summary>Bounds how many sign-ins at providers strangers can begin in this process.</summary>
internal sealed class BegunSignIns() : StrangersLimit(atOnce: 300, perSecond: 30);
