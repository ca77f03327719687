using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Host;

/// <summary>A use of a key.</summary>
/// <param name="Name">How <c>admin keys</c> calls it.</param>
/// <param name="File">Its first file below <c>keys/</c>.</param>
/// <param name="Module">The role whose key it is.</param>
/// <param name="Purpose">What it does.</param>
internal sealed record KeyUse(string Name, string File, string Module, string Purpose)
{
    /// <summary>32 random bytes: a symmetric key, or the seed of an Ed25519 key (RFC 8032). The others are P-256 keys.</summary>
    public bool IsSymmetric => File.EndsWith(".key", StringComparison.Ordinal);

    /// <summary>Clusters verify by it, so it stands in the anchor document.</summary>
    public bool IsAnchored => Name is "root" or "receipt" or "lease" or "answer";

    /// <summary>A running process reads it. The root signs by the command alone.</summary>
    public bool IsRead => Name != "root";
}

/// <summary>
/// The keys of one installation: where they lie, who needs which, and the one place that makes them all. Embedded, each role makes its
/// own at the first start; distributed, none does, because replicas with directories of their own would each have another.
/// </summary>
internal sealed class InstallationKeys(string root, IConfiguration? configuration = null)
{
    private const string AnchorsPattern = "anchors*.dsse";
    private readonly DataDirectory data = new(root);

    /// <summary>Every use there is.</summary>
    public static IReadOnlyList<KeyUse> Uses { get; } =
    [
        new("root", "root.pem", "callhome", "signs the anchor document"),
        new("receipt", "receipt.pem", "licensing", "signs receipts for usage"),
        new("lease", "lease.pem", "licensing", "signs licences"),
        new("answer", "answer.pem", "callhome", "signs answers to bundles"),
        new("user-token", "user-token.pem", "identity", "signs user tokens"),
        new("client-token", "client-token.pem", "identity", "signs access tokens of OAuth clients"),
        new("factor-sealing", "factor-sealing.key", "identity", "seals the secrets of people's authenticators"),
        new("provider-sealing", "provider-sealing.key", "identity", "seals the client secrets of customers' providers"),
        new("token-sealing", "token-sealing.key", "callhome", "seals the clusters' access tokens"),
        new("cookie-sealing", "cookie-sealing.key", "portal", "seals the keys of the portal's cookies"),
        new("log-note", "log-note.key", "audit", "signs the checkpoints of the audit logs"),
        new("log-blinding", "log-blinding.key", "audit", "blinds the audit logs in the anchor"),
        new("endpoint-sealing", "endpoint-sealing.key", "notifications", "seals the secrets of webhooks"),
    ];

    /// <summary>The anchor document.</summary>
    public string Anchors => configuration?["CallHome:AnchorsFile"] ?? data.PathOf("keys/anchors.dsse");

    /// <summary>Path of a use's first key.</summary>
    public string PathOf(string file) => (file == "token-sealing.key" ? configuration?["CallHome:SealingKeyFile"] : null) ?? data.PathOf($"keys/{file}");

    /// <summary>The keys and certificates that a process of the distributed shape lacks; each a sentence that says how to get it. Nothing in the embedded shape, which makes its own.</summary>
    public static IReadOnlyList<string> MissingFiles(HostSettings settings, IConfiguration configuration, DateTimeOffset now)
    {
        if (!Shape.Read(configuration, []).IsDistributed)
        {
            return [];
        }

        IReadOnlyList<string> roles = [.. ModuleList.All.Select(module => module.Name).Where(name => settings.Roles.Contains("all") || settings.Roles.Contains(name))];
        return roles.Count == 0 ? [] : [.. new InstallationKeys(settings.Data, configuration).Missing(roles, now), .. Certificates.Missing(settings.Data, configuration, roles)];
    }

    /// <summary>The files that roles need and that are not here; each a sentence that says how to get it.</summary>
    public IEnumerable<string> Missing(IEnumerable<string> roles, DateTimeOffset now)
    {
        foreach (var role in roles)
        {
            var missing = Uses.Where(use => use.Module == role && use.IsRead && KeyFiles.InForce(KeyFiles.Of(PathOf(use.File)), now) is null).Select(use => PathOf(use.File)).ToList();
            if (role == "callhome" && !File.Exists(Anchors))
            {
                missing.Add(Anchors);
            }

            foreach (var file in missing)
            {
                yield return $"{file} is missing, which the role {role} needs. In the distributed shape no process makes keys: its replicas would not have the same. Make them once with 'missioncontrol admin keys make --data DIR --hand-out OUT', and give every replica of {role} the files of OUT/{role}.";
            }
        }
    }

