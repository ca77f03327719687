using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using System.Text.Json;
using MissionControl.Cli.Server;

namespace MissionControl.Cli.SignIn;

/// <summary>What <c>mc</c> remembers of a sign-in, in a file that nobody else can read.</summary>
/// <param name="Server">Where.</param>
/// <param name="Ca">PEM of a further CA to trust, as it was at sign-in.</param>
/// <param name="Session">The session's secret.</param>
/// <param name="ExpiresAt">Its end at the latest (UTC).</param>
/// <param name="Portal">Where the person's browser finds the portal, as the server said at sign-in; null: where the server is.</param>
internal sealed record KeptSignIn(string Server, string? Ca, string Session, DateTimeOffset? ExpiresAt, string? Portal)
{
    private const int Longest = 2 * CaCertificates.Longest;
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OnlyOwnerEnters = OnlyOwner | UnixFileMode.UserExecute;
    private const UnixFileMode Others = (UnixFileMode)0b111_111;
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    /// <summary>The address, which was checked when it was read.</summary>
    public Uri Address => ServerAddress.Parse(Server)!;

    /// <summary>Where a person confirms. An address over which a session would be seen is none.</summary>
    public Uri PortalAddress => ServerAddress.Parse(Portal) ?? Address;

    /// <summary>Where it is kept.</summary>
    public static string FilePath => Path.Combine(Folder, "mc.json");

    private static string Folder
    {
        get
        {
            var given = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
            var root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData)
                : Path.IsPathRooted(given) ? given // Another one is to be ignored (XDG Base Directory Specification).
                : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home ? Path.Combine(home, ".config")
                : throw new CommandFailure("Neither XDG_CONFIG_HOME nor HOME says where a sign-in can be kept.");
            return Path.Combine(root, "mission-control");
        }
    }

    /// <summary>Whether it can be one.</summary>
    public static bool IsSession([NotNullWhen(true)] string? session) => session is { Length: > 0 and <= 200 } && session.All(c => c is > ' ' and <= '~');

    /// <summary>The way to the server.</summary>
    public Connection Connect() => new(Address, Ca);

    /// <summary>The sign-in of this user; null: there is none.</summary>
    /// <exception cref="CommandFailure">Others can read or write it, or it is none.</exception>
    public static KeptSignIn? Find()
    {
        byte[] bytes;
        try
        {
            using var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (!OperatingSystem.IsWindows())
            {
                RefuseOthers(file);
            }

            bytes = new byte[Math.Min(file.Length, Longest)];
            file.ReadExactly(bytes);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<KeptSignIn>(bytes, Form) is { } kept && IsSession(kept.Session) && ServerAddress.Parse(kept.Server) is not null && (kept.Ca is null || CaCertificates.AreSome(kept.Ca))
                ? kept
                : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{FilePath} is no sign-in that can be read. Remove it, and sign in again.");
        }
    }

    /// <summary>Makes the folder, so that what hinders is known before somebody signs in.</summary>
    /// <exception cref="CommandFailure">Others can write there.</exception>
    public static void Prepare()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Folder);
            return;
        }

        Directory.CreateDirectory(Folder, OnlyOwnerEnters);
        RefuseOthers();
    }

    /// <summary>Writes it aside and puts it in the place of the one before: whoever reads at that moment reads one of them whole.</summary>
    public void Keep()
    {
        Prepare();
        WholeFile.Write(FilePath, JsonSerializer.SerializeToUtf8Bytes(this, Form), OnlyOwner);
    }

    /// <summary>Forgets it.</summary>
    public static void Forget() => File.Delete(FilePath);

    // Of the file that was opened, and not of what has its name by now.
    [UnsupportedOSPlatform("windows")]
    private static void RefuseOthers(FileStream file)
    {
        if ((File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
        {
            throw new CommandFailure($"Others can read {FilePath}, which holds a session of yours, or could: chmod 600 {FilePath}. Then end it by mc sign-out, and sign in again.");
        }

        RefuseOthers();
    }

    // Whoever can write there can put another sign-in in its place, and be told what is meant for the server.
    [UnsupportedOSPlatform("windows")]
    private static void RefuseOthers()
    {
        if ((File.GetUnixFileMode(Folder) & OthersWrite) != 0)
        {
            throw new CommandFailure($"Others can write in {Folder}: chmod 700 {Folder}.");
        }
    }
}
