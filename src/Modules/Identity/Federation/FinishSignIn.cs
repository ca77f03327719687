using System.Data.Common;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>Takes what a provider answered, once: exchanges the code and judges the id_token, or judges the response of SAML, brings the person, and opens its session or says what is missing.</summary>
internal static class FinishSignIn
{
    /// <summary>What is told of an answer that is not good; why, only the log says.</summary>
    public const string NotGood = "What the provider answered is not good; the audit log says why. Begin again, or ask whoever manages the provider.";

    private const string Declined = SamlResponse.Declined;
    private const string Stale = "This sign-in was begun in another browser, is finished already, or was begun more than ten minutes ago. Begin again.";

    public static void Map(IEndpointRouteBuilder federation) =>
        federation.MapPost("/{provider}/finish", FinishAsync).OpenToAll("the provider's answer and the browser's secret are the credentials").WithName("FinishFederatedSignIn").WithSummary("Bring what the provider answered").Produces<FederatedSignIn>();

    private static async Task<IResult> FinishAsync(
        string provider, FinishFederatedSignInRequest request, ProviderBook providers, ProviderClient client, IdTokens tokens, FactorBook factors, FirstAdministrator first, UnknownTries unknown, PeopleLimit limit, ControlPlaneDbContext db, IEvents events, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!await providers.ExistsAsync(db, provider, cancellationToken))
        {
            return Problems.NotFound();
        }

