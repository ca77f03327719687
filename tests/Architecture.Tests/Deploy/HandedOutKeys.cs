namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>What <c>missioncontrol admin keys make --hand-out</c> gives each role.</summary>
internal sealed class HandedOutKeys : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-hand-out-").FullName;

    public HandedOutKeys() =>
        Tools.Run("dotnet", [Path.Combine(AppContext.BaseDirectory, "missioncontrol.dll"), "admin", "keys", "make", "--data", Path.Combine(directory, "data"), "--hand-out", Path.Combine(directory, "roles")]);

    /// <summary>The roles that need keys at all.</summary>
    public IReadOnlyList<string> Roles => [.. Directory.EnumerateDirectories(Path.Combine(directory, "roles")).Select(role => Path.GetFileName(role)).Order()];

    /// <summary>The files of a role.</summary>
    public IReadOnlyList<string> Files(string role) => Roles.Contains(role) ? [.. Directory.EnumerateFiles(Path.Combine(directory, "roles", role)).Select(file => Path.GetFileName(file)).Order()] : [];

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
