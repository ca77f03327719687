using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Federation;

/// <summary>
/// A sign-in at a provider that was begun: good once, for ten minutes, in one browser. The browser's secret stays in its cookie, and
/// nonce, PKCE's verifier and the id of a request of SAML are computed from it: whoever reads the table can finish nothing.
/// </summary>
internal sealed class SignInAttempt
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Codes of an authenticator to be set up that may be wrong.</summary>
    public const int MaxTries = 10;

    public required Guid Id { get; init; }

    public required byte[] StateSha256 { get; init; }

    public required byte[] BrowserSha256 { get; init; }

    public required string ProviderId { get; init; }

    /// <summary>Where the reader wanted to go: an address of the portal's own.</summary>
    public required string ReturnUrl { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When the provider's answer came; no second one is looked at.</summary>
    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>Whom the provider signed in, while the second factor is still to be proved here.</summary>
    public Guid? PersonId { get; set; }

    /// <summary>The person's stamp then: whatever happened to it since ends this.</summary>
    public long? PersonStamp { get; set; }

    /// <summary>The secret of the authenticator that is being set up, sealed for this row; null: there is one.</summary>
    public byte[]? TotpSecret { get; set; }

    /// <summary>The provider's session, as its digest.</summary>
    public byte[]? ProviderSession { get; set; }

    /// <summary>When the provider wants the session to end; null: it does not say.</summary>
    public DateTimeOffset? SessionEndsAt { get; set; }

    public int FailedTries { get; init; }

    /// <summary>When a session was opened.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    public static SignInAttempt Begin(string providerId, string returnUrl, DateTimeOffset now, out string state, out string browser)
    {
        (state, browser) = (Secret(), Secret());
        return new SignInAttempt { Id = Guid.CreateVersion7(now), StateSha256 = Digest(state), BrowserSha256 = Digest(browser), ProviderId = providerId, ReturnUrl = returnUrl, CreatedAt = now, ExpiresAt = now + Life };
    }

    public static byte[] Digest(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>The verifier of PKCE (RFC 7636, 4.1): 43 characters.</summary>
    public static string VerifierOf(string browser) => Derive(browser, "pkce");

    /// <summary>Its challenge, S256 (RFC 7636, 4.2).</summary>
    public static string ChallengeOf(string browser) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(VerifierOf(browser))));

    public static string NonceOf(string browser) => Derive(browser, "nonce");

    /// <summary>The id of a request of SAML: a name (SAML core 2.0, 1.3.4), which begins with no digit.</summary>
    public static string RequestIdOf(string browser) => $"_{Derive(browser, "saml")}";

    private static string Secret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static string Derive(string browser, string use) => Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(browser), Encoding.ASCII.GetBytes(use)));

    internal sealed class Configuration : IEntityTypeConfiguration<SignInAttempt>
    {
        public void Configure(EntityTypeBuilder<SignInAttempt> builder)
        {
            builder.ToTable("identity_sign_in_attempt").HasKey(row => row.Id);
            builder.Property(row => row.StateSha256).HasMaxLength(32);
            builder.Property(row => row.BrowserSha256).HasMaxLength(32);
            builder.Property(row => row.ProviderId).HasMaxLength(36);
            builder.Property(row => row.ReturnUrl).HasMaxLength(2000);
            builder.Property(row => row.TotpSecret).HasMaxLength(100);
            builder.Property(row => row.ProviderSession).HasMaxLength(32);
            builder.HasIndex(row => row.StateSha256).IsUnique();
            builder.HasIndex(row => row.BrowserSha256).IsUnique();
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
