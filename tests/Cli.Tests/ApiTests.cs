using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MissionControl.Cli.Api;

namespace MissionControl.Cli.Tests;

/// <summary>Calls of the API by <c>mc api</c>.</summary>
[Collection(SignedIn.Name)]
public sealed partial class ApiTests(SignedInHost here)
{
    private static readonly Uri Server = new("https://control.example.com");

    [Fact]
    public async Task What_is_answered_goes_to_standard_output_as_it_came_and_the_rest_to_standard_error()
    {
        using var space = here.Workspace();

        var (code, said, error) = await space.McAsync("api", "GET", "/api/v1/identity/me");
        var withHead = await space.McAsync("api", "GET", "/api/v1/identity/me", "--include");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal("ada@vendor.example", (string)JsonNode.Parse(said)!["email"]!);
        Assert.DoesNotContain('\n', said);
        Assert.Equal(said, withHead.Said);
        Assert.StartsWith("200 OK\n", withHead.Error, StringComparison.Ordinal);
        Assert.Contains("\nContent-Type: application/json", withHead.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_comes_from_the_command_line_from_a_file_or_from_standard_input_and_a_key_makes_two_calls_one_change()
    {
        using var space = here.Workspace();
        space.Write("customer.json", """{"name": "By file", "region": "eu"}""");
        string[] call = ["api", "POST", "/api/v1/licensing/customers", "--idempotency-key", "01890a5d-ac96-774b-bcce-b302099a8057", "--data", """{"name": "By argument", "region": "eu"}"""];

        var (first, again, byFile) = (await space.McAsync(call), await space.McAsync(call), await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", "@customer.json"));
        var byInput = await space.RunAsync("sh", "-c", """printf '\357\273\277{"name": "By input", "region": "eu"}' | mc api POST /api/v1/licensing/customers --data -""");

        Assert.Equal((0, 0, 0, 0), (first.Code, again.Code, byFile.Code, byInput.Code));
        Assert.Equal(first.Said, again.Said);
        Assert.Equal(["By argument", "By file", "By input"], new[] { first, byFile, byInput }.Select(result => (string)JsonNode.Parse(result.Said)!["name"]!));
    }

    [Fact]
    public async Task What_must_be_confirmed_is_confirmed_in_the_portal_and_then_done_once()
    {
        using var space = here.Workspace();

        var (code, said, error) = await here.ApiAsync(space, confirms: true, "POST", "/api/v1/identity/invitations", "--data", """{"email": "grace@vendor.example", "name": "Grace", "roles": ["viewer"]}""");

        Assert.True(code == 0, error);
        Assert.NotEmpty((string)JsonNode.Parse(said)!["code"]!);
        Assert.Contains("To be confirmed: ", error, StringComparison.Ordinal);
        Assert.Single((await (await here.BrowserAsync()).ListInvitationsAsync("", CancellationToken.None)).Items, item => item.Email == "grace@vendor.example");
    }

    [Fact]
    public async Task What_ends_the_tokens_of_a_person_while_mc_waits_does_not_end_what_it_does()
    {
        using var space = here.Workspace();
        using var old = new Workspace();
        Assert.Equal(0, (await here.SignInAsync(old)).Code);
        var session = (Guid)JsonNode.Parse((await old.McAsync("api", "GET", "/api/v1/identity/me")).Said)!["session"]!;

        var (code, _, error) = await space.TalkAsync(space.Start(Path.Combine(Workspace.Programs, "mc"), "api", "POST", "/api/v1/identity/invitations", "--data", """{"email": "alan@vendor.example", "name": "Alan", "roles": ["viewer"]}"""), async (_, line) =>
        {
            if (line.Contains("/confirm/", StringComparison.Ordinal))
            {
                await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // So that mc holds a token.
                await (await here.BrowserAsync()).EndMySessionAsync(session, CancellationToken.None);
            }

            await here.ConfirmAsync(line);
        });

        Assert.True(code == 0, error);
        Assert.Single((await (await here.BrowserAsync()).ListInvitationsAsync("", CancellationToken.None)).Items, item => item.Email == "alan@vendor.example");
    }

    [Fact]
    public async Task What_is_refused_in_the_portal_is_not_done()
    {
        using var space = here.Workspace();

        var (code, said, error) = await here.ApiAsync(space, confirms: false, "POST", "/api/v1/identity/invitations", "--data", """{"email": "mallory@vendor.example", "name": "Mallory", "roles": ["administrator"]}""");

        Assert.Equal((1, ""), (code, said));
        Assert.EndsWith("It was refused in the portal. Nothing was done.\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain((await (await here.BrowserAsync()).ListInvitationsAsync("", CancellationToken.None)).Items, item => item.Email == "mallory@vendor.example");
    }

    [Fact]
    public async Task A_token_that_was_made_is_shown_whole_this_once()
    {
        using var space = here.Workspace();

        var (code, said, error) = await here.ApiAsync(space, confirms: true, "POST", "/api/v1/identity/tokens", "--data", """{"name": "mine", "scopes": ["fleet:read"], "networks": ["127.0.0.0/8"]}""");

        Assert.True(code == 0, error);
        var made = JsonNode.Parse(said)!;
        Assert.StartsWith($"mca_{made["id"]}_", (string)made["token"]!, StringComparison.Ordinal);
        Assert.Equal(66, ((string)made["token"]!).Length);
        Assert.DoesNotContain((string)made["token"]!, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_said_with_every_mistake()
    {
        using var space = here.Workspace();

        var (code, said, error) = await space.McAsync("api", "POST", "/api/v1/licensing/customers", "--data", "{}");
        var absent = await space.McAsync("api", "GET", "/api/v1/nothing/here");

        Assert.Equal((1, "", 1, ""), (code, said, absent.Code, absent.Said));
        Assert.StartsWith("The server refused (422 invalid): The request is not possible.", error, StringComparison.Ordinal);
        Assert.Contains("\n  /name (", error, StringComparison.Ordinal);
        Assert.StartsWith("The server refused (404 not-found)", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_is_made_to_the_version_that_was_read_and_to_no_other()
    {
        using var space = here.Workspace();
        var made = await space.McAsync("api", "POST", "/api/v1/identity/views", "--data", """{"name": "mine", "list": "clusters", "query": ""}""");
        Assert.True(made.Code == 0, made.Error);
        var view = $"/api/v1/identity/views/{JsonNode.Parse(made.Said)!["id"]}";
        var version = EntityTag().Match((await space.McAsync("api", "GET", view, "--include")).Error).Groups[1].Value;

        var changed = await space.McAsync("api", "PATCH", view, "--data", """{"name": "other"}""", "--if-match", version);
        var again = await space.McAsync("api", "PATCH", view, "--data", """{"name": "third"}""", "--if-match", version);
        var removed = await space.McAsync("api", "DELETE", view);

        Assert.Equal((0, 1, ""), (changed.Code, again.Code, again.Said));
        Assert.StartsWith("The server refused (412 precondition-failed)", again.Error, StringComparison.Ordinal);
        Assert.Equal((0, "", ""), removed);
    }

    [Theory]
    [InlineData("POST", "/api/v1/licensing/customers", "--data", "{name: Acme}")]
    [InlineData("POST", "/api/v1/licensing/customers", "--data", "@missing.json")]
    [InlineData("POST", "/api/v1/licensing/customers", "--data", "")]
    [InlineData("GET", "/api/v1/../../device")]
    public async Task Wrong_use_is_said_before_anything_is_sent(params string[] call)
    {
        // Whatever was sent there would be another failure.
        using var space = new Workspace();
        SignedInHost.Keep(space, """{"server": "https://localhost:1", "session": "a-session-of-somebody"}""");

        var (code, said, error) = await space.McAsync(["api", .. call]);

        Assert.Equal((2, ""), (code, said));
        Assert.DoesNotContain("reached", error, StringComparison.Ordinal);
        Assert.NotEmpty(error);
    }

    // Such a command has no action that could send anything.
    [Theory]
    [InlineData("GET", "/api/v1/licensing/customers", "--data", "{}")]
    [InlineData("TRACE", "/api/v1/licensing/customers")]
    [InlineData("POST", "/api/v1/licensing/customers", "--idempotency-key", "short")]
    [InlineData("POST", "/api/v1/licensing/customers", "--idempotency-key", "with a\r\nheader: of mine")]
    [InlineData("GET", "https://evil.example/api/v1/identity/me")]
    [InlineData("GET", "//evil.example/api/v1/identity/me")]
    [InlineData("GET", "/api/v1/../../device")]
    public async Task Wrong_use_is_a_mistake_of_the_command_line_and_no_call(params string[] call)
    {
        var parsed = McCommand.Create().Parse(["api", .. call]);
        using StringWriter said = new(), error = new();

        Assert.IsType<ParseErrorAction>(parsed.Action);
        Assert.NotEqual(0, await parsed.InvokeAsync(new InvocationConfiguration { Output = said, Error = error }, TestContext.Current.CancellationToken));
        Assert.NotEmpty(error.ToString());
    }

    [Theory]
    [InlineData("/api/v1/identity/me")]
    [InlineData("/api/v1/fleet/clusters?filter=name:a..b&next=//x&limit=10")]
    [InlineData("/api/v1/fleet/clusters?search=a b")]
    [InlineData("/api/v1/identity/people/%C3%A9")]
    public void A_path_of_the_API_is_taken(string path) => Assert.StartsWith("https://control.example.com/api/v1/", ApiPath.At(Server, path)?.AbsoluteUri);

    [Theory]
    [InlineData("")]
    [InlineData("api/v1/identity/me")]
    [InlineData("/api/v1")]
    [InlineData("/api/v10/x")]
    [InlineData("/API/v1/identity/me")]
    [InlineData("/device")]
    [InlineData("https://control.example.com/api/v1/identity/me")]
    [InlineData("//evil.example/api/v1/identity/me")]
    [InlineData("\\\\evil.example\\api\\v1\\me")]
    [InlineData("/api/v1//evil.example")]
    [InlineData("/api/v1/../../device")]
    [InlineData("/api/v1/x/..")]
    [InlineData("/api/v1/./x")]
    [InlineData("/api/v1/%2e%2e/%2E%2E/device")]
    [InlineData("/api/v1/.%2e/x")]
    [InlineData("/api/v1/x%2f..%2fy")]
    [InlineData("/api/v1/x%5cy")]
    [InlineData("/api/v1/..\\x")]
    [InlineData("/api/v1/x#y")]
    [InlineData("/api/v1/x\r\nHost: evil.example")]
    [InlineData("/api/v1/x%0d%0ay")]
    [InlineData("@evil.example/api/v1/x")]
    public void A_path_that_leads_elsewhere_is_not(string path) => Assert.Null(ApiPath.At(Server, path));

    [Fact]
    public async Task Help_and_mistakes_say_where_more_is_said()
    {
        using var space = new Workspace();

        var help = await space.McAsync("--help");
        Assert.All(new[] { "sign-in", "sign-out", "whoami", "api", "scan" }, command => Assert.Contains($"\n  {command} ", help.Said, StringComparison.Ordinal));
        Assert.DoesNotContain("gitleaks", help.Said, StringComparison.Ordinal);
        foreach (var command in new[] { "sign-in", "sign-out", "whoami", "api", "scan" })
        {
            using var written = new StringWriter();
            Assert.Equal(0, await McCommand.Create().Parse([command, "--help"]).InvokeAsync(new InvocationConfiguration { Output = written }, TestContext.Current.CancellationToken));
            var said = written.ToString();
            Assert.Contains("Exit codes: 0 ", said, StringComparison.Ordinal);
            Assert.Contains("130 interrupted", said, StringComparison.Ordinal);
            Assert.Contains($"mc {command}", said, StringComparison.Ordinal);
        }

        Assert.EndsWith("See mc --help, and mc api --help.\n", (await space.McAsync("api", "GET")).Error, StringComparison.Ordinal);
        Assert.EndsWith("See mc --help.\n", (await space.McAsync("swim")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_JSON_is_indented_and_to_a_program_that_reads_no_further_it_is_no_failure()
    {
        using var space = here.Workspace();

        var (code, said, _) = await space.RunAsync("script", "--quiet", "--return", "--command", "mc api GET /api/v1/identity/me", "/dev/null");
        var cut = await space.RunAsync("bash", "-c", "set -o pipefail; mc api GET /api/v1/identity/roles | head -c 1");

        Assert.Equal(0, code);
        Assert.Contains("\n  \"email\": \"ada@vendor.example\",", said.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal((0, "["), (cut.Code, cut.Said));
    }

    [GeneratedRegex("^ETag: \"(\\d+)\"$", RegexOptions.Multiline)]
    private static partial Regex EntityTag();
}
