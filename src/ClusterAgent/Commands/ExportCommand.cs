using System.CommandLine;
using System.Security.Cryptography;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Spool;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent export</c>: what waits, in a signed file that a person carries. Nothing counts as sent by it.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "Where to write; must not be there yet." };
        var command = new Command("export", "Write what waits to be sent into a signed file, for a site without a connection; also beside a running agent. Whoever carries it uploads it to /callhome/v1/bundles. Example: mc-agent export /media/usb/oslo.bundle") { file };
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = Shared.EnrollmentOf(data);
            var path = parsed.GetValue(file)!;
            using var identity = new FileIdentity(data);
            var items = Write(path, identity, Path.Combine(data, "spool"));
            if (items == 0 || FileIdentity.ReadEnrollment(data)?.Epoch != enrollment.Epoch)
            {
                File.Delete(path);
                await parsed.InvocationConfiguration.Error.WriteLineAsync(items == 0 ? "Nothing waits to be sent." : "The agent was given a new epoch meanwhile. Export again.");
                return AgentCommand.Failed;
            }

            await using var written = File.OpenRead(path);
            var digest = $"sha256:{Convert.ToHexStringLower(await SHA256.HashDataAsync(written))}";
            await Shared.TellAsync(parsed, $"Wrote {items} items of epoch {enrollment.Epoch} to {path}, {digest}. They stay here until Mission Control has acknowledged them.", new { file = path, items, epoch = enrollment.Epoch, bytes = written.Length, sha256 = digest });
            return 0;
        }));
        return command;
    }

    private static int Write(string path, FileIdentity identity, string spool)
    {
        using var file = DurableFile.OpenPrivate(path, FileMode.CreateNew);
        try
        {
            var items = Bundle.Write(file, identity, DiskSpool.ReadIn(spool), TimeProvider.System);
            file.Flush(flushToDisk: true);
            return items;
        }
        catch
        {
            // Half a file would be taken for a whole one.
            File.Delete(path);
            throw;
        }
    }
}
