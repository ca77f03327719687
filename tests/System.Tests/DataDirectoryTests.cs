using Microsoft.Data.Sqlite;
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

    [Fact]
    public async Task A_schema_that_a_newer_version_made_is_waited_for_and_not_touched()
    {
        await using var host = new HostProcess(new Dictionary<string, string>());
        await host.StartAsync();
        host.Terminate();
        await host.ExitAsync();
        Execute("INSERT INTO __EFMigrationsHistory (MigrationId, ProductVersion) VALUES ('99991231235959_Later', '99')");

        host.Launch();
        await Eventually.TrueAsync(() => host.Output.Any(line => line.Contains("99991231235959_Later", StringComparison.Ordinal)), "it says what it does not understand");
        using (var api = host.Client(host.Portal))
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => api.GetAsync(new Uri("/", UriKind.Relative)));
        }

        Execute("DELETE FROM __EFMigrationsHistory WHERE MigrationId LIKE '9999%'");
        await host.ReadyAsync();

        void Execute(string statement)
        {
            using var connection = new SqliteConnection($"Data Source={Directory.GetFiles(host.Data, "*.db").Single()};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = statement;
            command.ExecuteNonQuery();
        }
    }

    private static string Free(string scheme) => $"{scheme}://localhost:{Ports.Free()}";
}
