using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using System.Web;

namespace MissionControl.Testing;

/// <summary>Somebody who can sign in at the identity provider.</summary>
/// <param name="Sub">Its persistent NameID.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The address that it claims.</param>
/// <param name="Groups">Its groups.</param>
/// <param name="Context">What its assertions say of how it proved who it is; null: a password.</param>
public sealed record SamlAccount(string Sub, string Name, string? Email, string[] Groups, string? Context = null);

/// <summary>What a browser is made to post by an identity provider.</summary>
/// <param name="Address">To where.</param>
/// <param name="Response">SAMLResponse.</param>
/// <param name="RelayState">RelayState.</param>
public sealed record SamlPost(Uri Address, string Response, string RelayState);

/// <summary>A SAML identity provider of npm as a process of its own, over TLS; it signs assertions by a key of its own.</summary>
public sealed partial class SamlIdentityProvider : IAsyncDisposable
{
    private readonly TestAuthority authority;
    private readonly NodePeer peer = new();
    private readonly string root = Directory.CreateTempSubdirectory("mc-saml-").FullName;

    /// <summary>Makes its key and its metadata.</summary>
    public SamlIdentityProvider(TestAuthority authority, string host = "localhost")
    {
        this.authority = authority;
        Address = $"https://{host}:{Ports.Free()}";
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=identity provider", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(MetadataFile, $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- Of a test. -->
            <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{Address}/metadata">
              <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
                <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{Convert.ToBase64String(certificate.RawDataMemory.Span)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
                <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
                <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{Address}/sso"/>
              </md:IDPSSODescriptor>
            </md:EntityDescriptor>
            """);
    }

    /// <summary>Where it is.</summary>
    public string Address { get; }

    /// <summary>Its metadata.</summary>
    public string MetadataFile => Path.Combine(root, "metadata.xml");

    /// <summary>What went wrong in it.</summary>
    public IEnumerable<string> Errors => peer.Errors;

    private string KeyFile => Path.Combine(root, "signing.key");

    /// <summary>Starts it.</summary>
    /// <param name="serviceProviders">The metadata of those for whom it signs people in.</param>
    public Task StartAsync(params string[] serviceProviders) =>
        peer.StartAsync(null, "saml-idp.mjs", Address, authority.CertificateFile, authority.KeyFile, MetadataFile, KeyFile, NodePeer.Write(serviceProviders));

    /// <summary>Makes somebody, or changes what is told of it from now on.</summary>
    public Task KeepAsync(SamlAccount account) => peer.KeepAsync(account.Sub, account);

    /// <summary>Does at the provider what a person does there.</summary>
    /// <param name="address">Where the browser was sent.</param>
    /// <param name="login">The account.</param>
    public async Task<SamlPost> SignInAsync(string address, string login)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(authority.CaFile)));
        using var browser = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = policy } });
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["login"] = login });
        using var answer = await browser.PostAsync(new Uri(address), form);
        var page = await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == HttpStatusCode.OK
            ? new SamlPost(new Uri(Of(Action(), page)), Of(Response(), page), Of(Relay(), page))
            : throw new InvalidOperationException($"The provider answers {(int)answer.StatusCode}: {page}\n{string.Join('\n', Errors)}");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await peer.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    private static string Of(Regex part, string page) => HttpUtility.HtmlDecode(part.Match(page).Groups[1].Value);

    [GeneratedRegex("action=\"([^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"SAMLResponse\" value=\"([^\"]+)\"")]
    private static partial Regex Response();

    [GeneratedRegex("name=\"RelayState\" value=\"([^\"]+)\"")]
    private static partial Regex Relay();
}