        if (await TakeAsync(db, provider, request, time.GetUtcNow(), cancellationToken) is not { } attempt)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Stale);
        }

        Provider? found = null;
        ProviderAnswer said;
        try
        {
            found = await providers.FindAsync(db, provider, cancellationToken);
            if (found is null || providers.PortalAddress is null)
            {
                return Problems.Of(ProblemCodes.Unauthenticated, Stale);
            }

            said = found.Saml is null ? await AskAsync(found, request, providers, client, tokens, cancellationToken) : ReadSaml(found, request, providers, time.GetUtcNow());
        }
        catch (ProviderException failure)
        {
            return found is null ? Problems.Of(ProblemCodes.Unauthenticated, NotGood) : await FederationApi.RefuseAsync(db, events, found, null, failure.Message, failure.Code == Declined ? failure.Message : NotGood, unknown, cancellationToken);
        }

        // Nothing of the provider is waited for from here on.
        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        try
        {
            if (!await ProviderBook.StandsAsync(db, found, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Unauthenticated, Stale);
            }

            if (said.Assertion is { } once && await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("identity_consumed_assertion", ["key", "expires_at"], ["key"], [[once.Key, once.KeptUntil.ToUnixTimeMilliseconds()]]), cancellationToken) == 0)
            {
                var replayed = await FederationApi.RefuseAsync(db, events, found, null, "The assertion was taken already (ID).", NotGood, unknown, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return replayed;
            }

            var (person, refusal) = await FederatedPeople.BringAsync(db, events, found, said.Claims, limit, now, cancellationToken);
            if (refusal == PeopleLimit.Reached)
            {
                var full = limit.MayBeTold(found.CustomerId!.Value) ? await FederationApi.RefuseAsync(db, events, found, new AuditActor("system", "unknown", found.Way), refusal, null, unknown, cancellationToken) : Problems.Of(ProblemCodes.Unauthenticated, refusal);
                await transaction.CommitAsync(cancellationToken);
                return full;
            }

            if (person is null || refusal is not null)
            {
                var refused = await FederationApi.RefuseAsync(db, events, found, person is null ? null : FederatedPeople.ActorOf(person, found.Way), refusal!, null, unknown, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return refused;
            }

            await db.SaveChangesAsync(cancellationToken);
            (attempt.ProviderSession, attempt.SessionEndsAt) = (said.Session, said.SessionEndsAt);
            var answer = said.IsProven
                ? await OpenAsync(db, events, first, options.Value, person, attempt, found.Way, "fed mfa", request.Agent, now, cancellationToken)
                : await WaitAsync(db, factors, attempt, person, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            await first.ForgetCodeAsync(db, cancellationToken);
            return answer is null ? Problems.Of(ProblemCodes.Unauthenticated, Stale) : TypedResults.Ok(answer);
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || (exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database)))
        {
            return Problems.Of(ProblemCodes.Conflict, "You signed in twice at the same moment. Begin again.");
        }
    }

    /// <summary>Opens a session, within the open transaction; null: the person was stopped since.</summary>
    public static async Task<FederatedSignIn?> OpenAsync(
        ControlPlaneDbContext db, IEvents events, FirstAdministrator first, IdentityOptions options, Person person, SignInAttempt attempt, string by, string proof, string? agent, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var limits = options.LimitsOf(person.Kind);
        if (attempt.SessionEndsAt is { } ends && ends < now + limits.Longest)
        {
            limits = new SessionLimits { Idle = limits.Idle, Longest = ends > now ? ends - now : TimeSpan.Zero };
        }

        var session = Session.Of(person, proof, agent, limits, now, out var secret);
        (session.ProviderId, session.ProviderSession) = (attempt.ProviderId, attempt.ProviderSession);
        return await SignInApi.OpenAsync(db, events, person, session, by, first, now, cancellationToken) ? new FederatedSignIn(null, secret, session.ExpiresAt, attempt.ReturnUrl) : null;
    }

    /// <summary>What is missing, in words of the API.</summary>
    public static async Task<FederatedSignIn> MissingAsync(ControlPlaneDbContext db, FactorBook factors, SignInAttempt attempt, Person person, CancellationToken cancellationToken)
    {
        var id = person.Id;
        var hasKeys = await db.Set<Passkey>().AnyAsync(row => row.PersonId == id, cancellationToken);
        var secret = attempt.TotpSecret is { } box ? factors.TryOpen(attempt.Id, box) : null;
        return secret is not null ? new FederatedSignIn("authenticator", null, attempt.ExpiresAt, attempt.ReturnUrl, Totp.Base32(secret), Totp.UriOf(secret, person.Label))
            : new FederatedSignIn(await HasAuthenticatorAsync(db, id, cancellationToken) || !hasKeys ? "code" : "passkey", null, attempt.ExpiresAt, attempt.ReturnUrl) { AcceptsPasskey = hasKeys };
    }

    private static Task<bool> HasAuthenticatorAsync(ControlPlaneDbContext db, Guid personId, CancellationToken cancellationToken) =>
        db.Set<Authenticator>().AnyAsync(row => row.PersonId == personId && row.ConfirmedAt != null, cancellationToken);

    // One conditional update: of two that bring the same state one finds the row as it must be.
    private static async Task<SignInAttempt?> TakeAsync(ControlPlaneDbContext db, string provider, FinishFederatedSignInRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (state, browser) = (SignInAttempt.Digest(request.State!), SignInAttempt.Digest(request.Browser!));
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var taken = await db.Set<SignInAttempt>().Where(row => row.StateSha256 == state && row.BrowserSha256 == browser && row.ProviderId == provider && row.AnsweredAt == null && row.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.AnsweredAt, now), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return taken == 1 ? await db.Set<SignInAttempt>().SingleAsync(row => row.StateSha256 == state, cancellationToken) : null;
    }

    private static async Task<ProviderAnswer> AskAsync(Provider provider, FinishFederatedSignInRequest request, ProviderBook providers, ProviderClient client, IdTokens tokens, CancellationToken cancellationToken)
    {
        var configuration = await client.DiscoverAsync(provider, anew: false, cancellationToken);

        // Before anything else of the answer is used (RFC 9207, 2.4): another provider's code is never sent to this one.
        if (request.Iss is { } issuer ? issuer != provider.Issuer : configuration.AuthorizationResponseIssParameterSupported)
        {
            throw new ProviderException("mix-up", "The answer is another provider's (iss).");
        }

        if (request.Code is not { Length: > 0 } code)
        {
            throw new ProviderException(Declined, request.Error == "access_denied" ? "The provider says that the sign-in was declined." : "The provider could not sign you in.");
        }

        var (text, accessToken) = await client.RedeemAsync(provider, configuration, code, SignInAttempt.VerifierOf(request.Browser!), providers.RedirectUriOf(provider), cancellationToken);
        var token = await tokens.ReadIdTokenAsync(provider, text, SignInAttempt.NonceOf(request.Browser!), cancellationToken);
        JsonElement? info = null;
        if (FederatedClaims.IsIncomplete(provider, token) && accessToken is not null && ProviderClient.IsHttps(configuration.UserInfoEndpoint))
        {
            info = await client.UserInfoAsync(provider, configuration, accessToken, cancellationToken);

            // Else somebody else's would be taken for this one's (OpenID Connect Core 1.0, 5.3.2).
            if (info is { } answer && (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("sub", out var subject) || subject.ValueKind != JsonValueKind.String || subject.GetString() != token.Subject))
            {
                throw new ProviderException("userinfo-differs", "The userinfo endpoint tells of somebody else (sub).");
            }
        }

        var session = IdTokens.TextOf(token, "sid") is { Length: > 0 } sid ? SignInAttempt.Digest($"{provider.Id} {sid}") : null;
        return new ProviderAnswer(FederatedClaims.Of(provider, token, info), provider.ProvesSecondFactor(IdTokens.TextOf(token, "acr"), AmrOf(token)), session);
    }

    private static ProviderAnswer ReadSaml(Provider provider, FinishFederatedSignInRequest request, ProviderBook providers, DateTimeOffset now)
    {
        var answer = SamlResponse.Read(provider, request.SamlResponse ?? throw new ProviderException("no-response", "No SAMLResponse came."), providers.ExpectationOf(provider, SignInAttempt.RequestIdOf(request.Browser!)), now);
        return new ProviderAnswer(
            answer.ToClaims(provider), provider.ProvesSecondFactor(answer.Context, answer.Of(SamlNames.MicrosoftMethods)), null, answer.SessionEndsAt, (ConsumedAssertion.KeyOf(provider, answer.Id), ConsumedAssertion.KeptUntil(answer.EndsAt, now)));
    }

    /// <summary>Leaves a sign-in waiting for the second factor, within the open transaction.</summary>
    public static async Task<FederatedSignIn> WaitAsync(ControlPlaneDbContext db, FactorBook factors, SignInAttempt attempt, Person person, CancellationToken cancellationToken)
    {
        (attempt.PersonId, attempt.PersonStamp) = (person.Id, person.Stamp);


        // Only where there is nothing yet: else whoever has one factor, the provider's, would give themselves the second one.
        if (!await HasAuthenticatorAsync(db, person.Id, cancellationToken) && !await db.Set<Passkey>().AnyAsync(row => row.PersonId == person.Id, cancellationToken))
        {
            attempt.TotpSecret = factors.Seal(attempt.Id, Totp.NewSecret());
        }

        return await MissingAsync(db, factors, attempt, person, cancellationToken);
    }

    private static IEnumerable<string> AmrOf(JsonWebToken token) =>
        token.TryGetPayloadValue<JsonElement>("amr", out var amr) && amr.ValueKind == JsonValueKind.Array ? amr.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!) : [];
}

/// <summary>What a provider answered, after it was judged.</summary>
/// <param name="Claims">Of whom.</param>
/// <param name="IsProven">Whether it proves a second factor.</param>
/// <param name="Session">The provider's session, as its digest; null: it does not say.</param>
/// <param name="SessionEndsAt">When the provider wants the session to end; null: it does not say.</param>
/// <param name="Assertion">What is good once, and until when that is to be known; null: nothing.</param>
internal sealed record ProviderAnswer(FederatedClaims Claims, bool IsProven, byte[]? Session, DateTimeOffset? SessionEndsAt = null, (byte[] Key, DateTimeOffset KeptUntil)? Assertion = null);
