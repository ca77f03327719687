using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent enroll</c>: trades a one-time token for an identity.</summary>
internal static class EnrollCommand
{
    public static Command Create()
    {
        var server = Shared.Server("Call-home address.", required: true);
        var tokenFile = new Option<string>("--token-file") { Description = "File with the enrolment token, or - for standard input. Never an argument: arguments are visible to every user." };
        var anchors = new Option<string?>("--anchors") { Description = "Digest shown beside the token: sha256:…" };
        var trust = new Option<bool>("--trust-first-contact") { Description = "Enrol without the digest; recorded on both sides and shown as a finding." };
        var name = new Option<string>("--name") { Description = "What people call this cluster; sent as it is.", DefaultValueFactory = _ => "cluster" };
        var request = new Option<string?>("--request") { Description = "For a site without a connection: write the request into this file instead of sending it. As secret as the token." };
        var answer = new Option<string?>("--answer") { Description = "For a site without a connection: what the request was answered, brought back. Needs --anchors." };
        var command = new Command("enroll", "Enrol this cluster. Example: mc-agent enroll --server https://mc.example.com:9443 --token-file - --anchors sha256:…") { server, tokenFile, anchors, trust, name, request, answer };
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var error = parsed.InvocationConfiguration.Error;
            var (requestFile, answerFile) = (parsed.GetValue(request), parsed.GetValue(answer));
            if (Mistake(requestFile, answerFile, parsed.GetValue(anchors), parsed.GetValue(trust), parsed.GetValue(tokenFile)) is { } mistake)
            {
                await error.WriteLineAsync(mistake);
                return AgentCommand.WrongUse;
            }

            if (FileIdentity.ReadEnrollment(data) is { } already)
            {
                await error.WriteLineAsync($"Enrolled already, as cluster {already.ClusterId}. Unenrol first, or give another --data.");
                return AgentCommand.WrongUse;
            }

            var address = parsed.GetValue(server)!;
            using var setup = new Setup(data, Shared.SettingsOf(parsed), address, parsed.GetValue(name)!);
            if (answerFile is not null)
            {
                setup.Enroller.Enrolled(address, await ReadAsync(answerFile, cancellationToken), parsed.GetValue(anchors)!);
            }
            else
            {
                var token = await TokenAsync(parsed.GetValue(tokenFile)!, cancellationToken);
                if (requestFile is not null)
                {
                    Write(requestFile, await setup.Enroller.RequestEnrollmentAsync(token, cancellationToken));
                    await Shared.TellAsync(parsed, $"Wrote {requestFile}. It holds the token. Send it from where Mission Control can be reached, and bring the answer back: curl --data-binary @FILE -H 'Content-Type: application/json' {new Uri(address, "callhome/v1/enroll")}", new { file = requestFile });
                    return 0;
                }

                await setup.Enroller.EnrollAsync(address, token, parsed.GetValue(anchors), parsed.GetValue(trust), cancellationToken);
            }

            var enrollment = setup.Identity.Enrollment!;
            await Shared.TellAsync(
                parsed,
                $"Enrolled as cluster {enrollment.ClusterId}. Start it with mc-agent run.{(enrollment.TrustedFirstContact ? $"\nFinding: first contact was trusted. Compare {enrollment.AnchorsSha256} with what Mission Control shows." : "")}",
                new { clusterId = enrollment.ClusterId, epoch = enrollment.Epoch, anchorsSha256 = enrollment.AnchorsSha256, trustedFirstContact = enrollment.TrustedFirstContact });
            return 0;
        }));
        return command;
    }

    private static string? Mistake(string? request, string? answer, string? anchors, bool trust, string? tokenFile) =>
        request is not null && answer is not null ? "Give --request first, and --answer once the answer was brought back."
        : answer is not null && anchors is null ? "An answer that was carried here is believed for its anchors alone: give --anchors sha256:… as shown beside the token."
        : answer is null && tokenFile is null ? "Give --token-file."
        : answer is null && request is null && anchors is null && !trust ? "Give --anchors sha256:… as shown beside the token, or --trust-first-contact."
        : null;

    private static async Task<string> TokenAsync(string file, CancellationToken cancellationToken) =>
        (file == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(file, cancellationToken)).Trim();

    private static void Write(string path, EnrollRequest request)
    {
        using var file = DurableFile.OpenPrivate(path, FileMode.CreateNew);
        file.Write(Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(request)));
        file.Flush(flushToDisk: true);
    }

    /// <exception cref="CryptographicException">It is no answer to an enrolment.</exception>
    private static async Task<EnrollResponse> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var response = new JsonParser(JsonParser.Settings.Default.WithIgnoreUnknownFields(true)).Parse<EnrollResponse>(await File.ReadAllTextAsync(path, cancellationToken));
            return Guid.TryParse(response.ClusterId, out _) && response.Intervals is not null ? response : throw new CryptographicException($"{path} is no answer to an enrolment. If it was refused, the file says why.");
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException or FormatException)
        {
            throw new CryptographicException($"{path} is no answer to an enrolment. Save what was answered, as it came.", exception);
        }
    }
}
