using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Passkeys;

/// <summary>
/// Asks authenticators and checks their answers: the framework's handler does what WebAuthn says, and here is what it leaves open: the
/// question is a row that is used up before the answer is looked at (the handler takes the same answer twice), its purpose, person,
/// session and subject, an exact list of origins, and never from within a page of another site.
/// </summary>
internal sealed class PasskeyBook(IOptions<IdentityOptions> identity, TimeProvider time)
{
    private readonly IOptions<IdentityPasskeyOptions> options = Options.Create(new IdentityPasskeyOptions
    {
        ServerDomain = identity.Value.RelyingParty,
        UserVerificationRequirement = "required",
        ResidentKeyRequirement = "required",
        AttestationConveyancePreference = "none",
        AuthenticatorTimeout = Challenge.Life,
        ValidateOrigin = context => ValueTask.FromResult(!context.CrossOrigin && identity.Value.IsOrigin(context.Origin)),
    });

    /// <summary>Asks for a new passkey; the question is saved with what is saved next.</summary>
    public async Task<PasskeyChallenge> AskForNewAsync(ControlPlaneDbContext db, HttpContext http, string kind, Guid personId, Guid place, string account, string name, string? keyName)
    {
        var lifetime = kind == Challenge.Accept ? Challenge.LifeOfInvitation : Challenge.Life;
        var row = Row(kind, lifetime, out var secret, personId, place, keyName);
        using var handler = Handler(db, null);
        var made = await handler.Passkeys.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = PasskeyStore.IdOf(personId), Name = account, DisplayName = name }, http);
        row.State = made.AttestationState;
        var asked = JsonNode.Parse(made.CreationOptionsJson)!;
        asked["rp"]!["name"] = "Mission Control";
        asked["timeout"] = (long)lifetime.TotalMilliseconds;
        if (kind == Challenge.Accept)
        {
            // Who comes back may do so on the device of before: its key is replaced, not kept beside.
            asked["excludeCredentials"] = new JsonArray();
        }

        db.Add(row);
        return new PasskeyChallenge(secret, asked);
    }

    /// <summary>Asks for a passkey that is there; the question is saved with what is saved next.</summary>
    public async Task<PasskeyChallenge> AskAsync(ControlPlaneDbContext db, HttpContext http)
    {
        var row = Row(Challenge.SignIn, Challenge.Life, out var secret);
        using var handler = Handler(db, null);
        var made = await handler.Passkeys.MakeRequestOptionsAsync(null, http);
        row.State = made.AssertionState;
        db.Add(row);
        return new PasskeyChallenge(secret, JsonNode.Parse(made.RequestOptionsJson)!);
    }

    /// <summary>Asks for a passkey of somebody whom a provider has just named; the question is saved with what is saved next.</summary>
    /// <returns>Null: the person has none.</returns>
    public async Task<PasskeyChallenge?> AskToProveAsync(ControlPlaneDbContext db, HttpContext http, Person person, Guid attempt)
    {
        using var handler = Handler(db, null);
        var made = await handler.Passkeys.MakeRequestOptionsAsync(person, http);
        var asked = JsonNode.Parse(made.RequestOptionsJson)!;
        if (asked["allowCredentials"] is not JsonArray { Count: > 0 })
        {
            return null;
        }

        var row = Row(Challenge.Prove, Challenge.Life, out var secret, person.Id, attempt);
        row.State = made.AssertionState;
        db.Add(row);
        return new PasskeyChallenge(secret, asked);
    }

    /// <summary>Asks somebody to confirm one thing; the question is saved with what is saved next.</summary>
    /// <returns>Its options are null when no passkey of the person is good for it yet.</returns>
    public async Task<(string Challenge, JsonNode? Options)> AskToConfirmAsync(ControlPlaneDbContext db, HttpContext http, Person person, Guid session, BeginStepUpRequest request)
    {
        var row = Row(Challenge.Confirm, Challenge.Life, out var secret, person.Id, session, null, request);
        db.Add(row);
        using var handler = Handler(db, time.GetUtcNow());
        var made = await handler.Passkeys.MakeRequestOptionsAsync(person, http);
        var asked = JsonNode.Parse(made.RequestOptionsJson)!;
        if (asked["allowCredentials"] is not JsonArray { Count: > 0 })
        {
            return (secret, null);
        }

        // What the key signs covers the purpose and the subject, so that its answer by itself tells what was confirmed.
        var covering = SHA256.HashData(Encoding.UTF8.GetBytes($"mc-step-up v1\n{request.Audience}\n{request.Purpose}\n{request.SubjectDigest}\n{secret}"));
        var state = JsonNode.Parse(made.AssertionState!)!;
        Replace(state, Convert.ToBase64String(covering));
        Replace(asked, Base64Url.EncodeToString(covering));
        row.State = state.ToJsonString();
        return (secret, asked);
    }

    /// <summary>Uses a question up, in a transaction of its own: whatever the answer is worth, it is asked once.</summary>
    /// <returns>Null: there is none of this kind, for this person and place, or it was used or is too old.</returns>
    public async Task<Challenge?> TakeAsync(ControlPlaneDbContext db, string? secret, string kind, Guid? personId, Guid? place, CancellationToken cancellationToken)
    {
        var name = Digest(secret ?? "");
        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<Challenge>().AsNoTracking().SingleOrDefaultAsync(row => row.NameSha256 == name, cancellationToken) is not { } found
            || await db.Set<Challenge>().Where(row => row.Id == found.Id).ExecuteDeleteAsync(cancellationToken) == 0)
        {
            return null;
        }

        await transaction.CommitAsync(cancellationToken);
        return found.Kind == kind && found.ExpiresAt > now && (personId is null || found.PersonId == personId) && found.Place == place ? found : null;
    }

    /// <summary>Checks a new passkey that answers a question which was used up.</summary>
    /// <returns>The key, or why there is none, in words for a log.</returns>
    public async Task<(UserPasskeyInfo? Made, string Failure)> CheckNewAsync(ControlPlaneDbContext db, HttpContext http, Challenge asked, string credential)
    {
        using var handler = Handler(db, null);
        var result = await GuardAsync(() => handler.Passkeys.PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = http, CredentialJson = credential, AttestationState = asked.State }), PasskeyAttestationResult.Fail);
        return result.Succeeded && result.Passkey.CredentialId.Length <= Passkey.MaxCredentialId && result.Passkey.IsUserVerified ? (result.Passkey, "") : (null, result.Failure is null ? "its id is too long" : Words(result.Failure));
    }

    /// <summary>Checks the answer of a passkey to a question which was used up, and writes down that it was used, within the open transaction.</summary>
    public async Task<PasskeyAnswer> CheckAsync(ControlPlaneDbContext db, HttpContext http, Challenge asked, string credential, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        using var handler = Handler(db, asked.Kind == Challenge.Confirm ? now : null);
        var result = await GuardAsync(() => handler.Passkeys.PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = http, CredentialJson = credential, AssertionState = asked.State }), PasskeyAssertionResult.Fail<Person>);
        if (!result.Succeeded)
        {
            return new PasskeyAnswer(await OwnerAsync(db, credential, cancellationToken), null, Words(result.Failure));
        }

        // Whoever copied a key that counts is found out by its count; the handler looked, and here it stays so when two come at once.
        var (id, count, backedUp) = (result.Passkey.CredentialId, (long)result.Passkey.SignCount, result.Passkey.IsBackedUp);
        var key = await db.Set<Passkey>().AsNoTracking().SingleOrDefaultAsync(row => row.CredentialId == id, cancellationToken);
        return key is not null && await db.Set<Passkey>().Where(row => row.Id == key.Id && (row.SignCount < count || (count == 0 && row.SignCount == 0))).ExecuteUpdateAsync(set => set.SetProperty(row => row.SignCount, count).SetProperty(row => row.IsBackedUp, backedUp).SetProperty(row => row.LastUsedAt, now), cancellationToken) == 1
            ? new PasskeyAnswer(result.User, key, "") : new PasskeyAnswer(result.User, null, "it was used, or removed, at the same moment");
    }

    private Challenge Row(string kind, TimeSpan life, out string secret, Guid? personId = null, Guid? place = null, string? keyName = null, BeginStepUpRequest? stepUp = null)
    {
        var now = time.GetUtcNow();
        secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return new Challenge
        {
            Id = Guid.CreateVersion7(now), NameSha256 = Digest(secret), Kind = kind, PersonId = personId, Place = place, Name = keyName,
            Audience = stepUp?.Audience, Purpose = stepUp?.Purpose, SubjectDigest = stepUp?.SubjectDigest, ExpiresAt = now + life,
        };
    }

    private static byte[] Digest(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private static void Replace(JsonNode node, string challenge)
    {
        if (node["challenge"] is null)
        {
            throw new InvalidOperationException("The framework's handler keeps its challenge elsewhere than it did.");
        }

        node["challenge"] = challenge;
    }

    // Of whom a refused answer was, for the log: whatever stands in it was typed by a stranger.
    private static async Task<Person?> OwnerAsync(ControlPlaneDbContext db, string credential, CancellationToken cancellationToken)
    {
        try
        {
            return JsonNode.Parse(credential)?["id"]?.GetValue<string>() is { Length: <= 800 } text && Base64Url.IsValid(text)
                ? await new PasskeyStore(db, null).FindByPasskeyIdAsync(Base64Url.DecodeFromChars(text), cancellationToken) : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    // The handler says most of what is wrong as a failure; what it throws at malformed input is one, too.
    private static async Task<T> GuardAsync<T>(Func<Task<T>> check, Func<PasskeyException, T> fail)
    {
        try
        {
            return await check();
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException or InvalidOperationException or CryptographicException or System.Formats.Cbor.CborContentException)
        {
            return fail(new PasskeyException("the answer cannot be read"));
        }
    }

    // The handler quotes what it was sent, and a stranger sent it.
    private static string Words(PasskeyException failure) => WellFormedText.Line(failure.Message, 200).TrimEnd('.');

    private Asked Handler(ControlPlaneDbContext db, DateTimeOffset? confirmsAt) => new(db, confirmsAt, options);

    private sealed class Asked : IDisposable
    {
        private readonly UserManager<Person> people;

        public Asked(ControlPlaneDbContext db, DateTimeOffset? confirmsAt, IOptions<IdentityPasskeyOptions> options)
        {
            people = new UserManager<Person>(new PasskeyStore(db, confirmsAt), null!, null!, null!, null!, null!, null!, null!, null!);
            Passkeys = new PasskeyHandler<Person>(people, options);
        }

        public PasskeyHandler<Person> Passkeys { get; }

        public void Dispose() => people.Dispose();
    }
}

/// <summary>What an answer was worth.</summary>
/// <param name="Person">Whose it was, as far as is known.</param>
/// <param name="Key">The passkey that gave it; null: it is worth nothing.</param>
/// <param name="Failure">Why not, in words for a log.</param>
internal sealed record PasskeyAnswer(Person? Person, Passkey? Key, string Failure);
