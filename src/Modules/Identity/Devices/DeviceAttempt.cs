using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Devices;

/// <summary>
/// A program without a browser that waits for somebody to sign it in (RFC 8628): good once, for ten minutes. It shows a short code, which
/// the person types in the portal; what gives it the session is another one, that only the program holds.
/// </summary>
internal sealed class DeviceAttempt
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Seconds between two questions of the program.</summary>
    public const int Interval = 2;

    // Without vowels no word comes of it (RFC 8628, 6.1): eight of twenty letters are 34 bits.
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";
    private const int CodeLength = 8;

    public required Guid Id { get; init; }

    public required byte[] DeviceSha256 { get; init; }

    public required string UserCode { get; init; }

    /// <summary>What it says it is; anybody may have said so.</summary>
    public required string Agent { get; init; }

    /// <summary>The address that it asked from.</summary>
    public string? Address { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When somebody permitted or refused it.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>Who permitted it; null: nobody did.</summary>
    public Guid? PersonId { get; set; }

    /// <summary>The person's stamp then: whatever happened to it since ends this.</summary>
    public long? PersonStamp { get; set; }

    /// <summary>The session that it was permitted in: the program's holds what that was opened with, and no longer.</summary>
    public Guid? SessionId { get; set; }

    /// <summary>When the session was given out.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    public static DeviceAttempt Begin(string agent, string? address, DateTimeOffset now, out string deviceCode)
    {
        deviceCode = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return new DeviceAttempt
        {
            Id = Guid.CreateVersion7(now), DeviceSha256 = Digest(deviceCode), UserCode = RandomNumberGenerator.GetString(Letters, CodeLength), Agent = agent, Address = address, CreatedAt = now, ExpiresAt = now + Life,
        };
    }

    public static byte[] Digest(string deviceCode) => SHA256.HashData(Encoding.UTF8.GetBytes(deviceCode));

    /// <summary>What somebody typed, as it is kept.</summary>
    public static string Normalize(string typed) => new([.. typed.ToUpperInvariant().Where(Letters.Contains).Take(CodeLength + 1)]);

    /// <summary>The code as people read it.</summary>
    public string ShownCode => $"{UserCode[..4]}-{UserCode[4..]}";

    internal sealed class Configuration : IEntityTypeConfiguration<DeviceAttempt>
    {
        public void Configure(EntityTypeBuilder<DeviceAttempt> builder)
        {
            builder.ToTable("identity_device_attempt").HasKey(row => row.Id);
            builder.Property(row => row.DeviceSha256).HasMaxLength(32);
            builder.Property(row => row.UserCode).HasMaxLength(CodeLength);
            builder.Property(row => row.Agent).HasMaxLength(100);
            builder.Property(row => row.Address).HasMaxLength(60);
            builder.HasIndex(row => row.DeviceSha256).IsUnique();
            builder.HasIndex(row => row.UserCode).IsUnique();
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
