using Microsoft.Extensions.Options;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;

namespace MissionControl.Identity.Federation;

/// <summary>One of <c>Identity:Providers</c>: a provider that signs staff in. Nobody sets it but whoever configures the server.</summary>
internal sealed class StaffProviderOptions
{
    /// <summary>Stands in addresses: small letters, digits and dashes.</summary>
    public string Id { get; init; } = "";

    /// <summary>What the button on the sign-in page says.</summary>
    public string Name { get; init; } = "";

    /// <summary><c>openid</c> or <c>saml</c>.</summary>
    public string Kind { get; init; } = "openid";

    /// <summary>The issuer, exactly as its discovery document writes it; of SAML the entity id, which the metadata may say in its place.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The client that Mission Control is there.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>File with the client's secret; null: a public client, which PKCE alone protects.</summary>
    public string? ClientSecretFile { get; init; }

    /// <summary>What is asked for, separated by spaces.</summary>
    public string Scopes { get; init; } = Provider.UsualScopes;

    /// <summary>SAML: file with the provider's metadata.</summary>
    public string? MetadataFile { get; init; }

    /// <summary>SAML without metadata: where browsers are sent, by HTTP-Redirect.</summary>
    public string? SignInAddress { get; init; }

    /// <summary>SAML without metadata: PEM of the certificates with which the provider signs; several while they are changed.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>SAML: the attribute that names a person for good; null: the persistent NameID.</summary>
    public string? SubjectAttribute { get; init; }

    /// <summary>The claim, or the attribute of SAML, that lists groups.</summary>
    public string GroupsClaim { get; init; } = Provider.UsualGroupsClaim;

    /// <summary>Group to role; <c>*</c> is everybody whom the provider signs in.</summary>
    public Dictionary<string, string> Roles { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Values of <c>acr</c>, separated by spaces, each of which proves a second factor.</summary>
    public string RequiredAcr { get; init; } = "";

    /// <summary>Values of <c>amr</c>, separated by spaces, each of which proves a second factor.</summary>
    public string RequiredAmr { get; init; } = "";

    /// <summary>What is wrong with it, for whoever starts the server.</summary>
    public IEnumerable<string> Mistakes()
    {
        if (!Provider.IsSlug(Id))
        {
            yield return $"Identity:Providers: the Id '{Id}' is not small letters, digits and dashes, 31 at most, beginning with a letter.";
        }

        if (Name.Length is 0 or > 100)
        {
            yield return $"Identity:Providers: {Id} needs a Name of 100 characters at most.";
        }

        foreach (var role in Roles.Values.Where(role => RoleBook.Find(role)?.Kind != Person.Staff))
        {
            yield return $"Identity:Providers: {Id} gives '{role}', which is no role of staff.";
        }

        if (Provider.Words(RequiredAmr).Any(Provider.ProvesNothing.Contains))
        {
            yield return $"Identity:Providers: the RequiredAmr of {Id} names {string.Join(" and ", Provider.ProvesNothing)}: a password is no second factor.";
        }

        if (Kind is not ("openid" or "saml"))
        {
            yield return $"Identity:Providers: the Kind of {Id} is openid or saml.";
        }

        foreach (var mistake in Kind == "saml" ? SamlMistakes() : OpenIdMistakes())
        {
            yield return mistake;
        }
    }

    private IEnumerable<string> OpenIdMistakes()
    {
        if (ClientId.Length == 0)
        {
            yield return $"Identity:Providers: {Id} needs a ClientId.";
        }

        if (Provider.MistakeInIssuer(Issuer) is { } wrong)
        {
            yield return $"Identity:Providers: the Issuer of {Id} is not good. {wrong}";
        }

        if (ClientSecretFile is { Length: > 0 } file && !File.Exists(file))
        {
            yield return $"Identity:Providers: the ClientSecretFile of {Id} is not there.";
        }

        if (!Provider.Words(Scopes).Contains("openid"))
        {
            yield return $"Identity:Providers: the Scopes of {Id} need openid among them.";
        }
    }

    private IEnumerable<string> SamlMistakes()
    {
        if (Provider.Words($"{RequiredAcr} {RequiredAmr}").Any(SamlNames.ProvesNothing.Contains))
        {
            yield return $"Identity:Providers: the RequiredAcr or RequiredAmr of {Id} names a context that is a password: that is no second factor.";
        }

        string? mistake = null;
        try
        {
            ReadSaml(TimeProvider.System.GetUtcNow());
        }
        catch (ProviderException failure)
        {
            mistake = failure.Message;
        }

        if (mistake is not null)
        {
            yield return $"Identity:Providers: {Id} speaks SAML by its MetadataFile, or by Issuer, SignInAddress and CertificateFile. {mistake}";
        }
    }

    /// <summary>Read anew each time, so that a rotated secret or certificate counts without a restart.</summary>
    /// <exception cref="ProviderException">Its files are not good any more.</exception>
    public Provider ToProvider(DateTimeOffset now)
    {
        if (Kind == "saml")
        {
            var (entity, peer) = ReadSaml(now);
            return new Provider(Id, null, Name, entity, "", null, [], GroupsClaim, Roles, [.. Provider.Words(RequiredAcr)], [.. Provider.Words(RequiredAmr)], Saml: peer);
        }

        return ToOpenIdProvider();
    }

    private (string EntityId, SamlPeer Peer) ReadSaml(DateTimeOffset now)
    {
        if (MetadataFile is { Length: > 0 } file)
        {
            var facts = SamlMetadata.Read(TextOf(file), now);
            return Issuer.Length > 0 && Issuer != facts.EntityId
                ? throw new ProviderException("issuer-differs", $"The metadata is of '{facts.EntityId}', not of the Issuer that is configured.")
                : (facts.EntityId, new SamlPeer(facts.SignInAddress, facts.Certificates, Subject()));
        }

        if (SamlPeer.MistakeInEntity(Issuer) is { } wrong)
        {
            throw new ProviderException("entity-id", wrong);
        }

        return !ProviderClient.IsHttps(SignInAddress)
            ? throw new ProviderException("no-address", "SignInAddress is an https address.")
            : (Issuer, new SamlPeer(SignInAddress!, SamlMetadata.ReadPem(TextOf(CertificateFile)), Subject()));

        string? Subject() => SubjectAttribute is { Length: > 0 } attribute ? attribute : null;
    }

    private static string TextOf(string? file)
    {
        try
        {
            return File.ReadAllText(file ?? "");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ProviderException("no-file", "A file that it names is not there, or cannot be read.");
        }
    }

    private Provider ToOpenIdProvider() => new(
        Id, null, Name, Issuer, ClientId, ClientSecretFile is { Length: > 0 } file ? TextOf(file).Trim() : null, [.. Provider.Words(Scopes)], GroupsClaim, Roles, [.. Provider.Words(RequiredAcr)], [.. Provider.Words(RequiredAmr)]);
}

/// <summary>Judges the providers of staff at start, all of them at once.</summary>
internal sealed class StaffProviders : IValidateOptions<IdentityOptions>
{
    public ValidateOptionsResult Validate(string? name, IdentityOptions options)
    {
        var mistakes = options.Providers.SelectMany(provider => provider.Mistakes()).ToList();
        if (options.Providers.DistinctBy(provider => provider.Id).Count() != options.Providers.Count)
        {
            mistakes.Add("Identity:Providers: each needs an Id of its own.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
