using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using MissionControl.Catalog;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol admin keys</c>: makes, lists and rotates the private keys. A running process takes over a rotated key by itself.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", "Make, list and rotate the private keys, and make the server certificates of the distributed shape.") { Make(), List(), Rotate() };

    private static Command Make()
    {
        var data = new CommonOptions().Data;
        var handOut = new Option<DirectoryInfo?>("--hand-out") { Description = "Also copy to DIR/<role> what each role needs and no more, with a new server certificate of the installation's own CA: to mount as its directory keys, or to make a secret of. Run it again after a rotation, and to renew the certificates." };
        var name = new Option<string[]>("--name") { Description = "A further name or address by which a role is called, as ROLE=NAME or ROLE=NAME,NAME; may be given often. Without any for a role its certificate keeps the names that it has. Always in it: localhost, <role> and missioncontrol-<role>." };
        var command = new Command("make", "Make every key of an installation that is missing, and the anchor document: once, before the processes of the distributed shape start, which make none. Example: missioncontrol admin keys make --data first --hand-out roles --name callhome=callhome.example.com --name portal=missioncontrol.example.com") { data, handOut, name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var keys = new InstallationKeys(parsed.GetValue(data)!);
            var now = TimeProvider.System.GetUtcNow();
            try
            {
                var names = Names(parsed.GetValue(name) ?? []);
                foreach (var (path, made, use) in keys.MakeMissing(now))
                {
                    await parsed.InvocationConfiguration.Output.WriteLineAsync($"{(made ? "made" : "kept")} {path}: {use.Purpose}");
                }

                if (parsed.GetValue(handOut) is { } target)
                {
                    foreach (var line in keys.HandOut(target.FullName, names, now))
                    {
                        await parsed.InvocationConfiguration.Output.WriteLineAsync(line);
                    }
                }
            }
            catch (Exception refusal) when (refusal is InvalidOperationException or FormatException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(refusal.Message);
                return 2;
            }

            await parsed.InvocationConfiguration.Output.WriteLineAsync($"anchors sha256:{Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(keys.Anchors, cancellationToken)))}");
            return 0;
        });
        return command;
    }

    /// <exception cref="FormatException">One of them names no role, or is no name.</exception>
    private static Dictionary<string, IReadOnlyList<string>> Names(IEnumerable<string> given)
    {
        var names = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var one in given)
        {
            var (role, list) = one.Split('=', 2) is [var left, var right] ? (left, right.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) : ("", []);
            if (!ModuleList.All.Any(module => module.Name == role))
            {
                throw new FormatException($"--name {one}: write ROLE=NAME, where ROLE is one of {string.Join(", ", ModuleList.All.Select(module => module.Name))}.");
            }

            if (list.FirstOrDefault(wrong => Uri.CheckHostName(wrong.StartsWith("*.", StringComparison.Ordinal) ? wrong[2..] : wrong) is UriHostNameType.Unknown or UriHostNameType.Basic) is { } mistake)
            {
                throw new FormatException($"--name {one}: '{mistake}' is neither a host name nor an address.");
            }

            names[role] = [.. names.GetValueOrDefault(role, []), .. list];
        }

        return names;
    }

    private static Command List()
    {
        var data = new CommonOptions().Data;
        var command = new Command("list", "List the keys: use, key id, in force from when, state; and the certificates that were made here.") { data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var keys = new InstallationKeys(parsed.GetValue(data)!);
            var output = parsed.InvocationConfiguration.Output;
            var now = TimeProvider.System.GetUtcNow();
            var safe = true;
            foreach (var use in InstallationKeys.Uses)
            {
                var files = KeyFiles.Of(keys.PathOf(use.File));
                var inForce = KeyFiles.InForce(files, now);
                foreach (var file in files)
                {
                    var state = file == inForce ? "in force" : file.ActiveFrom > now ? "next" : "replaced";
                    var from = file.ActiveFrom == DateTimeOffset.UnixEpoch ? "first" : file.ActiveFrom.ToString("u", CultureInfo.InvariantCulture);
                    await output.WriteLineAsync($"{use.Name,-14} {IdOf(use, file),-24} {from,-21} {state,-9} {file.Path}");
                    safe &= IsPrivate(file.Path);
                }
            }

            if (File.Exists(keys.Anchors))
            {
                var document = AnchorFile.Read(await File.ReadAllBytesAsync(keys.Anchors, cancellationToken));
                await output.WriteLineAsync($"anchor document {document.Version} of {document.IssuedAt:u} names: {string.Join(", ", document.Keys.Select(key => $"{string.Join('+', key.Uses)} {key.Kid} until {key.NotAfter:yyyy-MM-dd}"))}");
            }

            foreach (var line in Certificates.List(new DataDirectory(parsed.GetValue(data)!)))
            {
                await output.WriteLineAsync(line);
            }

            if (!safe)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("Some of these files can be read by others: chmod 600 them, and rotate those keys.");
            }

            return safe ? 0 : 1;
        });
        return command;
    }

    private static Command Rotate()
    {
        var options = new CommonOptions();
        var use = new Argument<string>("use") { Description = $"One of: {string.Join(", ", InstallationKeys.Uses.Select(one => one.Name))}." };
        use.AcceptOnlyFromAmong([.. InstallationKeys.Uses.Select(one => one.Name)]);
        var root = new Option<FileInfo?>("--root") { Description = "The root key that signs the new anchor document; default: the newest root in the data directory. Needed for root, receipt, lease and answer." };
        var after = new Option<string>("--after") { Description = "When the new key takes over, for example 10m: until then replicas and other roles learn of it.", DefaultValueFactory = _ => "10m" };
        var keep = new Option<string>("--keep") { Description = "How long clusters go on trusting the old key, for example 30d.", DefaultValueFactory = _ => "30d" };
        var command = new Command("rotate", "Replace a key with overlap. Example: missioncontrol admin keys rotate receipt --root /media/safe/root.pem") { use, root, after, keep };
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var chosen = InstallationKeys.Uses.Single(one => one.Name == parsed.GetValue(use));
            if (Term.Parse(parsed.GetValue(after)) is not { } delay || Term.Parse(parsed.GetValue(keep)) is not { } overlap)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("--after and --keep are a number with d, h or m.");
                return 2;
            }

            try
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(await RotateAsync(options.Read(parsed), chosen, parsed.GetValue(root)?.FullName, delay, overlap, cancellationToken));
                return 0;
            }
            catch (Exception exception) when (exception is InvalidOperationException or CryptographicException or IOException or ArgumentException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(exception.Message);
                return 2;
            }
        });
        return command;
    }

    private static async Task<string> RotateAsync(HostSettings settings, KeyUse use, string? rootFile, TimeSpan delay, TimeSpan overlap, CancellationToken cancellationToken)
    {
        await using var app = ControlPlaneHost.Build(settings with { Serves = false });
        var now = TimeProvider.System.GetUtcNow();
        var keys = new InstallationKeys(settings.Data, app.Configuration);
        var first = keys.PathOf(use.File);
        if (KeyFiles.Of(first).Count == 0)
        {
            throw new InvalidOperationException($"There is no key {first} to rotate. Start Mission Control once, or run admin keys make.");
        }

        var activeFrom = DateTimeOffset.FromUnixTimeSeconds((now + delay).ToUnixTimeSeconds());
        if (KeyFiles.Of(first).Any(file => file.ActiveFrom > now))
        {
            throw new InvalidOperationException($"A rotation of {use.Name} is under way already; see admin keys list.");
        }

        using var fresh = use.IsSymmetric ? null : EcdsaSigner.Create();
        using var root = use.IsAnchored ? EcdsaSigner.Load(rootFile ?? KeyFiles.InForce(KeyFiles.Of(keys.PathOf("root.pem")), now)?.Path ?? throw new InvalidOperationException("The root key is not here: name its file with --root.")) : null;
        if (root is not null && !AnchorFile.Read(await File.ReadAllBytesAsync(keys.Anchors, cancellationToken)).Keys.Any(key => key.Kid == root.KeyId && key.Uses.Contains("root")))
        {
            throw new InvalidOperationException($"Key {root.KeyId} is not a root of the present anchor document: no cluster would believe what it signs.");
        }

        await AuditAsync(app.Services, use, fresh?.KeyId, activeFrom, cancellationToken);
        var said = $"{use.Name}: ";

        // The anchors first: a key that nobody trusts yet must not sign, one that is trusted and not there does no harm.
        if (root is not null)
        {
            var document = AnchorFile.Renew(keys.Anchors, root, fresh!, use.Name, activeFrom, overlap, now);
            said += $"anchor document {document.Version} rides to the clusters with their next check-in; ";
        }

        var path = KeyFiles.PathOf(first, activeFrom);
        if (!KeyFiles.TryWrite(path, fresh is null ? KeyFiles.NewSymmetric() : System.Text.Encoding.ASCII.GetBytes(fresh.ExportPkcs8Pem())))
        {
            throw new InvalidOperationException($"{path} is there already.");
        }

        return $"{said}{path} takes over at {activeFrom:u}.";
    }

    private static async Task AuditAsync(IServiceProvider services, KeyUse use, string? kid, DateTimeOffset activeFrom, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(use.Module);
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
        {
            throw new InvalidOperationException("The database is not there or not up to date, so the rotation could not be audited. Run missioncontrol migrate first.");
        }

        scope.ServiceProvider.GetRequiredService<IEvents>().Audit(new AuditFact($"{use.Module}.key-rotated", AuditLog.Operator, "key", use.Name)
        {
            Actor = new AuditActor("staff", "console", "local"),
            Changes = [Change.Add("/kid", kid ?? "symmetric"), Change.Add("/activeFrom", activeFrom)],
            Personal = new Dictionary<string, string> { ["user"] = Environment.UserName },
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    private static string IdOf(KeyUse use, KeyFile file)
    {
        if (use.IsSymmetric)
        {
            return "symmetric";
        }

        using var key = EcdsaSigner.Load(file.Path);
        return key.KeyId;
    }

    private static bool IsPrivate(string path) =>
        OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) == 0;
}
