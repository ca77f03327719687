using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.ClusterAgent.CallHome;

namespace MissionControl.ClusterAgent.Commands;

/// <summary>The command line of <c>mc-agent</c>.</summary>
internal static class AgentCommand
{
    /// <summary>Something on the way failed; it may go better later.</summary>
    public const int Failed = 1;

    /// <summary>Wrong use or wrong configuration.</summary>
    public const int WrongUse = 2;

    /// <summary>Mission Control refused.</summary>
    public const int Refused = 3;

    /// <summary>A receipt does not prove what it has to.</summary>
    public const int NotProven = 4;

    /// <summary>The customer's log and the cluster's own do not say the same.</summary>
    public const int Unmatched = 5;

    /// <summary>The licence permits no new work, or there is none.</summary>
    public const int NotLicensed = 6;

    private const string Help = """
        mc-agent: calls home to Mission Control. Always outbound; it opens no port, but for one on 127.0.0.1 where the configuration wants the licence told there.

        Exit codes: 0 good; 1 failed, may go better later; 2 wrong use or configuration, or not enrolled; 3 refused by Mission Control; 4 a receipt by which nothing is done; 5 the customer's audit log and the cluster's own do not say the same; 6 the licence permits no new work, or there is none.

        Examples:
          mc-agent enroll --server https://mc.example.com:9443 --token-file token.txt --anchors sha256:…
          mc-agent check-connection
          mc-agent run --config /etc/mc-agent/agent.json
          mc-agent status --output json
          mc-agent show-sent --last 5 --bodies
          mc-agent export /media/usb/oslo.bundle
          mc-agent import /media/usb/oslo.answer
          mc-agent license --output json
          mc-agent witness --output json
          mc-agent log --verify customer.jsonl
          mc-agent receipt opened.tlog-proof --type remoteaccess.session-opened --target session/0198
        """;

    public static RootCommand Create() => new(Help)
    {
        Shared.Data, Shared.Config, Shared.Ca, Shared.Proxy, Shared.Output,
        EnrollCommand.Create(), RunCommand.Create(), StatusCommand.Create(), CheckConnectionCommand.Create(), ShowSent.Create(), ExportCommand.Create(), ImportCommand.Create(), RotateKeyCommand.Create(), LicenseCommand.Create(), WitnessCommand.Create(), LogCommand.Create(), ReceiptCommand.Create(), UnenrollCommand.Create(),
    };
}

/// <summary>Options of every command, and what they come to.</summary>
internal static class Shared
{
    public static Option<string> Data { get; } = new("--data") { Description = "Directory of key, enrolment, spool and logs.", DefaultValueFactory = _ => "/var/lib/mc-agent", Recursive = true };

    public static Option<string?> Config { get; } = new("--config") { Description = $"Configuration file. Default: {AgentSettings.DefaultFile}, if it is there.", Recursive = true };

    public static Option<string?> Ca { get; } = new("--ca") { Description = "PEM of a further CA to trust, of Mission Control or of a TLS-inspecting proxy. Goes before caFile of the configuration.", Recursive = true };

    public static Option<Uri?> Proxy { get; } = new("--proxy")
    {
        Description = $"HTTP proxy, http://host:port, without credentials: those stand in a file that the configuration names, or in {AgentSettings.ProxyCredentialsVariable} as user:password. Default: as HTTPS_PROXY says.",
        CustomParser = result => Address(result, AddressError, _ => true),
        Recursive = true,
    };

    public static Option<string> Output { get; } = CreateOutput();

    // Over http the enrolment token would go in clear; to this machine it may, where a proxy of its own brings the TLS.
    private const string ServerError = "The address of Mission Control is written https://host:port, or http:// to this machine itself, and never holds credentials: arguments are visible to every user.";

    private static string AddressError => "An address is written https://host:port, and never holds credentials: arguments are visible to every user.";

    public static Option<Uri> Server(string description, bool required) => new("--server") { CustomParser = result => Address(result, ServerError, address => address.Scheme == Uri.UriSchemeHttps || address.IsLoopback), Description = description, Required = required };

    public static string DataOf(ParseResult parsed) => parsed.GetValue(Data)!;

    /// <summary>The enrolment of a directory, which is looked at without making anything there.</summary>
    /// <exception cref="NotEnrolledException">There is none.</exception>
    public static Enrollment EnrollmentOf(string data) => FileIdentity.ReadEnrollment(data) ?? throw new NotEnrolledException();

    /// <summary>The configuration with what the command line says instead.</summary>
    /// <exception cref="SettingsException">Something in it is wrong.</exception>
    public static AgentSettings SettingsOf(ParseResult parsed)
    {
        var settings = AgentSettings.Load(parsed.GetValue(Config));
        return settings with
        {
            CaFile = parsed.GetValue(Ca) ?? settings.CaFile,
            Proxy = parsed.GetValue(Proxy) is { } proxy ? new ProxySettings { Address = proxy, CredentialsFile = settings.Proxy?.CredentialsFile } : settings.Proxy,
        };
    }

    public static Task TellAsync(ParseResult parsed, string text, object json) =>
        parsed.InvocationConfiguration.Output.WriteLineAsync(parsed.GetValue(Output) == "json" ? JsonSerializer.Serialize(json, JsonSerializerOptions.Web) : text);

    /// <summary>Runs a command and turns what goes wrong into a sentence and an exit code.</summary>
    public static async Task<int> GuardedAsync(ParseResult parsed, Func<Task<int>> act)
    {
        var error = parsed.InvocationConfiguration.Error;
        try
        {
            return await act();
        }
        catch (CallHomeException refusal)
        {
            await error.WriteLineAsync($"Mission Control refused: {refusal.Message}");
            return AgentCommand.Refused;
        }
        catch (Exception exception) when (exception is SettingsException or InUseException or NotEnrolledException)
        {
            await error.WriteLineAsync(exception.Message);
            return AgentCommand.WrongUse;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await error.WriteLineAsync($"{exception.Message} Run mc-agent check-connection to see which hop fails.");
            return AgentCommand.Failed;
        }
        catch (Exception exception) when (exception is CryptographicException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(exception.Message);
            return AgentCommand.Failed;
        }
    }

    private static Uri Address(ArgumentResult result, string error, Func<Uri, bool> fits)
    {
        if (Uri.TryCreate(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", UriKind.Absolute, out var address) && address.Scheme is ("http" or "https") && address.UserInfo.Length == 0 && fits(address))
        {
            return address;
        }

        result.AddError(error);
        return new Uri("https://localhost");
    }

    private static Option<string> CreateOutput()
    {
        var option = new Option<string>("--output") { Description = "text or json.", DefaultValueFactory = _ => "text", Recursive = true };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }
}
