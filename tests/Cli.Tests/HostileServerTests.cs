using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using MissionControl.Cli.Api;
using MissionControl.Contracts.Api;

namespace MissionControl.Cli.Tests;

/// <summary>What a server says, or somebody through it, does nothing to whoever reads it.</summary>
public sealed class HostileServerTests
{
    private const string Nasty = "\\u001b]0;title\\u0007\\u001b[2J\\r\\nfake\\u009b31m\\u202egnp.exe";

    [Fact]
    public async Task What_a_server_says_cannot_steer_a_terminal()
    {
        await using var server = await HostileServer.StartAsync(async context =>
        {
            context.Response.StatusCode = 422;
            context.Response.Headers["X-Nasty"] = "a\u009b[2J";
            context.Response.ContentType = "application/problem+json";
            await context.Response.WriteAsync($$"""{"type":"x","title":"{{Nasty}}","status":422,"detail":"{{Nasty}}","code":"{{Nasty}}","traceId":"{{Nasty}}","errors":[{"pointer":"{{Nasty}}","code":"{{Nasty}}","detail":"{{Nasty}}"},null]}""");
        });
        using var space = server.Workspace();

        foreach (var call in new[] { ["whoami"], new[] { "api", "GET", "/api/v1/x", "--include" } })
        {
            var (code, said, error) = await space.McAsync(call);
            Assert.Equal((1, ""), (code, said));
            Assert.Contains("fake", error, StringComparison.Ordinal);
            Assert.DoesNotContain(error, c => c != '\n' && char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format);
            Assert.DoesNotContain(error.Split('\n'), line => line.StartsWith("fake", StringComparison.Ordinal));
        }

        var json = await space.McAsync("whoami", "--output", "json");
        Assert.Equal(1, json.Code);
        Assert.DoesNotContain(json.Error, c => c != '\n' && char.IsControl(c));
    }

    [Fact]
    public void What_is_shown_on_a_terminal_cannot_steer_it_and_stays_JSON()
    {
        var json = new ApiAnswer(System.Net.HttpStatusCode.OK, [], Encoding.UTF8.GetBytes($$"""{"é":"{{Nasty}}","raw":"a{{'\u202e'}}b{{'\u009b'}}c"}""")).ForTerminal();
        var text = new ApiAnswer(System.Net.HttpStatusCode.OK, [], Encoding.UTF8.GetBytes("a\u001b[2Jb\r\nc\u202ed\te")).ForTerminal();

        Assert.DoesNotContain(json, c => c != '\n' && char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format);
        Assert.Equal("a\u202eb\u009bc", (string)System.Text.Json.Nodes.JsonNode.Parse(json)!["raw"]!);
        Assert.Contains("\"é\"", json, StringComparison.Ordinal);
        Assert.Equal("a?[2Jb\nc?d\te", text);
    }

