using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MissionControl.Cli.Api;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Cli.Tests;

/// <summary>What <c>mc</c> has confirmed, and what it does not, whatever the server says.</summary>
public sealed class ConfirmationTests
{
    private static readonly Guid Id = Guid.Parse("01890a5d-ac96-774b-bcce-b302099a8057");
    private static readonly StepUpDemand Demand = new("fleet", "change-role", "digest", "words");

    [Fact]
    public async Task A_role_that_demands_a_confirmation_for_another_one_is_given_none_and_is_not_called_again()
    {
        await using var server = await HostileServer.StartAsync(context => DemandAsync(context, Demand with { Audience = "identity" }));
        using var space = server.Workspace();

        var (code, said, error) = await space.McAsync("api", "POST", "/api/v1/fleet/x");

        Assert.Equal((1, "", "The server demands a confirmation for another part of it than was called. Refuse it in the portal. Nothing was done.\n"), (code, said, error));
        Assert.Equal(["POST /api/v1/identity/sessions/trade", "POST /api/v1/fleet/x"], server.Asked);
    }

    [Fact]
    public async Task What_cannot_be_confirmed_for_a_program_is_said_to_be_for_the_portal()
    {
        await using var server = await HostileServer.StartAsync(context => DemandAsync(context, Demand, null));
        using var space = server.Workspace();

        var (code, said, error) = await space.McAsync("api", "POST", "/api/v1/fleet/x");

        Assert.Equal((1, ""), (code, said));
        Assert.StartsWith("This has to be confirmed, and cannot be from here: do it in the portal, ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("identity", "change-role", "digest")]
    [InlineData("fleet", "make-token", "digest")]
    [InlineData("fleet", "change-role", "another")]
    [InlineData(null, null, null)]
    public async Task No_proof_is_fetched_for_anything_but_what_was_demanded(string? audience, string? purpose, string? digest)
    {
        var waits = audience is null ? null : new StepUpDemand(audience, purpose!, digest!, Demand.Text);
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsJsonAsync(new { state = ConfirmationStates.Confirmed, demand = waits, proof = "a-proof" }));

        var failure = await Assert.ThrowsAsync<CommandFailure>(() => WaitAsync(server));

        Assert.Equal((1, "What waits in the portal is not what the call demanded: refuse it there. Nothing was done."), (failure.ExitCode, failure.Message));
        Assert.Equal(["POST /api/v1/identity/sessions/trade", $"GET /api/v1/identity/me/confirmations/{Id}"], server.Asked);
    }

    [Theory]
    [InlineData("/api/v1/fleet/x", "fleet")]
    [InlineData("/api/v1/fleet?x=/identity/", "fleet")]
    [InlineData("/api/v1/call-home/x/identity", "call-home")]
    [InlineData("/api/v1/", null)]
    public void The_role_that_is_called_is_the_first_step_of_the_path(string path, string? role) => Assert.Equal(role, ApiPath.RoleOf(ApiPath.At(new Uri("https://control.example.com"), path)!));

    [Fact]
    public async Task A_question_that_does_not_come_to_the_portal_is_said_not_to()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });

        var failure = await Assert.ThrowsAsync<CommandFailure>(() => WaitAsync(server, TimeSpan.Zero));

        Assert.Equal((1, "The question did not reach the portal: too many wait there already, or messages are late. Nothing was done."), (failure.ExitCode, failure.Message));
    }

    [Fact]
    public async Task A_token_that_ends_before_its_time_while_the_session_lives_is_replaced_once_and_the_call_is_repeated()
    {
        // As when an old browser of the person is ended: every token from before is refused.
        HashSet<string> refused = [];
        List<string> sent = [];
        await using var server = await HostileServer.StartAsync(async context =>
        {
            var call = $"{context.Request.Method} {context.Request.Path} {context.Request.Headers["MC-Step-Up"]}";
            if (call != "POST /api/v1/fleet/x " && refused.Add(call))
            {
                context.Response.StatusCode = 401;
            }
            else if (call == "POST /api/v1/fleet/x ")
            {
                await DemandAsync(context, Demand);
            }
            else
            {
                sent.Add(call);
                await context.Response.WriteAsJsonAsync(new { state = ConfirmationStates.Confirmed, demand = Demand, proof = "a-proof" });
            }
        });
        using var space = server.Workspace();

        var (code, said, error) = await space.McAsync("api", "POST", "/api/v1/fleet/x");

        Assert.True(code == 0, error);
        Assert.Contains("a-proof", said, StringComparison.Ordinal);
        Assert.Equal([$"GET /api/v1/identity/me/confirmations/{Id} ", $"POST /api/v1/identity/me/confirmations/{Id}/proof ", "POST /api/v1/fleet/x a-proof"], sent);
        Assert.Equal(4, server.Asked.Count(asked => asked == "POST /api/v1/identity/sessions/trade"));
    }

    [Fact]
    public async Task A_token_that_was_just_made_and_is_refused_is_a_refusal()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        using var person = PersonAt(server);

        await Assert.ThrowsAsync<ApiException>(() => person.AskAsync(api => api.GetMeAsync(CancellationToken.None), CancellationToken.None));
        Assert.Equal(["POST /api/v1/identity/sessions/trade", "GET /api/v1/identity/me"], server.Asked);

        // Then it is one that was kept: replaced once, and no more often.
        await Assert.ThrowsAsync<ApiException>(() => person.AskAsync(api => api.GetMeAsync(CancellationToken.None), CancellationToken.None));
        Assert.Equal(["GET /api/v1/identity/me", "POST /api/v1/identity/sessions/trade", "GET /api/v1/identity/me"], server.Asked.Skip(2));
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, false)]
    [InlineData(HttpRequestError.NameResolutionError, false)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    [InlineData(HttpRequestError.ProxyTunnelError, false)]
    [InlineData(HttpRequestError.ResponseEnded, true)]
    [InlineData(HttpRequestError.Unknown, true)]
    public void Only_what_was_sent_may_have_been_done(HttpRequestError error, bool may) => Assert.Equal(may, ApiCommand.MayHaveBeenDone(new HttpRequestException(error)));

    /// <summary>Answers that something is to be confirmed in the portal.</summary>
    internal static Task DemandAsync(HttpContext context, StepUpDemand demand) => DemandAsync(context, demand, Id);

    private static Task DemandAsync(HttpContext context, StepUpDemand demand, Guid? confirmation)
    {
        context.Response.StatusCode = 401;
        context.Response.ContentType = "application/problem+json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new ProblemDocument("x", "Confirm it", 401, null, "step-up-required", null, null, demand with { Confirmation = confirmation }), JsonSerializerOptions.Web));
    }

    private static Person PersonAt(HostileServer server) => new(new KeptSignIn(server.Address, null, "a-session-of-somebody", null, null));

    private static async Task<string> WaitAsync(HostileServer server, TimeSpan? silence = null)
    {
        using var person = PersonAt(server);
        return await PortalConfirmation.WaitAsync(person, new Uri($"{server.Address}/api/v1/fleet/x"), Demand, Id, new Patience(absenceMayPass: true, silence), TextWriter.Null, TestContext.Current.CancellationToken);
    }
}
