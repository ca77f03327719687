using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Sent;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;

namespace MissionControl.ClusterAgent.Commands;

/// <summary>The command line of <c>mc-agent</c>. Exit codes: 0 good, 1 failed, 2 wrong use, 3 refused by Mission Control.</summary>
internal static class AgentCommand
{
    private const string NotEnrolled = "This agent is not enrolled. Run mc-agent enroll first.";

    private static readonly Option<string> Data = new("--data") { Description = "Directory of key, enrolment and spool.", DefaultValueFactory = _ => "/var/lib/mc-agent", Recursive = true };
    private static readonly Option<string?> Ca = new("--ca") { Description = "PEM of a further CA to trust, of Mission Control or of a TLS-inspecting proxy.", Recursive = true };
    private static readonly Option<string> Output = OutputOption();

    public static RootCommand Create() => new("mc-agent: calls home to Mission Control. Always outbound; it opens no port.")
    {
        Data, Ca, Output, Enroll(), Run(), Status(), CheckConnection(), ShowSent.Create(Data, Output), Unenroll(),
    };

    private static Option<string> OutputOption()
    {
        var option = new Option<string>("--output") { Description = "text or json.", DefaultValueFactory = _ => "text", Recursive = true };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    private static Command Enroll()
    {
        var server = new Option<Uri>("--server") { CustomParser = Address, Description = "Call-home address.", Required = true };
        var tokenFile = new Option<string>("--token-file") { Description = "File with the enrolment token, or - for standard input. Never an argument: arguments are visible to every user.", Required = true };
        var anchors = new Option<string?>("--anchors") { Description = "Digest shown beside the token: sha256:…" };
        var trust = new Option<bool>("--trust-first-contact") { Description = "Enrol without the digest; recorded on both sides and shown as a finding." };
        var name = new Option<string>("--name") { Description = "What people call this cluster.", DefaultValueFactory = _ => "cluster" };
        var command = new Command("enroll", "Enrol this cluster. Example: mc-agent enroll --server https://mc.example.com:9443 --token-file - --anchors sha256:…") { server, tokenFile, anchors, trust, name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(anchors) is null && !parsed.GetValue(trust))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("Give --anchors sha256:… as shown beside the token, or --trust-first-contact.");
                return 2;
            }

            var file = parsed.GetValue(tokenFile)!;
            var token = (file == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(file, cancellationToken)).Trim();
            var address = parsed.GetValue(server)!;
            using var setup = new Setup(parsed.GetValue(Data)!, parsed.GetValue(Ca), address, parsed.GetValue(name)!);
            return await GuardedAsync(parsed, async () =>
            {
                await setup.Agent.EnrollAsync(address, token, parsed.GetValue(anchors), parsed.GetValue(trust), cancellationToken);
                await TellAsync(parsed, $"Enrolled as cluster {setup.Identity.Enrollment!.ClusterId}. Start it with mc-agent run.", new { clusterId = setup.Identity.Enrollment.ClusterId, epoch = setup.Identity.Enrollment.Epoch });
            });
        });
        return command;
    }

    private static Command Run()
    {
        var command = new Command("run", "Call home until stopped. Example: mc-agent run --data /var/lib/mc-agent");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var setup = await SetupAsync(parsed);
            if (setup is null)
            {
                return 2;
            }

            try
            {
                await setup.Agent.RunAsync(
                    result => Console.WriteLine(JsonSerializer.Serialize(new { at = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()), taken = result.Succeeded, problem = result.Problem, nextInSeconds = Math.Round(result.Next.TotalSeconds), waiting = setup.Agent.Waiting })),
                    cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Stopped by a signal; what was not acknowledged waits in the spool.
            }

            return 0;
        });
        return command;
    }

    private static Command Status()
    {
        var command = new Command("status", "Say what this agent is and what waits to be sent.");
        command.SetAction(async parsed =>
        {
            // Everything is only read, so that it can be asked beside a running agent.
            var data = parsed.GetValue(Data)!;
            using var identity = new FileIdentity(data);
            if (identity.Enrollment is not { } enrollment)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(NotEnrolled);
                return 2;
            }

            var waiting = DiskSpool.CountIn(Path.Combine(data, "spool"));
            var usage = new DiskUsageStore(Path.Combine(data, "usage")).Summary();
            var text = new StringBuilder()
                .AppendLine(CultureInfo.InvariantCulture, $"Cluster {enrollment.ClusterId}, epoch {enrollment.Epoch}, calling {enrollment.Server} every {enrollment.CheckInSeconds} s.")
                .AppendLine(CultureInfo.InvariantCulture, $"Waiting to be acknowledged: {waiting}.")
                .Append(CultureInfo.InvariantCulture, $"Usage windows: {usage.Waiting} without a receipt, {usage.Settled} with one, {usage.Refused.Count} refused.");
            foreach (var refused in usage.Refused)
            {
                text.AppendLine().Append(CultureInfo.InvariantCulture, $"  refused {refused.Name}: {refused.Problem}");
            }

            if (enrollment.TrustedFirstContact)
            {
                text.AppendLine().Append("Finding: enrolled without checking the anchors' digest.");
            }

            await TellAsync(parsed, text.ToString(), new { enrollment.ClusterId, enrollment.Epoch, enrollment.Server, enrollment.TrustedFirstContact, waiting, usage });
            return 0;
        });
        return command;
    }

    private static Command CheckConnection()
    {
        var server = new Option<Uri>("--server") { CustomParser = Address, Description = "Call-home address; default: the enrolled one." };
        var command = new Command("check-connection", "Try each hop (DNS, connection, TLS, credentials, clock) and say which one fails.") { server };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var identity = new FileIdentity(parsed.GetValue(Data)!);
            if ((parsed.GetValue(server) ?? identity.Enrollment?.Server) is not { } address)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("Not enrolled: give --server.");
                return 2;
            }

            var (hop, problem) = await ConnectionCheck.RunAsync(address, parsed.GetValue(Ca), identity, cancellationToken);
            await TellAsync(parsed, problem is null ? "Every hop is good: DNS, connection, TLS, credentials, clock." : $"{hop} fails: {problem}", new { failing = problem is null ? null : hop, problem });
            return problem is null ? 0 : 1;
        });
        return command;
    }

    private static Command Unenroll()
    {
        var reason = new Option<string>("--reason") { Description = "Why, for the audit log.", DefaultValueFactory = _ => "taken out of service" };
        var command = new Command("unenroll", "Take leave of Mission Control for good; reported usage stays there.") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var setup = await SetupAsync(parsed);
            if (setup is null)
            {
                return 2;
            }

            return await GuardedAsync(parsed, async () =>
            {
                await setup.Client.UnenrollAsync(parsed.GetValue(reason)!, cancellationToken);
                setup.Identity.Enrollment = null;
                await TellAsync(parsed, "Unenrolled. To come back, enrol with a new token.", new { unenrolled = true });
            });
        });
        return command;
    }

    private static async Task<Setup?> SetupAsync(ParseResult parsed)
    {
        var data = parsed.GetValue(Data)!;
        using (var identity = new FileIdentity(data))
        {
            if (identity.Enrollment is { } enrollment)
            {
                try
                {
                    return new Setup(data, parsed.GetValue(Ca), enrollment.Server, "");
                }
                catch (InUseException inUse)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(inUse.Message);
                    return null;
                }
            }
        }

        await parsed.InvocationConfiguration.Error.WriteLineAsync(NotEnrolled);
        return null;
    }

    private static async Task<int> GuardedAsync(ParseResult parsed, Func<Task> act)
    {
        try
        {
            await act();
            return 0;
        }
        catch (CallHomeException refusal)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"Mission Control refused: {refusal.Message}");
            return 3;
        }
        catch (Exception exception) when (exception is HttpRequestException or CryptographicException or TaskCanceledException)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"{exception.Message} Run mc-agent check-connection to see which hop fails.");
            return 1;
        }
    }

    private static Task TellAsync(ParseResult parsed, string text, object json) =>
        parsed.InvocationConfiguration.Output.WriteLineAsync(parsed.GetValue(Output) == "json" ? JsonSerializer.Serialize(json, JsonSerializerOptions.Web) : text);

    private static Uri Address(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", UriKind.Absolute, out var address))
        {
            return address;
        }

        result.AddError("An address is written https://host:port.");
        return new Uri("https://localhost");
    }

    private sealed class Setup : IDisposable
    {
        private readonly DiskSpool spool;
        private readonly HttpClient http;
        private readonly FileStream alone;
        private readonly SentLog sent;

        public Setup(string data, string? ca, Uri server, string name)
        {
            Identity = new FileIdentity(data);
            alone = Alone(data);
            spool = new DiskSpool(Path.Combine(data, "spool"));
            http = Transport.Create(server, ca, null);
            sent = new SentLog(Path.Combine(data, "sent"), TimeProvider.System);
            Client = new CallHomeClient(http, Identity, TimeProvider.System, sent);
            Agent = new Agent(Identity, spool, new LinuxMachine(TimeProvider.System, name), Client, TimeProvider.System, new Random());
        }

        public FileIdentity Identity { get; }

        public CallHomeClient Client { get; }

        public Agent Agent { get; }

        public void Dispose()
        {
            http.Dispose();
            sent.Dispose();
            spool.Dispose();
            Identity.Dispose();
            alone.Dispose();
        }

        // Two agents over one directory would use numbers twice.
        private static FileStream Alone(string data)
        {
            try
            {
                return new FileStream(Path.Combine(data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                throw new InUseException(data);
            }
        }
    }

    /// <summary>Another agent works in the directory.</summary>
    private sealed class InUseException(string data) : Exception($"Another mc-agent works in {data}. Stop it first, or give another --data.");
}

/// <summary>Walks the way to Mission Control hop by hop.</summary>
internal static class ConnectionCheck
{
    public static async Task<(string Hop, string? Problem)> RunAsync(Uri server, string? ca, FileIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            await Dns.GetHostAddressesAsync(server.Host, cancellationToken);
        }
        catch (SocketException exception)
        {
            return ("DNS", $"{server.Host} cannot be resolved: {exception.Message}");
        }

        using var http = Transport.Create(server, ca, null);
        var client = new CallHomeClient(http, identity, TimeProvider.System);
        try
        {
            await client.PingAsync(cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            return exception.InnerException is AuthenticationException
                ? ("TLS", $"{exception.InnerException.Message} Give the CA of the server, or of the proxy that inspects TLS, by --ca.")
                : ("Connection", exception.Message);
        }
        catch (CallHomeException refusal)
        {
            return ("Connection", refusal.Message);
        }

        if (client.ClockOffset.Duration() > TimeSpan.FromMinutes(1))
        {
            return ("Clock", $"This machine's clock is {client.ClockOffset.Duration().TotalSeconds:0} s off. Call-home goes on; set up time synchronisation.");
        }

        if (identity.Enrollment is not null)
        {
            try
            {
                await client.AuthorizeAsync(cancellationToken);
            }
            catch (CallHomeException refusal)
            {
                return ("Credentials", refusal.Message);
            }
        }

        return ("", null);
    }
}
