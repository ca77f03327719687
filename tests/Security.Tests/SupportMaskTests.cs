using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Host;
using MissionControl.Host.Support;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests;

/// <summary>Tries to get secrets into a support bundle past its one writer: at the bounds, over lines, in names.</summary>
public sealed class SupportMaskTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-mask-").FullName;
    private readonly string token = PlacedTokens.OfEveryKind()[0];

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Of_a_long_log_the_end_is_taken_and_a_token_in_two_at_the_bound_is_not_shown()
    {
        // The end begins within the token: of the line that is cut nothing may be left.
        foreach (var at in new[] { 1, 18, 40 })
        {
            var rest = string.Concat(Enumerable.Repeat(new string(' ', 1023) + "\n", SupportBundle.MostOfLog / 1024));
            var end = $"{token[at..]} half\n{rest}"[..^($"{token[at..]} half\n".Length)];

            var text = BundleOf($"first\n{new string('.', 2 - (at % 2))}{token[..at]}{end}");

            Assert.DoesNotContain("first", text, StringComparison.Ordinal);
            Assert.DoesNotContain("half", text, StringComparison.Ordinal);
            Assert.DoesNotContain(token[^13..], text, StringComparison.Ordinal);
            Assert.InRange(text.Length, SupportBundle.MostOfLog - 4096, SupportBundle.MostOfLog);
        }

        Assert.Contains("no line ends", LeftOut(new string(' ', SupportBundle.MostOfLog + 4)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(20 * 1024)]
    public void A_long_line_is_cut_and_a_secret_across_the_cut_is_not_shown(int bound)
    {
        const string Secret = "known secret";
        for (var before = 1; before < token.Length; before += 8)
        {
            var line = new string('.', bound - before) + token + Secret + new string('.', 10_000);

            // Whatever goes away before the bound brings the end of what is looked at nearer.
            foreach (var text in new[] { BundleOf(line, Secret), BundleOf(string.Concat(Enumerable.Repeat(Secret, 1300)) + line[(13 * 1200)..], Secret), BundleOf(new string('.', bound - before) + Secret + line, Secret) })
            {
                Assert.DoesNotContain(token[17..30], text, StringComparison.Ordinal);
                Assert.DoesNotContain("known", text, StringComparison.Ordinal);
                Assert.InRange(text.Length, 1, SupportBundle.MostOfLine + 100);
            }
        }
    }

    [Fact]
    public void What_has_no_form_of_ours_goes_as_well()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = key.ExportPkcs8PrivateKeyPem();
        var text = BundleOf($"""
            {pem}
            after
            {string.Join("\\n", pem.Split('\n'))}
            amqp://guest:p@ss/word@mq.example:5672/ and https://ada@host.example/x
            write to ada.lovelace+x@vendor.example.
            the half of a token: {token[36..]}
            MissionControl.Fleet.Clusters.KeepCustomerOfAnotherInstallation 0199f0aa4c1e7d0fbb5c1e7d0f4c1e7d0f SHA256:{Convert.ToHexStringLower(SHA256.HashData([]))}
            """);

        Assert.All(pem.Split('\n')[1..^1], line => Assert.DoesNotContain(line, text, StringComparison.Ordinal));
        Assert.DoesNotContain("guest", text, StringComparison.Ordinal);
        Assert.DoesNotContain("ada", text, StringComparison.Ordinal);
        Assert.DoesNotContain(token[36..], text, StringComparison.Ordinal);
        Assert.Contains("after\n", text, StringComparison.Ordinal);
        Assert.Contains("KeepCustomerOfAnotherInstallation 0199f0aa4c1e7d0fbb5c1e7d0f4c1e7d0f SHA256:e3b0c442", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_is_left_out() => Assert.Contains("holds no text", LeftOut(RandomNumberGenerator.GetBytes(4096)), StringComparison.Ordinal);

    [Fact]
    public void No_key_is_shown_that_could_hold_a_secret_and_each_is_known()
    {
        Assert.Empty(ConfigurationKeys.Shown.Except(ConfigurationKeys.Known.Keys));
        Assert.All(ConfigurationKeys.Shown, key => Assert.True(key.EndsWith("File", StringComparison.Ordinal) || key == "Identity:KeepBootstrapToken"
            || !new[] { "Password", "Secret", "Token", "ConnectionString", "Key", "User", "From", "Providers", "Directories" }.Any(word => key.Split(':')[^1].Contains(word, StringComparison.Ordinal)) || key == "Identity:Leaks:GitHubKeysUrl", key));
    }

    [Fact]
    public void Nothing_else_in_the_host_writes_an_archive() => Assert.Equal(["SupportBundle.cs"],
        Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "src", "Host"), "*.cs", SearchOption.AllDirectories).Where(file => File.ReadAllText(file).Contains("ZipArchive", StringComparison.Ordinal)).Select(Path.GetFileName));

    private string BundleOf(string log, params string[] secrets) => Bundle(Encoding.UTF8.GetBytes(log), secrets).Log!;

    private string LeftOut(string log) => LeftOut(Encoding.UTF8.GetBytes(log));

    private string LeftOut(byte[] log) => Bundle(log).Manifest.LeftOut.Single().Why;

    private (string? Log, BundleManifest Manifest) Bundle(byte[] log, params string[] secrets)
    {
        var file = Path.Combine(root, "a.log");
        File.WriteAllBytes(file, log);
        using var zip = new MemoryStream();
        BundleManifest manifest;
        using (var bundle = new SupportBundle(zip, new SupportMask(secrets), DateTimeOffset.UnixEpoch.AddYears(20)))
        {
            bundle.AddLog(file);
            manifest = bundle.Finish();
        }

        using var archive = new ZipArchive(zip);
        using var reader = archive.GetEntry("logs/01-a.log") is { } entry ? new StreamReader(entry.Open()) : null;
        return (reader?.ReadToEnd(), manifest);
    }
}
