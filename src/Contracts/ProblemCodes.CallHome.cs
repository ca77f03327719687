namespace MissionControl.Contracts;

// The answers of the call-home door. "Final" items are quarantined by the agent; the others are offered again.
public static partial class ProblemCodes
{
    /// <summary>A nonce is needed; the answer carries one, and the server's time.</summary>
    public static readonly ProblemCode UseNonce = new("use-nonce", 401, "A nonce is needed", false);

    /// <summary>The assertion does not prove who the cluster is.</summary>
    public static readonly ProblemCode AssertionInvalid = new("assertion-invalid", 401, "The assertion is not valid", false);

    /// <summary>The access token is missing, expired or not ours.</summary>
    public static readonly ProblemCode AccessTokenInvalid = new("access-token-invalid", 401, "The access token is not valid", false);

    /// <summary>The cluster is suspended.</summary>
    public static readonly ProblemCode ClusterSuspended = new("cluster-suspended", 403, "The cluster is suspended", false);

    /// <summary>The cluster was decommissioned.</summary>
    public static readonly ProblemCode ClusterDecommissioned = new("cluster-decommissioned", 410, "The cluster is decommissioned", true);

    /// <summary>The body names another cluster than its token.</summary>
    public static readonly ProblemCode ClusterMismatch = new("cluster-mismatch", 403, "The token belongs to another cluster", true);

    /// <summary>A bundle is not signed by a key in force of the cluster it names.</summary>
    public static readonly ProblemCode BundleSignatureInvalid = new("bundle-signature-invalid", 401, "The bundle is not signed by its cluster", true);

    /// <summary>A number came again with other bytes.</summary>
    public static readonly ProblemCode CloneSuspected = new("clone-suspected", 409, "A number was used twice", false);

    /// <summary>The epoch is no longer in force.</summary>
    public static readonly ProblemCode StaleEpoch = new("stale-epoch", 409, "The epoch is no longer in force", false);

    /// <summary>The epoch was never issued.</summary>
    public static readonly ProblemCode UnknownEpoch = new("unknown-epoch", 409, "The epoch was never issued", true);

    /// <summary>The body is larger than the limits allow.</summary>
    public static readonly ProblemCode PayloadTooLarge = new("payload-too-large", 413, "The body is too large", false);

    /// <summary>The body cannot be read.</summary>
    public static readonly ProblemCode MalformedBody = new("malformed-body", 400, "The body cannot be read", true);

    /// <summary>The media type is not known.</summary>
    public static readonly ProblemCode UnsupportedMediaType = new("unsupported-media-type", 415, "The media type is not supported", true);

    /// <summary>The content encoding is not known.</summary>
    public static readonly ProblemCode UnsupportedEncoding = new("unsupported-encoding", 415, "The content encoding is not supported", true);

    /// <summary>Intake sheds load.</summary>
    public static readonly ProblemCode Overloaded = new("overloaded", 503, "Intake is at its limit", false);

    /// <summary>Nothing could be stored.</summary>
    public static readonly ProblemCode StorageUnavailable = new("storage-unavailable", 503, "Nothing could be stored", false);

    /// <summary>The enrolment token is not known, or not valid here.</summary>
    public static readonly ProblemCode EnrollmentTokenInvalid = new("enrollment-token-invalid", 401, "The enrolment token is not valid", true);

    /// <summary>The enrolment token has expired or was revoked.</summary>
    public static readonly ProblemCode EnrollmentTokenExpired = new("enrollment-token-expired", 401, "The enrolment token has expired", true);

    /// <summary>The enrolment token was used with another key.</summary>
    public static readonly ProblemCode EnrollmentTokenUsed = new("enrollment-token-used", 409, "The enrolment token was used by another key", true);

    /// <summary>The proof of possession does not fit the key.</summary>
    public static readonly ProblemCode ProofInvalid = new("proof-invalid", 422, "The proof of possession is not valid", true);

    /// <summary>The key is not a P-256 key.</summary>
    public static readonly ProblemCode KeyUnsupported = new("key-unsupported", 422, "The key is not supported", true);

    /// <summary>A second epoch within a day.</summary>
    public static readonly ProblemCode EpochLimited = new("epoch-limited", 409, "A person must confirm the next epoch", false);

    /// <summary>The transition is not possible from the present state.</summary>
    public static readonly ProblemCode ClusterStateConflict = new("cluster-state-conflict", 409, "The cluster's state does not allow this", true);
}
