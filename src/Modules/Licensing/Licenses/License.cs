using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;

namespace MissionControl.Licensing.Licenses;

/// <summary>What people decided of a licence; everything else about its state is the time's doing.</summary>
internal enum LicenseStatus
{
    Active,
    Suspended,
    Revoked,
}

/// <summary>A licence as it was agreed, and the newest lease that was signed of it.</summary>
internal sealed class License : ICustomerOwned
{
    /// <summary>For how long a lease is signed unless somebody says otherwise.</summary>
    public const int UsualLeaseDays = 35;

    private const int ReportEvery = 3600;

    /// <summary>Half a day: from then on a cluster says that its report is overdue.</summary>
    private const int MaxReportAge = 12 * 3600;

    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>The contract that it hangs below. Nothing here reads it: contracts say what usage costs, licences what may be used.</summary>
    public Guid? ContractId { get; set; }

    public required string Plan { get; set; }

    public required string Kind { get; set; }

    public LicenseStatus Status { get; set; }

    /// <summary>Why it is suspended or revoked.</summary>
    public string? Reason { get; set; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; set; }

    public DateTimeOffset GraceUntil { get; set; }

    public required string Enforcement { get; set; }

    /// <summary>Limits as JSON; see <see cref="LicenseLimit"/>.</summary>
    public required string Limits { get; set; }

    /// <summary>Entitlements as JSON, sorted.</summary>
    public required string Entitlements { get; set; }

    public required int LeaseDays { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>First hour of the term, for the sums of the ledger.</summary>
    public required int FromHour { get; init; }

    public long Serial { get; private set; }

    public DateTimeOffset IssuedAt { get; private set; }

    public DateTimeOffset LeaseUntil { get; private set; }

    /// <summary>The newest lease as signed.</summary>
    public byte[] Lease { get; private set; } = [];

    /// <summary>When the lease is to be signed anew; null: never again.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>When somebody is to be told that the end is near; null: everybody was, or it is not known yet.</summary>
    public DateTimeOffset? NoticeAt { get; set; }

    public long Version { get; set; } = 1;

    public IReadOnlyList<LicenseLimit> ReadLimits() => JsonSerializer.Deserialize<List<LicenseLimit>>(Limits, JsonSerializerOptions.Web) ?? [];

    public IReadOnlyList<string> ReadEntitlements() => JsonSerializer.Deserialize<List<string>>(Entitlements, JsonSerializerOptions.Web) ?? [];

    /// <summary>What a file with the lease is known by.</summary>
    public string Digest => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Lease))}";

    /// <summary>Runs to an end: the grace and the next warning follow from it.</summary>
    public void RunTo(DateTimeOffset notAfter)
    {
        NotAfter = notAfter;
        GraceUntil = notAfter + LicenseRules.Grace;
        NoticeAt = notAfter.AddDays(-LicenseRules.WarnDays[0]);
    }

    /// <summary>A lease was signed. It is signed anew after a fifth of its time, or when a month begins: its figures are of one.</summary>
    public void Signed(LicenseLease lease, byte[] envelope, DateTimeOffset now)
    {
        (Serial, IssuedAt, LeaseUntil, Lease) = (lease.Serial, now, LicenseLease.Instant(lease.LeaseUntil), envelope);
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1).AddHours(2);
        var later = now.AddDays(Math.Max(1, LeaseDays / 5));
        DueAt = Status == LicenseStatus.Revoked || now >= NotAfter ? null : later < month ? later : month;
        Version++;
    }

    /// <summary>It has no cluster any more: nobody is to be handed a lease.</summary>
    public void Rest()
    {
        DueAt = null;
        Version++;
    }

    /// <summary>The newest lease, as it was signed here; null: there is none yet.</summary>
    public LicenseLease? ReadLease()
    {
        if (Lease.Length == 0)
        {
            return null;
        }

        using var envelope = JsonDocument.Parse(Lease);
        return LicenseLease.Read(envelope.RootElement.GetProperty("payload").GetBytesFromBase64(), out _);
    }

    /// <summary>What a lease says of it.</summary>
    public LicenseLease ToLease(long serial, LicenseStatus status, IReadOnlyList<LeaseCluster> clusters, IReadOnlyList<LeaseLimit> limits, DateTimeOffset issuedAt, DateTimeOffset leaseUntil) => new(
        1, Id.ToString("D"), serial, clusters, Kind, status.ToString().ToLowerInvariant(), UsageWindow.Text(NotBefore), UsageWindow.Text(NotAfter), UsageWindow.Text(GraceUntil), UsageWindow.Text(issuedAt), UsageWindow.Text(leaseUntil),
        ReportEvery, MaxReportAge, LicenseRules.OverageDays(Kind), Enforcement, ReadEntitlements(), limits);

    /// <summary>How it stands, by the same rules as at the customer's.</summary>
    public LicenseVerdict Check(LicenseUsage usage, LicenseQuestion question, DateTimeOffset now) =>
        LicenseRules.Check(ToLease(Serial, Status, [], usage.Limits(this), IssuedAt, LeaseUntil), LicenseKnowledge.At(now, usage.LastReport(this) ?? CreatedAt), question);

    /// <summary>That it changed, for the feed.</summary>
    public Noted Changed() => new(Kinds.License, CustomerId, Id.ToString(), Version: Version);

    internal sealed class Configuration : IEntityTypeConfiguration<License>
    {
        public void Configure(EntityTypeBuilder<License> builder)
        {
            builder.ToTable("licensing_license").HasKey(row => row.Id);
            builder.Property(row => row.Plan).HasMaxLength(100);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Reason).HasMaxLength(500);
            builder.Property(row => row.Enforcement).HasMaxLength(20);
            builder.Property(row => row.Limits).IsText();
            builder.Property(row => row.Entitlements).IsText();
            builder.Ignore(row => row.Digest);
            builder.HasIndex(row => new { row.CustomerId, row.NotAfter });
            builder.HasIndex(row => new { row.NotAfter, row.Id });
            builder.HasIndex(row => new { row.Plan, row.Id });
            builder.HasIndex(row => row.DueAt);
            builder.HasIndex(row => row.NoticeAt);
        }
    }
}

/// <summary>A limit as it is stored.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of its definition.</param>
/// <param name="Limit">Quantity, as text.</param>
/// <param name="Per">month or term.</param>
/// <param name="Policy">deny, allow or up-to.</param>
/// <param name="Numerator">Of up-to.</param>
/// <param name="Denominator">Of up-to.</param>
internal sealed record LicenseLimit(string Meter, int Version, string Limit, string Per, string Policy, int? Numerator, int? Denominator);

/// <summary>
/// The licence that a cluster has, one at a time; and the highest serial that it was ever given, by whichever licence, because the cluster
/// takes no lower one. The row outlives the licence.
/// </summary>
internal sealed class LicensedCluster : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public Guid? LicenseId { get; set; }

    public long Serial { get; set; }

    public long Version { get; set; } = 1;

    internal sealed class Configuration : IEntityTypeConfiguration<LicensedCluster>
    {
        public void Configure(EntityTypeBuilder<LicensedCluster> builder)
        {
            builder.ToTable("licensing_license_cluster").HasKey(row => row.ClusterId);
            builder.HasIndex(row => row.LicenseId);
        }
    }
}
