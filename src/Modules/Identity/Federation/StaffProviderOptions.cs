using Microsoft.Extensions.Options;
using MissionControl.Identity.People;

namespace MissionControl.Identity.Federation;

/// <summary>One of <c>Identity:Providers</c>: an OpenID provider that signs staff in. Nobody sets it but whoever configures the server.</summary>
internal sealed class StaffProviderOptions
{
    /// <summary>Stands in addresses: small letters, digits and dashes.</summary>
    public string Id { get; init; } = "";

    /// <summary>What the button on the sign-in page says.</summary>
    public string Name { get; init; } = "";

    /// <summary>The issuer, exactly as its discovery document writes it.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The client that Mission Control is there.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>File with the client's secret; null: a public client, which PKCE alone protects.</summary>
    public string? ClientSecretFile { get; init; }

    /// <summary>What is asked for, separated by spaces.</summary>
    public string Scopes { get; init; } = Provider.UsualScopes;

    /// <summary>The claim that lists groups.</summary>
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

        if (Name.Length is 0 or > 100 || ClientId.Length == 0)
        {
            yield return $"Identity:Providers: {Id} needs a Name of 100 characters at most, and a ClientId.";
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

        if (Provider.Words(RequiredAmr).Any(Provider.ProvesNothing.Contains))
        {
            yield return $"Identity:Providers: the RequiredAmr of {Id} names {string.Join(" and ", Provider.ProvesNothing)}: a password is no second factor.";
        }

        foreach (var role in Roles.Values.Where(role => RoleBook.Find(role)?.Kind != Person.Staff))
        {
            yield return $"Identity:Providers: {Id} gives '{role}', which is no role of staff.";
        }
    }

    /// <summary>Read anew each time, so that a rotated secret counts without a restart.</summary>
    public Provider ToProvider() => new(
        Id, null, Name, Issuer, ClientId, ClientSecretFile is { Length: > 0 } file ? File.ReadAllText(file).Trim() : null, [.. Provider.Words(Scopes)], GroupsClaim, Roles, [.. Provider.Words(RequiredAcr)], [.. Provider.Words(RequiredAmr)]);
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
