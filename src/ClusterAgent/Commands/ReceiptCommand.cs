using System.CommandLine;
using System.Globalization;
using MissionControl.ClusterAgent.Receipts;
using MissionControl.ClusterAgent.Witnesses;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent receipt</c>: whether this agent would act by a receipt of the audit log. It only looks, so that it can be asked beside a running agent.</summary>
internal static class ReceiptCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The receipt (.tlog-proof), with the entry in it." };
        var goesOn = new Option<string?>("--goes-on") { Description = "The proof that the log of the receipt goes on from what this agent has seen: the body of add-checkpoint (C2SP tlog-witness). Needed where the receipt is of more entries." };
        var type = new Option<string>("--type") { Description = "Type of the entry that has to be proven, e.g. remoteaccess.session-opened.", Required = true };
        var target = new Option<string>("--target") { Description = "What it has to be about, as TYPE/ID.", Required = true };
        target.Validators.Add(result =>
        {
            if (Parts(result.GetValueOrDefault<string>()) is not { Length: 2 })
            {
                result.AddError("--target is written TYPE/ID.");
            }
        });
        var command = new Command("receipt", "Say whether this agent would act by a receipt of the audit log. Exit code 4: it would not. Example: mc-agent receipt opened.tlog-proof --type remoteaccess.session-opened --target session/0198") { file, goesOn, type, target };
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var cluster = Shared.EnrollmentOf(data).ClusterId;
            var parts = Parts(parsed.GetValue(target))!;
            try
            {
                var proven = ReceiptCheck.Judge(new WitnessBook(data).Read(), Read(parsed.GetValue(file)!), parsed.GetValue(goesOn) is { } proof ? Read(proof) : [], new WantedAction(cluster, parsed.GetValue(type)!, parts[0], parts[1]), TimeProvider.System.GetUtcNow());
                await Shared.TellAsync(
                    parsed, string.Create(CultureInfo.InvariantCulture, $"It would act: entry {proven.Entry.EventId} stands in {proven.Checkpoint.Origin} among {proven.Checkpoint.Size}, done by {proven.Entry.Actor.Id}, approved by {proven.Approver}, good until {proven.Expiry.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z."),
                    new { mayAct = true, proven.Entry.EventId, proven.Checkpoint.Origin, proven.Checkpoint.Size, actor = proven.Entry.Actor.Id, proven.Approver, proven.Expiry });
                return 0;
            }
            catch (ReceiptRefusedException refusal)
            {
                await Shared.TellAsync(parsed, $"It would not act ({refusal.Reason}): {refusal.Message}", new { mayAct = false, refusal.Reason, refusal.Message });
                return AgentCommand.NotProven;
            }
        }));
        return command;
    }

    private static string[]? Parts(string? text) => text?.Split('/', 2) is [{ Length: > 0 }, { Length: > 0 }] parts ? parts : null;

    // One byte more than may be read, so that what is longer is seen to be.
    private static byte[] Read(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[ReceiptCheck.MostBytes + 1];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
