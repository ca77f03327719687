using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>An embedded database has one writer; a second process would not know of the first one's gate, a restore would take the file away under it.</summary>
public sealed class DataDirectoryTests
{
    [Fact]
    public async Task A_data_directory_in_use_is_neither_run_on_nor_restored_and_a_backup_is_for_its_owner_only()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var backup = Path.Combine(host.Data, "backup.db");

        await HostCommand.RunAsync(0, "admin", "backup", "--data", host.Data, backup);
        var second = await HostCommand.RunAsync(2, "run", "--data", host.Data, "--portal", Free("https"), "--callhome", Free("https"), "--ops", Free("http"));
        var migrate = await HostCommand.RunAsync(2, "migrate", "--data", host.Data);
        var restore = await HostCommand.RunAsync(2, "admin", "restore", "--data", host.Data, backup);

        Assert.Contains("Another process of Mission Control uses", second, StringComparison.Ordinal);
        Assert.Contains("Another process of Mission Control uses", migrate, StringComparison.Ordinal);
        Assert.Contains("stop it first", restore, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(backup));

        // However the process ends, the directory is free again.
        await host.KillAsync();
        await HostCommand.RunAsync(0, "admin", "restore", "--data", host.Data, backup);
        await host.StartAsync();
    }

    private static string Free(string scheme) => $"{scheme}://localhost:{Ports.Free()}";
}
