using System.CommandLine;
using System.Text.Json;
using MissionControl.Cli.Server;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Cli.SignIn;

/// <summary><c>mc whoami</c>.</summary>
internal static class WhoAmICommand
{
    private const string Help = """
        Say who is signed in, where, and until when.

        Exit codes: 0 said; 1 the server refused, on standard error and with --output json as JSON; 2 nobody is signed in, or the session has ended, or the server cannot be reached; 130 interrupted.

        Examples:
          mc whoami
          mc whoami --output json
        """;

    // Its encoder escapes every character that could steer a terminal.
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static Command Create()
    {
        var output = new Option<string>("--output") { Description = "How to say it.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var command = new Command("whoami", Help) { output };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (said, error, asJson) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(output) == "json");
            return Guarded.RunAsync(parsed, () => SayAsync(asJson, said, cancellationToken), cancellationToken,
                asJson ? refusal => error.WriteLine(refusal.Problem is { } problem ? JsonSerializer.Serialize(problem, Form) : JsonSerializer.Serialize(new { status = (int)refusal.Status }, Form)) : null);
        });
        return command;
    }

    private static async Task SayAsync(bool asJson, TextWriter said, CancellationToken cancellationToken)
    {
        using var person = Person.SignedIn();
        var me = await person.AskAsync(api => api.GetMeAsync(cancellationToken), cancellationToken);
        var (server, roles) = (ServerAddress.Said(person.Server), (me.Roles ?? []).OfType<HeldRoleItem>().Where(role => role.Until is null).Select(role => role.Name).ToList());
        if (asJson)
        {
            said.WriteLine(JsonSerializer.Serialize(new { version = 1, server, me.Id, me.Name, me.Email, me.Kind, me.CustomerId, roles, person.ExpiresAt }, Form));
            return;
        }

        said.WriteLine($"{Printable.Line(me.Name)} <{Printable.Line(me.Email)}>{(me.CustomerId is { } customer ? $", of customer {customer}" : "")}: {Printable.Line(string.Join(", ", roles))}");
        said.WriteLine($"{server}{(person.ExpiresAt is { } end ? $", until {SignInCommand.Instant(end)} at the latest" : "")}");
    }
}
