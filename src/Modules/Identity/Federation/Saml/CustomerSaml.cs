using System.Security.Cryptography;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What a customer sets of an identity provider that speaks SAML.</summary>
internal static class CustomerSaml
{
    /// <summary>Reads what is to be kept; null: there are mistakes.</summary>
    public static (string EntityId, KeptSaml Kept)? Read(SetProviderRequest request, CustomerProvider? row, DateTimeOffset now, List<FieldError> errors)
    {
        var saml = request.Saml!;
        if (row is not null && row.Saml is null)
        {
            errors.Add(new FieldError("/saml", "another-kind", "This is an OpenID provider and stays one. Add another one."));
            return null;
        }

        if (Provider.Words(request.RequiredAcr ?? "").Any(SamlNames.ProvesNothing.Contains))
        {
            errors.Add(new FieldError("/requiredAcr", "proves-nothing", "A context that is a password is no second factor."));
        }

        if (Provider.Words(request.RequiredAmr ?? "").Any(SamlNames.ProvesNothing.Contains))
        {
            errors.Add(new FieldError("/requiredAmr", "proves-nothing", "A method that is a password is no second factor."));
        }

        var address = Or(saml.MetadataAddress);
        if (address is not null && !ProviderClient.IsHttps(address))
        {
            errors.Add(new FieldError("/saml/metadataAddress", "not-https", "The metadata is fetched over https."));
        }

        var subject = Or(saml.SubjectAttribute);
        if (string.IsNullOrWhiteSpace(saml.Metadata))
        {
            if (row?.Saml is { } kept)
            {
                return (row.Issuer, KeptSaml.Of(kept) with { SubjectAttribute = subject });
            }

            errors.Add(new FieldError("/saml/metadata", "required", "The provider's metadata is needed."));
            return null;
        }

        try
        {
            var facts = SamlMetadata.Read(saml.Metadata, now);
            return (facts.EntityId, new KeptSaml(facts.SignInAddress, [.. facts.Certificates.Select(certificate => certificate.RawData)], subject, address));
        }
        catch (ProviderException failure)
        {
            errors.Add(new FieldError("/saml/metadata", failure.Code, failure.Message));
            return null;
        }
    }

    public static SamlSettings Describe(SamlPeer peer, KeptSaml kept, string? ours, DateTimeOffset now) => new(peer.SignInAddress, Describe(peer.Certificates, now), peer.SubjectAttribute, kept.MetadataAddress, ours);

    public static IReadOnlyList<SamlCertificate> Describe(IEnumerable<System.Security.Cryptography.X509Certificates.X509Certificate2> certificates, DateTimeOffset now) =>
    [
        .. certificates.Select(certificate => new SamlCertificate(certificate.Subject, Digest(certificate.RawData), SamlPeer.Ends(certificate), SamlPeer.Ends(certificate) is var ends && ends <= now ? "ended" : ends <= now + SamlPeer.EndsSoon ? "ends-soon" : "good")),
    ];

    /// <summary>Everything of it that is confirmed.</summary>
    public static IEnumerable<string> ToConfirm(KeptSaml kept) => [kept.SignInAddress, kept.SubjectAttribute ?? "", kept.MetadataAddress ?? "", .. kept.Certificates.Select(Digest)];

    /// <summary>The same in words, for whoever confirms it.</summary>
    public static string Words(KeptSaml kept) => $"They are sent to {kept.SignInAddress}, and named by {(kept.SubjectAttribute is { } attribute ? $"the attribute {attribute}" : "their persistent NameID")}. It signs by {string.Join(" and ", kept.Certificates.Select(certificate => $"the certificate whose SHA-256 begins with {Digest(certificate)[..16]}"))}.";

    private static string Digest(byte[] certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate));

    private static string? Or(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