    /// <summary>Makes what is missing.</summary>
    /// <exception cref="InvalidOperationException">A key is gone that clusters trust by the anchor document: another in its place would be trusted by none.</exception>
    public IReadOnlyList<(string Path, bool Made, KeyUse Use)> MakeMissing(DateTimeOffset now)
    {
        // Where there are anchors, the root lies in a safe, as it should.
        var first = !File.Exists(Anchors);
        var result = new List<(string Path, bool Made, KeyUse Use)>();
        foreach (var use in Uses.Where(use => first || use.IsRead))
        {
            var path = PathOf(use.File);
            var inForce = KeyFiles.InForce(KeyFiles.Of(path), now);
            if (inForce is null && use.IsAnchored && !first && AnchorFile.Names(Anchors, use.Name))
            {
                throw new InvalidOperationException($"{path} is missing, and clusters trust just that key by {Anchors}: bring it back from where the keys are kept. Nothing was made in its place.");
            }

            if (inForce is null && use.IsSymmetric)
            {
                KeyFiles.MakeSymmetric(path, now);
            }
            else if (inForce is null)
            {
                EcdsaSigner.LoadOrCreate(path).Dispose();
            }

            result.Add((inForce?.Path ?? path, inForce is null, use));
        }

        if (first)
        {
            using var root = Load("root.pem", now);
            using var receipt = Load("receipt.pem", now);
            using var answer = Load("answer.pem", now);
            using var lease = Load("lease.pem", now);
            AnchorFile.MakeFirst(Anchors, root, receipt, answer, lease, now);
        }
        else if (!AnchorFile.Names(Anchors, "lease"))
        {
            if (KeyFiles.InForce(KeyFiles.Of(PathOf("root.pem")), now) is null)
            {
                throw new InvalidOperationException($"{Anchors} names no key for licences yet, and the root that has to sign the next one is not here: put root.pem beside it for this command, and take it away again. Until then no cluster believes a licence.");
            }

            using var root = Load("root.pem", now);
            using var lease = Load("lease.pem", now);
            AnchorFile.Adopt(Anchors, root, lease, "lease", now);
        }

        return result;
    }

    /// <summary>Copies to a directory per role the keys that it needs, and makes it a new server certificate. The keys that it holds already stay; the anchor document is brought up to date.</summary>
    /// <param name="target">The directory.</param>
    /// <param name="names">By role the further names by which it is called; a role that is not in it keeps those that it had.</param>
    /// <param name="now">The present instant.</param>
    /// <returns>What was done about each certificate, in words.</returns>
    /// <exception cref="InvalidOperationException">Another key stands there: this is another installation's directory.</exception>
    public IReadOnlyList<string> HandOut(string target, IReadOnlyDictionary<string, IReadOnlyList<string>> names, DateTimeOffset now)
    {
        foreach (var use in Uses.Where(use => use.IsRead))
        {
            var directory = Directory.CreateDirectory(Path.Combine(target, use.Module)).FullName;
            foreach (var key in KeyFiles.Of(PathOf(use.File)))
            {
                var copy = Path.Combine(directory, Path.GetFileName(key.Path));
                var content = File.ReadAllBytes(key.Path);
                if (!KeyFiles.TryWrite(copy, content) && !File.ReadAllBytes(copy).AsSpan().SequenceEqual(content))
                {
                    throw new InvalidOperationException($"{copy} is another key than {key.Path}. Nothing was overwritten: is {target} another installation's?");
                }
            }
        }

        foreach (var anchors in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(Anchors))!, AnchorsPattern))
        {
            DataDirectory.WritePrivate(Path.Combine(target, "callhome", Path.GetFileName(anchors)), File.ReadAllBytes(anchors));
        }

        return [.. ModuleList.All.Select(module => Certificates.HandOut(data, target, module.Name, names.GetValueOrDefault(module.Name), now))];
    }

    private EcdsaSigner Load(string file, DateTimeOffset now) => EcdsaSigner.Load(KeyFiles.InForce(KeyFiles.Of(PathOf(file)), now)!.Path);
}
