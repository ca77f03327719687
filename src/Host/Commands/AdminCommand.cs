using System.CommandLine;
using Microsoft.Data.Sqlite;
using MissionControl.Platform.Data;
using MissionControl.Storage.Sqlite;

namespace MissionControl.Host.Commands;

/// <summary><c>missioncontrol admin</c>: what only somebody on the server's own console may do.</summary>
internal static class AdminCommand
{
    // What SQLite keeps beside the file belongs to the old database, too.
    private static readonly string[] FileSuffixes = ["", "-wal", "-shm"];

    public static Command Create()
    {
        var command = new Command("admin", "Work on the server's own console.") { Backup(), Restore(), SupportBundleCommand.Create(), KeysCommand.Create() };
        foreach (var task in ModuleCommands.All())
        {
            command.Subcommands.Add(task);
        }

        return command;
    }

    private static Command Backup()
    {
        var data = new CommonOptions().Data;
        var target = new Argument<FileInfo>("file") { Description = "The backup to write; must not exist." };
        var command = new Command("backup", "Copy the embedded database consistently while it is in use. Example: missioncontrol admin backup --data data backup.db") { data, target };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetValue(target)!;
            if (file.Exists)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{file} exists already; a backup never overwrites anything.");
                return 2;
            }

            var source = new DataDirectory(parsed.GetValue(data)!).PathOf(SqliteStorage.FileName);

            // It holds what the database holds, and lies outside of the private directory.
            await DataDirectory.CreatePrivateFile(file.FullName).DisposeAsync();
            await using var from = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = source, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            await from.OpenAsync(cancellationToken);
            await using var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file.FullName, Pooling = false }.ToString());
            await to.OpenAsync(cancellationToken);
            from.BackupDatabase(to);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"Wrote {file}. Keep it with the directories keys and certificates, which it does not hold.");
            return 0;
        });
        return command;
    }

    private static Command Restore()
    {
        var data = new CommonOptions().Data;
        var source = new Argument<FileInfo>("file") { Description = "The backup to restore." };
        var command = new Command("restore", "Put a backup in place of the embedded database. Stop Mission Control first; the old file is kept beside it.") { data, source };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var file = parsed.GetValue(source)!;
            var directory = new DataDirectory(parsed.GetValue(data)!);
            using var claim = directory.TryClaim();
            if (claim is null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"Mission Control is running on {directory.Root}; stop it first. Nothing was changed.");
                return 2;
            }

            var target = directory.PathOf(SqliteStorage.FileName);
            await using (var check = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file.FullName, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString()))
            {
                await check.OpenAsync(cancellationToken);
                await using var command = check.CreateCommand();
                command.CommandText = "PRAGMA integrity_check;";
                if (await command.ExecuteScalarAsync(cancellationToken) is not "ok")
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync($"{file} is damaged; nothing was changed.");
                    return 2;
                }
            }

            foreach (var suffix in FileSuffixes)
            {
                if (File.Exists(target + suffix))
                {
                    File.Move(target + suffix, $"{target}.before-restore{suffix}", overwrite: true);
                }
            }

            file.CopyTo(target);
            await parsed.InvocationConfiguration.Output.WriteLineAsync("Restored. Clusters send again what the backup does not hold: their spools keep usage until a receipt confirms it. Audit logs of which more was signed since are not signed until somebody says that this is the right database: missioncontrol admin audit accept-restored.");
            return 0;
        });
        return command;
    }
}
