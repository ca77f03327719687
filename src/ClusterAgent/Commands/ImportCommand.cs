using System.CommandLine;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Licenses;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent import</c>: the answer to a bundle, brought back by a person; verified here, taken by the agent.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "What the upload of the bundle answered, as it came; or a licence, as Mission Control gave it out." };
        var command = new Command("import", "Take the answer to an exported bundle, or a licence, for a site without a connection; also beside a running agent, which takes it within a minute. Example: mc-agent import /media/usb/oslo.answer") { file };
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = Shared.EnrollmentOf(data);
            var path = parsed.GetValue(file)!;
            if (new FileInfo(path) is { Exists: true, Length: > CarriedAnswer.MaxBytes } large)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{path} has {large.Length:#,0} bytes; no answer has more than {CarriedAnswer.MaxBytes:#,0}.");
                return AgentCommand.Failed;
            }

            var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            if (VerifiedLease.IsOne(bytes))
            {
                var lease = VerifiedLease.Open(bytes, enrollment.Anchors, enrollment.ClusterId).Lease;
                Setup.Answers(data).Put(bytes);
                await Shared.TellAsync(parsed, $"Licence {lease.Id} of serial {lease.Serial}, {lease.Status}, until {lease.NotAfter}. The agent takes it within a minute, or when it is started, unless it holds a newer one; mc-agent license says so.", new { license = lease.Id, lease.Serial, lease.Status, lease.NotAfter });
                return 0;
            }

            var (response, anchors) = CarriedAnswer.Open(bytes, enrollment);
            Setup.Answers(data).Put(bytes);
            var receipts = response.Desired?.Sections.Any(section => section.Name == "receipts") == true;
            var licensed = response.Desired?.Sections.Any(section => section.Name == "lease") == true;
            await Shared.TellAsync(
                parsed,
                $"Mission Control holds every item up to {response.Ack}{(response.AcceptedAboveAck.Count > 0 ? $" and {response.AcceptedAboveAck.Count} above" : "")}, refused {response.Refusals.Count}; {(receipts ? "receipts for usage" : "no receipt for usage")}, {(licensed ? "a licence" : "no licence")} and {(anchors.IsEmpty ? "no newer anchors" : "newer anchors")} came along. The agent takes it within a minute, or when it is started.",
                new { response.Ack, above = response.AcceptedAboveAck.Count, refusals = response.Refusals.Select(refusal => new { refusal.Seq, refusal.Code, refusal.Detail, refusal.Final }), receipts, licensed, anchors = !anchors.IsEmpty });
            return 0;
        }));
        return command;
    }
}
