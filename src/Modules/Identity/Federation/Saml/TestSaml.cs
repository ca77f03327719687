using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What can be said of an identity provider without anybody signing in: its certificates, and whether it publishes other things than what was set.</summary>
internal static class TestSaml
{
    public static async Task<IReadOnlyList<ProviderCheck>> LookAsync(Provider provider, string? metadataAddress, ProviderBook providers, ProviderClient client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<ProviderCheck> checks = [.. CustomerSaml.Describe(provider.Saml!.Certificates, now).Select(Judge)];
        if (provider.Saml.CertificatesAt(now).Count == 0)
        {
            checks.Add(new ProviderCheck("no-certificate", "failed", "No certificate counts now: nobody can sign in. Set the provider's metadata anew."));
        }

        if (metadataAddress is not null)
        {
            checks.Add(await CompareAsync(provider, metadataAddress, client, now, cancellationToken));
        }

        if (provider.RequiredAcr.Count + provider.RequiredAmr.Count == 0)
        {
            checks.Add(new ProviderCheck("second-factor", "warning", "Nothing that the provider says proves a second factor: everybody is asked for a code here as well."));
        }

        checks.Add(providers.PortalAddress is null
            ? new ProviderCheck("redirect-uri", "failed", "This installation does not know its own address (Identity:PortalAddress); the vendor sets it.")
            : new ProviderCheck("redirect-uri", "passed", $"Register {providers.ExpectationOf(provider, "").EntityId} there, whose metadata says the rest. The first sign-in shows whether it is, and whether assertions are signed."));
        return checks;
    }

    private static ProviderCheck Judge(SamlCertificate certificate) => certificate.State switch
    {
        "ended" => new ProviderCheck("certificate", "warning", $"The certificate {certificate.Subject} ({certificate.Sha256[..16]}…) has ended {certificate.EndsAt:d MMMM yyyy}, and signs nobody in."),
        "ends-soon" => new ProviderCheck("certificate", "warning", $"The certificate {certificate.Subject} ({certificate.Sha256[..16]}…) ends {certificate.EndsAt:d MMMM yyyy}. Set the metadata anew before."),
        _ => new ProviderCheck("certificate", "passed", $"The certificate {certificate.Subject} ({certificate.Sha256[..16]}…) is good until {certificate.EndsAt:d MMMM yyyy}."),
    };

    private static async Task<ProviderCheck> CompareAsync(Provider provider, string address, ProviderClient client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            var found = SamlMetadata.Read(await client.FetchMetadataAsync(address, cancellationToken), now);
            var isSame = found.EntityId == provider.Issuer && found.SignInAddress == provider.Saml!.SignInAddress
                && found.Certificates.Select(one => one.Thumbprint).Order().SequenceEqual(provider.Saml.Certificates.Select(one => one.Thumbprint).Order());
            return isSame
                ? new ProviderCheck("metadata", "passed", "The provider publishes what was set.")
                : new ProviderCheck("metadata-differs", "warning", "The provider publishes other things than what was set (entity id, address or certificates). Save it again to take them; you are asked to confirm them.");
        }
        catch (ProviderException failure)
        {
            return new ProviderCheck(failure.Code, "warning", $"{failure.Message} People sign in by what was set.");
        }
    }
}
