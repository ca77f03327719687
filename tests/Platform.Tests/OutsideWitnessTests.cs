using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Witnesses that are no clusters, over real TLS: one that follows C2SP tlog-witness, and those who do not.</summary>
public sealed class OutsideWitnessTests : IAsyncLifetime
{
    private static readonly string[] Behaviours = ["good", "other-key", "huge", "slow", "redirect", "ahead", "fork"];
    private readonly TestAuthority authority = new();
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, bool> requests = new();
    private readonly Dictionary<string, NoteSigner> signers = Behaviours.ToDictionary(name => name, name => NoteSigner.FromSeed($"example.com/{name}", NoteKeyType.Cosignature, Ed25519Key.NewSeed()));
    private readonly NoteSigner other = NoteSigner.FromSeed("example.com/other-key", NoteKeyType.Cosignature, Ed25519Key.NewSeed());
    private WebApplication server = null!;
    private int port;
    private ControlPlane host = null!;
    private ReadOnlyMemory<byte>? logKey;
    private Checkpoint? seen;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, bool> Configured => new()
    {
        { Vkey("example.com/w", NoteKeyType.Cosignature), "https://w.example.com", true },
        { Vkey("example.com/w", NoteKeyType.Cosignature), "https://w.example.com/a/b/", true },
        { Vkey("example.com/w", NoteKeyType.Ed25519), "https://w.example.com", false },
        { Vkey("mc-witness-0123456789abcdef", NoteKeyType.Cosignature), "https://w.example.com", false },
        { Vkey("witnesses", NoteKeyType.Cosignature), "https://w.example.com", false },
        { Vkey(new string('w', 101), NoteKeyType.Cosignature), "https://w.example.com", false },
        { Vkey("example.com/w", NoteKeyType.Cosignature) + "x", "https://w.example.com", false },
        { Vkey("example.com/w", NoteKeyType.Cosignature), "http://w.example.com", false },
        { Vkey("example.com/w", NoteKeyType.Cosignature), "https://me:secret@w.example.com", false },
        { Vkey("example.com/w", NoteKeyType.Cosignature), "https://w.example.com?to=1", false },
        { "", "", false },
    };

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener => listener.UseHttps(authority.Certificate)));
        server = builder.Build();
        server.MapPost("/{who}/add-checkpoint", AnswerAsync);
        await server.StartAsync();
        port = new Uri(server.Urls.Single()).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }

        await server.DisposeAsync();
        authority.Dispose();
        other.Dispose();
        signers.Values.ToList().ForEach(signer => signer.Dispose());
    }

    [Theory]
    [MemberData(nameof(Configured))]
    public void A_witness_has_a_key_that_cosigns_a_name_of_its_own_and_an_address_without_secrets(string vkey, string url, bool isValid)
    {
        var witness = new OutsideWitness { Vkey = vkey, Url = url };
        Assert.Equal(isValid, OutsideWitness.AreValid([witness]));
        Assert.False(OutsideWitness.AreValid([witness, witness]));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 60)]
    [InlineData(2, 120)]
    [InlineData(6, 1_920)]
    [InlineData(7, 3_600)]
    [InlineData(1_000, 3_600)]
    public void Who_does_not_answer_is_asked_less_and_less_often(int failures, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), AskOutside.PauseAfter(failures, TimeSpan.FromMinutes(1)));

    [Fact]
    public async Task Who_follows_the_rules_counts_and_who_does_not_neither_counts_nor_holds_anybody_up()
    {
        var settings = new Dictionary<string, string?> { ["Audit:Epoch"] = "00:00:01", ["Audit:WitnessQuorum"] = "3", ["Audit:AllowedNetworks:0"] = "127.0.0.0/8", ["Audit:CaFile"] = authority.CaFile, ["Api:RequestsPerMinute"] = "1000000" };
        foreach (var (i, name) in Behaviours.Index())
        {
            settings[$"Audit:Witnesses:{i}:Vkey"] = signers[name].Key.ToString();
            settings[$"Audit:Witnesses:{i}:Url"] = $"https://localhost:{port}/{name}";
        }

        host = await ControlPlane.StartAsync(configuration: settings);
        using var nobody = host.Client(host.Portal);

        // It is told by whom the anchor is signed, and until then knows no such log.
        await Eventually.TrueAsync(async () => (await PolicyAsync(nobody)).Contains("log ", StringComparison.Ordinal), "the anchor has a key");
        Assert.True(NoteKey.TryParse((await PolicyAsync(nobody)).Split('\n').First(line => line.StartsWith("log ", StringComparison.Ordinal))["log ".Length..], out var key));
        logKey = key.PublicKey;
        key.Dispose();

        using var policy = LogPolicy.Parse(await PolicyAsync(nobody));
        Assert.Equal(signers.Values.Select(signer => signer.Key.Name).Order(), policy.Witnesses.Keys.Order());

        // Those who never cosigned are not waited for.
        var first = await WitnessedAsync(nobody, policy, 1);
        Assert.Equal(["example.com/good"], first.Witnesses.Keys);

        // Who says that it was shown something else is told to everybody, once.
        List<AuditEntryItem> refused = [];
        await Eventually.TrueAsync(async () => (refused = [.. (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.log-refused"))!.Items]).Count >= 2, "two have refused");
        Assert.All(refused, entry => Assert.Equal("fleet", entry.Log));
        Assert.Equal(["ahead", "fork"], refused.Select(entry => entry.Entry.GetProperty("changes")[0].GetProperty("value").GetString()).Order());

        // It goes on, and when it has lost what it had seen it is shown the way from there.
        lock (gate)
        {
            seen = null;
        }

        Assert.Equal(["example.com/good"], (await WitnessedAsync(nobody, policy, first.Checkpoint.Size + 2)).Witnesses.Keys);
        lock (gate)
        {
            Assert.NotNull(seen);
        }

        // Nor does it alarm anybody that they do not cosign what enough others have seen.
        using var metrics = new HttpClient { BaseAddress = host.Operations };
        await Eventually.TrueAsync(async () => (await metrics.GetStringAsync("/metrics", Token)).Split('\n').Any(line => line.StartsWith("missioncontrol_audit_epochs_unwitnessed", StringComparison.Ordinal) && double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture) is 0 or 1), "the anchor is witnessed");

        // All were asked, and nothing that others said is kept.
        Assert.Equal(Behaviours.Order(), requests.Keys.Order());
        await using var scope = host.Services.CreateAsyncScope();
        Assert.Equal([new OutsideWitness { Vkey = signers["good"].Key.ToString() }.Id], await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<Cosignature>().Select(row => row.ClusterId).Distinct().ToListAsync(Token));
    }

    private static string Vkey(string name, NoteKeyType type)
    {
        using var key = NoteSigner.FromSeed(name, type, new byte[32]);
        return key.Key.ToString();
    }

    private static Task<string> PolicyAsync(HttpClient client) => client.GetStringAsync(new Uri("/api/v1/audit/logs/anchor/policy", UriKind.Relative), Token);

    private static async Task<WitnessedCheckpoint> WitnessedAsync(HttpClient client, LogPolicy policy, long size)
    {
        WitnessedCheckpoint? found = null;
        await Eventually.TrueAsync(async () =>
        {
            using var response = await client.GetAsync(new Uri("/api/v1/audit/logs/anchor/checkpoint?witnessed=true", UriKind.Relative), Token);
            found = response.IsSuccessStatusCode ? policy.Judge(SignedNote.Parse(await response.Content.ReadAsByteArrayAsync(Token))) : null;
            return found is { HasQuorum: true } && found.Checkpoint.Size >= size;
        }, $"a witness has seen {size} epochs");
        return found!;
    }

    private async Task AnswerAsync(string who, HttpContext context)
    {
        requests[who] = true;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var request = AddCheckpoint.Parse(body.ToArray());
        var (response, text) = (context.Response, request.Note.Text);
        var shown = Checkpoint.Parse(text);
        switch (who)
        {
            case "good":
                await JudgeAsync(response, request);
                break;
            case "other-key":
                await response.WriteAsync($"{other.Sign(Encoding.UTF8.GetBytes(text), 1)}\n");
                break;
            case "huge":
                var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{signers[who].Sign(Encoding.UTF8.GetBytes(text), 1)}\n", 1_000)));
                await response.Body.WriteAsync(lines);
                break;
            case "slow":
                var never = new TaskCompletionSource();
                await using (context.RequestAborted.Register(() => never.TrySetResult()))
                {
                    await never.Task;
                }

                break;
            case "redirect":
                (response.StatusCode, response.Headers.Location) = (307, $"https://localhost:{port}/good/add-checkpoint");
                break;
            default:
                await ConflictAsync(response, who == "ahead" ? 1_000_000 : shown.Size);
                break;
        }
    }

    private async Task JudgeAsync(HttpResponse response, AddCheckpoint request)
    {
        if (logKey is not { } known)
        {
            response.StatusCode = 404;
            return;
        }

        WitnessFinding finding;
        Checkpoint? before;
        lock (gate)
        {
            before = seen;
            finding = WitnessRules.Judge(before, request, [known], out _);
            seen = finding == WitnessFinding.Consistent ? Checkpoint.Parse(request.Note.Text) : before;
        }

        switch (finding)
        {
            case WitnessFinding.Consistent:
                await response.WriteAsync($"{signers["good"].Sign(Encoding.UTF8.GetBytes(request.Note.Text), DateTimeOffset.UtcNow.ToUnixTimeSeconds())}\n");
                break;
            case WitnessFinding.Conflict or WitnessFinding.Rollback:
                await ConflictAsync(response, before?.Size ?? 0);
                break;
            default:
                response.StatusCode = finding == WitnessFinding.Signature ? 403 : 422;
                break;
        }
    }

    private static async Task ConflictAsync(HttpResponse response, long size)
    {
        (response.StatusCode, response.ContentType) = (409, "text/x.tlog.size");
        await response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{size}\n"));
    }
}
