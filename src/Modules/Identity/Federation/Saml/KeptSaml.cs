using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>How a customer's provider is spoken to by SAML, as its row keeps it.</summary>
/// <param name="SignInAddress">Where browsers are sent.</param>
/// <param name="Certificates">With which it signs.</param>
/// <param name="SubjectAttribute">The attribute that names a person for good; null: the persistent NameID.</param>
/// <param name="MetadataAddress">Where its metadata was fetched; null: it was pasted.</param>
internal sealed record KeptSaml(string SignInAddress, IReadOnlyList<byte[]> Certificates, string? SubjectAttribute, string? MetadataAddress)
{
    public static KeptSaml Of(string json) => JsonSerializer.Deserialize<KeptSaml>(json)!;

    /// <summary>Whether what it says of people can be another's word: by another attribute, or signed by none of the keys of before.</summary>
    public bool IsOtherThan(KeptSaml before) => SubjectAttribute != before.SubjectAttribute || !Certificates.Any(one => before.Certificates.Any(old => old.AsSpan().SequenceEqual(one)));

    public string ToJson() => JsonSerializer.Serialize(this);

    public SamlPeer ToPeer() => new(SignInAddress, [.. Certificates.Select(X509CertificateLoader.LoadCertificate)], SubjectAttribute);
}
