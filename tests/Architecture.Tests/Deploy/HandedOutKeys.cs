using System.Security.Cryptography.X509Certificates;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>What <c>missioncontrol admin keys make --hand-out</c> gives each role.</summary>
internal sealed class HandedOutKeys : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-hand-out-").FullName;

    public HandedOutKeys(params string[] more) =>
        Tools.Run("dotnet", [Path.Combine(AppContext.BaseDirectory, "missioncontrol.dll"), "admin", "keys", "make", "--data", Path.Combine(directory, "data"), "--hand-out", Path.Combine(directory, "roles"), .. more]);

    /// <summary>The roles that need files at all.</summary>
    public IReadOnlyList<string> Roles => [.. Directory.EnumerateDirectories(Path.Combine(directory, "roles")).Select(role => Path.GetFileName(role)).Order()];

    /// <summary>The files of a role.</summary>
    public IReadOnlyList<string> Files(string role) => [.. Directory.EnumerateFiles(Path.Combine(directory, "roles", role)).Select(file => Path.GetFileName(file)).Order()];

    /// <summary>Puts the files of a role where it is mounted them.</summary>
    public void Mount(string role, string keys)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(directory, "roles", role)))
        {
            File.Copy(file, Path.Combine(keys, Path.GetFileName(file)), overwrite: true);
        }
    }

    /// <summary>The names that the certificate of a role is good for.</summary>
    public IReadOnlyList<string> Names(string role)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(directory, "roles", role, "server.pem")));
        return [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames()];
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
