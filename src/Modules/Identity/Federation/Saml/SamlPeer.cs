using System.Security.Cryptography.X509Certificates;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What is known of an identity provider that speaks SAML; its entity id is the provider's issuer.</summary>
/// <param name="SignInAddress">Where browsers are sent with a request (HTTP-Redirect).</param>
/// <param name="Certificates">With whose keys it signs; several while they are changed.</param>
/// <param name="SubjectAttribute">The attribute that names a person for good; null: the NameID, in its persistent form.</param>
internal sealed record SamlPeer(string SignInAddress, IReadOnlyList<X509Certificate2> Certificates, string? SubjectAttribute)
{
    /// <summary>Clocks differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>So long before a certificate ends its owner is told.</summary>
    public static readonly TimeSpan EndsSoon = TimeSpan.FromDays(30);

    private const int LongestEntity = 300;

    /// <summary>The certificates that count: each within its own times, so that one that was forgotten goes out by itself.</summary>
    public IReadOnlyList<X509Certificate2> CertificatesAt(DateTimeOffset now) => [.. Certificates.Where(certificate => Begins(certificate) <= now + Skew && now < Ends(certificate))];

    public static DateTimeOffset Ends(X509Certificate2 certificate) => certificate.NotAfter.ToUniversalTime();

    /// <summary>What is wrong with an entity id; null: nothing (SAML core 2.0, 8.3.6: an address of 1024 letters at most; a shorter one is what fits here).</summary>
    public static string? MistakeInEntity(string entity) =>
        entity.Length is > 0 and <= LongestEntity && entity.All(letter => letter is > ' ' and < '\u007f') && Uri.TryCreate(entity, UriKind.Absolute, out _)
            ? null : $"The entity id is an address or a URN of {LongestEntity} characters at most.";

    private static DateTimeOffset Begins(X509Certificate2 certificate) => certificate.NotBefore.ToUniversalTime();
}