    [Fact]
    public async Task A_check_of_the_logs_that_did_not_end_or_passed_over_one_is_no_good_news()
    {
        const string Begun = "2026-03-01T10:00:00Z";
        static string Log(string created, string? at, string? problem = null) =>
            $$"""{"id":"019a0000-0000-7000-8000-000000000001","origin":"o","kind":"fleet","createdAt":"{{created}}","size":1,"signedSize":1,"keys":[],"checkedAt":{{(at is null ? "null" : $"\"{at}\"")}},"problem":{{(problem is null ? "null" : $"\"{problem}\"")}},"minimumIndex":0}""";

        await Task.WhenAll(new (string? State, string Logs, int Code, string Said)[]
        {
            ("failed", "", 3, "Incomplete: The process that ran the check ended first."), (null, "", 3, ""),
            ("succeeded", Log("2026-02-01T00:00:00Z", null), 3, "Incomplete: all\n  o: it was not looked at\n"), ("succeeded", Log("2026-02-01T00:00:00Z", "2026-03-01T09:59:59Z"), 3, "Incomplete: all\n  o: it was not looked at\n"),
            ("succeeded", Log("2026-02-01T00:00:00Z", null) + "," + Log("2026-02-01T00:00:00Z", Begun, "Entry 7 is missing."), 2, "Inconsistent: all\n  o: it was not looked at\n  o: Entry 7 is missing.\n"),
            ("succeeded", Log("2026-03-01T10:00:01Z", null) + "," + Log("2026-02-01T00:00:00Z", Begun), 0, "Good: all\n"),
        }.Select(async one =>
        {
            var run = $$"""{"job":"audit.verify-logs","scheduledAt":"{{Begun}}","startedAt":"{{Begun}}","endedAt":null,"state":"{{one.State}}","replica":"r","outcome":{{(one.State == "succeeded" ? "\"all\"" : "null")}}}""";
            await using var server = await HostileServer.StartAsync(async context =>
            {
                // One that runs already is not begun again.
                context.Response.StatusCode = one.State is null ? 409 : 200;
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(context.Request.Method == "POST" ? run : $$"""{"items":[{{(context.Request.Path.Value!.EndsWith("/logs", StringComparison.Ordinal) ? one.Logs : run)}}],"next":null}""");
            });
            using var space = server.Workspace();
            var (code, said, error) = await space.McAsync("audit", "fsck", "--reason", "The test looks");
            Assert.True(code == one.Code && said.StartsWith(one.Said, StringComparison.Ordinal), $"{code} {said}{error}");
        }));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });
        using var space = server.Workspace();

        var (code, said, error) = await space.McAsync("api", "GET", "/api/v1/x");

        Assert.Equal((1, "", "The server refused: 302, which leads elsewhere; that is not followed.\n"), (code, said, error));
        Assert.Equal(["POST /api/v1/identity/sessions/trade", "GET /api/v1/x"], server.Asked);
    }

    [Theory]
    [InlineData(200, "application/json", 65 * 1024 * 1024, 2, "longer than is read")]
    [InlineData(422, "application/problem+json", 65 * 1024, 1, "The server refused: 422.")]
    public async Task An_answer_without_end_is_not_read(int status, string type, int length, int code, string sentence)
    {
        await using var server = await HostileServer.StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            var some = new byte[Math.Min(length, 1024 * 1024)];
            for (var sent = 0; sent < length && !context.RequestAborted.IsCancellationRequested; sent += some.Length)
            {
                await context.Response.Body.WriteAsync(some, context.RequestAborted);
            }
        });
        using var space = server.Workspace();

        var result = await space.McAsync("api", "GET", "/api/v1/x");

        Assert.Equal((code, ""), (result.Code, result.Said));
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", "null")]
    [InlineData("application/json", "{}")]
    [InlineData("application/json", "[[")]
    [InlineData("application/json; charset=none-that-is", "{}")]
    [InlineData("text/html", "<html>")]
    public async Task What_is_no_answer_of_Mission_Control_is_said_to_be_none(string type, string body)
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Response.ContentType = type;
            return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body)).AsTask();
        });
        using var space = new Workspace();

        var (code, said, error) = await space.McAsync("sign-in", "--server", server.Address);

        Assert.Equal((2, "", "The server's answer cannot be read. Is this the address of Mission Control?\n"), (code, said, error));
    }

    [Fact]
    public async Task What_is_to_be_confirmed_is_confirmed_at_the_server_alone_and_the_same_call_is_sent_again()
    {
        List<string> proofs = [], bodies = [];
        var demand = new StepUpDemand("fleet", "x", "x", "this\u001b[2J");
        await using var server = await HostileServer.StartAsync(async context =>
        {
            var path = context.Request.Path.Value!;
            if (path == "/api/v1/fleet/x")
            {
                proofs.Add($"{context.Request.Headers["MC-Step-Up-Ask"]} {context.Request.Headers["MC-Step-Up"]}");
                bodies.Add($"{await new StreamReader(context.Request.Body).ReadToEndAsync()} {context.Request.Headers["Idempotency-Key"]}");
                await ConfirmationTests.DemandAsync(context, demand);
            }
            else
            {
                await context.Response.WriteAsJsonAsync(new { state = "confirmed", demand, proof = path.EndsWith("/proof", StringComparison.Ordinal) ? "a-proof" : null });
            }
        });
        using var space = server.Workspace();

        var (code, said, error) = await space.McAsync("api", "POST", "/api/v1/fleet/x", "--data", """{ "a" : 1 }""");

        // Demanded once more it is a refusal, and no loop.
        Assert.Equal((1, ""), (code, said));
        Assert.StartsWith($"To be confirmed: this?[2J\nConfirm it, or refuse: {server.Address}/confirm/01890a5d-ac96-774b-bcce-b302099a8057\n", error, StringComparison.Ordinal);
        Assert.Equal(["portal ", "portal a-proof"], proofs);
        Assert.Equal(2, bodies.Count);
        Assert.Equal(bodies[0], bodies[1]);
        Assert.StartsWith("""{ "a" : 1 } 0""", bodies[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_answer_to_a_change_cannot_be_written_it_is_said_how_to_be_given_it_again()
    {
        await using var server = await HostileServer.StartAsync(context => context.Response.WriteAsync("{}"));
        using var space = server.Workspace();

        var (code, _, error) = await space.RunAsync("sh", "-c", "mc api POST /api/v1/x --idempotency-key 4711-0815-4711-0815 >/dev/full");

        Assert.Equal(2, code);
        Assert.StartsWith("It was done, and its answer could not be written.", error, StringComparison.Ordinal);
        Assert.Contains("--idempotency-key 4711-0815-4711-0815", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_answer_to_a_change_is_lost_it_is_said_how_to_repeat_it()
    {
        await using var server = await HostileServer.StartAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        using var space = server.Workspace();

        var (code, _, error) = await space.McAsync("api", "POST", "/api/v1/x", "--idempotency-key", "4711-0815-4711-0815");
        var read = await space.McAsync("api", "GET", "/api/v1/x");

        Assert.Equal((2, 2), (code, read.Code));
        Assert.StartsWith("Whether it was done is not known: look before you repeat it.", error, StringComparison.Ordinal);
        Assert.Contains("--idempotency-key 4711-0815-4711-0815", error, StringComparison.Ordinal);
        Assert.StartsWith("The server cannot be reached: ", read.Error, StringComparison.Ordinal);
    }
}
