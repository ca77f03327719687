using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;

namespace MissionControl.CallHome.Clusters;

/// <summary>Whether a cluster may speak.</summary>
internal enum ClusterState
{
    Active,
    Suspended,
    Decommissioned,
}

/// <summary>A cluster's identity: whose it is, which epoch is in force, whether it may speak. It never changes its customer.</summary>
internal sealed class Cluster : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; set; }

    public ClusterState State { get; private set; }

    /// <summary>Whether the vendor's staff suspended it: then only they resume it.</summary>
    public bool SuspendedByStaff { get; private set; }

    public bool CloneSuspected { get; private set; }

    /// <summary>Issued by Mission Control only, rising.</summary>
    public long Epoch { get; private set; }

    public DateTimeOffset EpochIssuedAt { get; private set; }

    public byte[] InstallFingerprint { get; set; } = [];

    public bool TrustedFirstContact { get; init; }

    public required DateTimeOffset EnrolledAt { get; init; }

    public string AgentVersion { get; set; } = "";

    /// <summary>How often it was given its identity: once at enrolment, and again whenever it was enrolled anew. Keys and access of an earlier time are worthless.</summary>
    public long Admission { get; private set; } = 1;

    /// <summary>Rises when the access tokens from before are to be worth nothing: it was enrolled anew, or one of them leaked.</summary>
    public long AccessGeneration { get; private set; } = 1;

    /// <summary>When anything here last changed: replicas poll it so that a suspension holds within seconds with the broker down.</summary>
    public DateTimeOffset ChangedAt { get; private set; }

    public long Version { get; private set; }

    public static Cluster Enroll(Guid id, Guid customerId, string name, byte[] fingerprint, bool trustedFirstContact, DateTimeOffset now) => new()
    {
        Id = id,
        CustomerId = customerId,
        Name = name,
        InstallFingerprint = fingerprint,
        TrustedFirstContact = trustedFirstContact,
        EnrolledAt = now,
        Epoch = 1,
        EpochIssuedAt = now,
        ChangedAt = now,
        Version = 1,
    };

    /// <summary>Whether a cluster may move from a state to another. Decommissioning is final.</summary>
    public static bool MayEnter(ClusterState from, ClusterState to) => from != ClusterState.Decommissioned && from != to;

    /// <summary>What is kept of the fingerprint that a cluster says of its installation: 64 bytes at most.</summary>
    public static byte[] Fingerprint(ByteString said) => said.Span[..Math.Min(64, said.Length)].ToArray();

    /// <summary>Moves to another state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="byStaff">Whether the vendor's staff moves it.</param>
    /// <param name="now">The instant.</param>
    /// <returns>False when the transition is not allowed.</returns>
    public bool TryEnter(ClusterState state, bool byStaff, DateTimeOffset now)
    {
        if (!MayEnter(State, state))
        {
            return false;
        }

        State = state;
        SuspendedByStaff = state == ClusterState.Suspended && byStaff;
        Touch(now);
        return true;
    }

    /// <summary>An epoch that was issued and then forgotten, because the database was restored from a backup; the cluster says since when it holds it.</summary>
    public void RecallEpoch(DateTimeOffset issuedAt, DateTimeOffset now)
    {
        Epoch++;
        EpochIssuedAt = issuedAt;
        Touch(now);
    }

    public void IssueEpoch(DateTimeOffset now)
    {
        Epoch++;
        EpochIssuedAt = now;
        Touch(now);
    }

    /// <summary>Somebody gave it back to a machine by hand, and by that said which sender is the true one.</summary>
    public void Readmit(DateTimeOffset now)
    {
        Admission++;
        AccessGeneration++;
        CloneSuspected = false;
        IssueEpoch(now);
    }

    /// <summary>Access tokens from before are worth nothing from now on; its next assertion gets it another.</summary>
    public void EndAccess(DateTimeOffset now)
    {
        AccessGeneration++;
        Touch(now);
    }

    public void SuspectClone(DateTimeOffset now)
    {
        CloneSuspected = true;
        Touch(now);
    }

    /// <summary>A person has named the true sender.</summary>
    public void ConfirmEpoch(DateTimeOffset now)
    {
        CloneSuspected = false;
        Touch(now);
    }

    /// <summary>Something the other roles keep a copy of has changed.</summary>
    public void Touch(DateTimeOffset now)
    {
        ChangedAt = now;
        Version++;
    }

    public ClusterChanged ToEvent(IReadOnlyCollection<ClusterKeyRow> keys, DateTimeOffset now) => new(
        Id, CustomerId, Name, State.ToString().ToLowerInvariant(), CloneSuspected, Epoch, EpochIssuedAt,
        [.. keys.Where(key => key.Use == ClusterKeyRow.Identity).Select(key => new ClusterKey(key.Kid, key.Spki, key.NotBefore, key.NotAfter))],
        EnrolledAt, TrustedFirstContact, now, Version, keys.Where(key => key.Use == ClusterKeyRow.Witness && key.NotAfter is null).MaxBy(key => key.Admission)?.Spki);

    internal sealed class Configuration : IEntityTypeConfiguration<Cluster>
    {
        public void Configure(EntityTypeBuilder<Cluster> builder)
        {
            builder.ToTable("callhome_cluster").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.AgentVersion).HasMaxLength(100);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.ChangedAt);
        }
    }
}

/// <summary>A key that a cluster signs with.</summary>
internal sealed class ClusterKeyRow
{
    public const string Identity = "identity";
    public const string Witness = "witness";

    public required Guid ClusterId { get; init; }

    public required string Kid { get; init; }

    /// <summary>identity or witness.</summary>
    public required string Use { get; init; }

    public required byte[] Spki { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; set; }

    /// <summary>The admission it came with.</summary>
    public long Admission { get; init; } = 1;

    /// <summary>When it first signed something here; the first use of a rotated key ends its predecessor.</summary>
    public DateTimeOffset? FirstUsedAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterKeyRow>
    {
        public void Configure(EntityTypeBuilder<ClusterKeyRow> builder)
        {
            builder.ToTable("callhome_cluster_key").HasKey(row => new { row.ClusterId, row.Kid });
            builder.Property(row => row.Kid).HasMaxLength(64);
            builder.Property(row => row.Use).HasMaxLength(20);
        }
    }
}

/// <summary>An epoch that was issued, and whether a person must still say who its true holder is.</summary>
internal sealed class ClusterEpoch
{
    /// <summary>Of the first epoch.</summary>
    public const string Enrolled = "enrolled";

    /// <summary>Of an epoch that began because the cluster was enrolled anew.</summary>
    public const string Readmitted = "re-enrolled";

    public required Guid ClusterId { get; init; }

    public required long Epoch { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required string Reason { get; init; }

    public bool Quarantined { get; set; }

    public DateTimeOffset? ConfirmedAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterEpoch>
    {
        public void Configure(EntityTypeBuilder<ClusterEpoch> builder)
        {
            builder.ToTable("callhome_epoch").HasKey(row => new { row.ClusterId, row.Epoch });
            builder.Property(row => row.Reason).HasMaxLength(40);
        }
    }
}
