using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;

namespace MissionControl.Cli.Tests;

/// <summary>What of a sign-in is kept, and what it is good for.</summary>
public sealed class KeptSignInTests
{
    [Fact]
    public async Task A_busy_server_is_asked_again_when_it_says_and_where_the_portal_is_is_kept()
    {
        var begun = 0;
        await using var server = await HostileServer.StartAsync(context =>
        {
            if (context.Request.Path == "/api/v1/identity/sign-in/device")
            {
                return context.Response.WriteAsJsonAsync(new { state = "signed-in", session = "a-session-of-somebody", expiresAt = "2030-01-01T00:00:00Z" });
            }

            if (begun++ > 0)
            {
                return context.Response.WriteAsJsonAsync(new { deviceCode = "a-code", userCode = "BCDF-GHJK", verificationUri = "https://portal.example.com/device", expiresAt = "2030-01-01T00:00:00Z", interval = 1 });
            }

            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "1";
            return Task.CompletedTask;
        });
        using var space = new Workspace();
        space.NeverSays("a-session-of-somebody");

        var (code, _, error) = await space.McAsync("sign-in", "--server", server.Address);

        Assert.True(code == 0, error);
        Assert.StartsWith("The server is busy. Asking again in 1 s.\nOpen     https://portal.example.com/device\n", error, StringComparison.Ordinal);
        var kept = JsonNode.Parse(File.ReadAllText(space.PathOf(SignedInHost.Kept)))!;
        Assert.Equal((server.Address, "https://portal.example.com", null), ((string)kept["server"]!, (string)kept["portal"]!, kept["ca"]));
    }

    [Theory]
    [InlineData("https://portal.example.com/device", "https://portal.example.com")]
    [InlineData("https://portal.example.com:8443/some/where?x#y", "https://portal.example.com:8443")]
    [InlineData("http://localhost:8080/device", "http://localhost:8080")]
    [InlineData("http://portal.example.com/device", null)]
    [InlineData("https://ada:secret@portal.example.com/device", null)]
    [InlineData("javascript:alert(1)", null)]
    [InlineData("/device", null)]
    public void The_portal_is_where_the_server_sends_people_if_nobody_else_can_read_on_the_way(string verification, string? portal) => Assert.Equal(portal, SignInCommand.PortalOf(verification));

    [Theory]
    [InlineData("https://portal.example.com", "https://portal.example.com")]
    [InlineData("http://portal.example.com", "https://control.example.com")]
    [InlineData("nothing", "https://control.example.com")]
    [InlineData(null, "https://control.example.com")]
    public void What_is_to_be_confirmed_is_confirmed_in_the_portal(string? portal, string said) =>
        Assert.Equal(said, ServerAddress.Said(new KeptSignIn("https://control.example.com", null, "a-session", null, portal).PortalAddress));

    [Fact]
    public void Of_a_file_of_a_CA_its_certificates_are_kept_and_no_list_of_a_system()
    {
        using var space = new Workspace();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var ca = new CertificateRequest("CN=CA of a test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var pem = ca.ExportCertificatePem();
        space.Write("ca.pem", $"# ours\n{key.ExportPkcs8PrivateKeyPem()}\n{pem}\n");
        space.Write("many.pem", string.Concat(Enumerable.Repeat($"{pem}\n", 1 + (CaCertificates.Longest / pem.Length))));
        space.Write("endless.pem", new string('.', 1_000_000));

        var kept = CaCertificates.Read(space.PathOf("ca.pem"));

        Assert.Equal(pem, kept.TrimEnd());
        Assert.True(CaCertificates.AreSome(kept));
        Assert.Contains(CaCertificates.Trust(kept)!.CustomTrustStore, certificate => certificate.Thumbprint == ca.Thumbprint);
        foreach (var file in new[] { "many.pem", "endless.pem" })
        {
            Assert.Contains("is longer than the certificates of one CA", Assert.Throws<CommandFailure>(() => CaCertificates.Read(space.PathOf(file))).Message, StringComparison.Ordinal);
        }
    }
}
