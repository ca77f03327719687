using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The real command, as the page has it, over whatever is wrong; nothing secret comes out.</summary>
public sealed partial class SupportBundleTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-support-").FullName;
    private readonly IReadOnlyList<string> tokens = PlacedTokens.OfEveryKind();

    private string Out => Path.Combine(root, "support.zip");

    private string Config => Path.Combine(root, "missioncontrol.json");

    private string Log => Path.Combine(root, "missioncontrol.log");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task Of_a_running_host_it_says_how_it_is_and_holds_no_token_password_or_name()
    {
        await using var host = await ControlPlane.StartAsync();
        await host.CreateCustomerAsync("Anna Andersson AB");
        await PlaceInDatabaseAsync(host);
        var key = (await File.ReadAllLinesAsync(Path.Combine(host.Data, "keys", "receipt.pem")))[1];
        var invitation = (await File.ReadAllTextAsync(Path.Combine(host.Data, "admin.invitation"))).Trim();
        await WriteConfigAsync(new Dictionary<string, object>
        {
            ["AllowedHosts"] = string.Join(';', tokens) + ";localhost",
            ["Telemetry"] = new { OtlpEndpoint = "http://collector:Pa55word@localhost:1/v1?key=qu3ry" },
            ["Notifications"] = new { Smtp = new { Host = tokens[0], User = "ada@vendor.example", From = "ada@vendor.example", Password = "smtp \"Pä55\" word" } },
            ["Identity"] = new { Providers = new[] { new { Id = "our-own", ClientSecretFile = Path.Combine(root, "client.secret") } } },
            ["RabbitMq"] = new { Pasword = "mistyped-secret" },
        });
        await File.WriteAllTextAsync(Path.Combine(root, "client.secret"), "cl1ent-secret\n");
        var named = Path.Combine(root, $"{tokens[1]}.log");
        await File.WriteAllTextAsync(named, $"a line without\n{invitation} smtp \"Pä55\" word, {JsonSerializer.Serialize("smtp \"Pä55\" word")} {Uri.EscapeDataString("smtp \"Pä55\" word")} cl1ent-secret mistyped-secret {key}\n");
        await File.WriteAllTextAsync(Log, $"{string.Join(' ', tokens)} {PlacedTokens.Jwt}\n{JsonSerializer.Serialize(new { text = $"\n\"{string.Join('"', tokens)}\"" })}\n");
        var wide = new[] { Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32 }.SelectMany(encoding => new[] { (encoding, true), (encoding, false) }).Select((one, i) => WriteAs(i, one.encoding, one.Item2)).ToList();

        var said = await HostCommand.RunAsync(0, [.. Documented("--ops", host.Data, host.Operations), "--config", Config, "--logs", named, .. wide]);

        var files = await ReadAsync();
        Assert.Equal(
            ["about.json", "configuration.json", "database.json", "health.json", "logs/01-missioncontrol.log", $"logs/02-{tokens[1][..16]}__.log", .. wide.Select((_, i) => $"logs/0{i + 3}-wide{i}.log"), "manifest.json"], files.Keys);
        AssertHoldNone(files.Values.Append(said).Concat(files.Keys), [.. tokens.Select(token => token[17..]), PlacedTokens.Jwt[20..], host.AdminToken[17..], invitation, key,
            "Pä55", "P%C3%A455", "P\\u00E455", "Pa55word", "qu3ry", "cl1ent-secret", "mistyped-secret", "our-own", "ada@", "person:anna", "Andersson"]);

        // What was cut was there, and is named.
        Assert.All(files.Where(file => file.Key.StartsWith("logs/", StringComparison.Ordinal) && !file.Key.StartsWith("logs/02", StringComparison.Ordinal)), file => Assert.All(tokens, token => Assert.Contains(token[..16], file.Value)));
        Assert.All(tokens, token => Assert.True(files["configuration.json"].Contains(token[..16], StringComparison.Ordinal) && files["database.json"].Contains(token[..16], StringComparison.Ordinal)));
        var manifest = AssertManifest(files);
        Assert.Equal((tokens.Count * 2) + 1, manifest.GetProperty("files").EnumerateArray().Single(file => file.GetProperty("name").GetString() == "logs/01-missioncontrol.log").GetProperty("tokens").GetInt32());
        Assert.Empty(manifest.GetProperty("leftOut").EnumerateArray());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Out));
        Assert.DoesNotContain(Directory.EnumerateFiles(root), file => file.EndsWith(".tmp", StringComparison.Ordinal));

        // And what is of use is there.
        Assert.Equal("current", Json(files["about.json"], "database", "schema", "state").GetString());
        Assert.Equal("ready", Json(files["health.json"], "ready", "status").GetString());
        Assert.Equal("set", Json(files["configuration.json"], "keys", "Notifications:Smtp:Password").GetString());
        Assert.Equal("http://localhost:1/v1", Json(files["configuration.json"], "keys", "Telemetry:OtlpEndpoint").GetString());
        Assert.Contains("RabbitMq:Pasword", Json(files["configuration.json"], "unknownKeys").EnumerateArray().Select(key => key.GetString()));
        var fleet = Json(files["database.json"], "roles").EnumerateArray().Single(role => role.GetProperty("role").GetString() == "fleet");
        var parked = fleet.GetProperty("parked").EnumerateArray().Single();
        Assert.Equal(("licensing.customer-changed", "fleet.keep-customer", "ParkedByTest", 2), (parked.GetProperty("type").GetString(), parked.GetProperty("consumer").GetString(), parked.GetProperty("error").GetString(), parked.GetProperty("count").GetInt32()));
        Assert.Contains(fleet.GetProperty("jobs").EnumerateArray(), run => run.GetProperty("job").GetString() == "fleet.placed");
        Assert.NotEmpty(fleet.GetProperty("leases").EnumerateArray());
        Assert.Equal(1, Json(files["database.json"], "tables").EnumerateArray().Single(table => table.GetProperty("table").GetString() == "licensing_customer").GetProperty("rows").GetInt32());
        Assert.DoesNotContain("\"error\": {", files["database.json"], StringComparison.Ordinal);

        // The host went on, and what is there is not overwritten.
        (await host.Admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative))).EnsureSuccessStatusCode();
        var before = await File.ReadAllBytesAsync(Out);
        Assert.Contains("exists already", await HostCommand.RunAsync(2, "admin", "support-bundle", "--data", host.Data, "--out", Out));
        Assert.Equal(before, await File.ReadAllBytesAsync(Out));
        var link = Path.Combine(root, "link.zip");
        File.CreateSymbolicLink(link, Path.Combine(root, "elsewhere.zip"));
        Assert.Contains("exists already", await HostCommand.RunAsync(2, "admin", "support-bundle", "--data", host.Data, "--out", link));
        Assert.False(File.Exists(Path.Combine(root, "elsewhere.zip")));
    }

    [Fact]
    public async Task Of_a_server_it_shows_where_it_is_and_what_the_login_may_read_and_never_the_password()
    {
        await using var server = await PostgresServer.StartNewAsync();
        var database = await server.CreateDatabaseAsync();
        var data = Directory.CreateDirectory(Path.Combine(root, "data")).FullName;
        await MigrateAsync(server.ConnectionString(database), data);
        const string Password = "corr3ct;horse'battery";
        await server.ExecuteAsync(database, "CREATE ROLE mc_support LOGIN PASSWORD 'corr3ct;horse''battery'; GRANT SELECT ON fleet_outbox, fleet_parked_message, schema_history TO mc_support");
        await WriteConfigAsync(Distributed(server.ConnectionString(database, "mc_support", Password)));
        await File.WriteAllTextAsync(Log, $"connected by postgres://mc_support:{Password}@db/mc and amqp://mc:br0ker%2Fword@mq, {Password}, {Uri.EscapeDataString(Password)}, br0ker/word\n");

        var manifest = JsonDocument.Parse(await HostCommand.RunAsync(0, Documented("--config", data, null))).RootElement;

        Assert.Equal((Out, 1), (manifest.GetProperty("file").GetString(), manifest.GetProperty("version").GetInt32()));
        var files = await ReadAsync();
        AssertManifest(files);
        AssertHoldNone(files.Values, Password, Uri.EscapeDataString(Password), "corr3ct", "br0ker");
        var shown = Json(files["configuration.json"], "database");
        Assert.Equal(("postgresql", "127.0.0.1", server.Port, database), (shown.GetProperty("provider").GetString(), shown.GetProperty("host").GetString(), shown.GetProperty("port").GetInt32(), shown.GetProperty("database").GetString()));
        Assert.Equal(("postgresql", "current"), (Json(files["about.json"], "database", "provider").GetString(), Json(files["about.json"], "database", "schema", "state").GetString()));
        var fleet = Json(files["database.json"], "roles").EnumerateArray().Single(role => role.GetProperty("role").GetString() == "fleet");
        Assert.Equal(0, fleet.GetProperty("outbox").GetProperty("waiting").GetInt32());
        Assert.Contains("permission denied", fleet.GetProperty("leases").GetProperty("error").GetString());
    }

    [Fact]
    public async Task Of_a_server_that_cannot_be_reached_it_is_made_all_the_same_and_says_so()
    {
        var data = Directory.CreateDirectory(Path.Combine(root, "data")).FullName;
        await WriteConfigAsync(Distributed($"Host=127.0.0.1;Port={Ports.Free()};Username=mc;Password=n0body-knows;Database=mc"));

        var said = await HostCommand.RunAsync(1, "admin", "support-bundle", "--data", data, "--config", Config, "--out", Out, "--ops", $"http://localhost:{Ports.Free()}", "--logs", Path.Combine(root, "none.log"));

        var files = await ReadAsync();
        Assert.Equal(["about.json", "configuration.json", "manifest.json"], files.Keys.Order());
        Assert.Equal(["database.json", "health.json", Path.Combine(root, "none.log")], AssertManifest(files).GetProperty("leftOut").EnumerateArray().Select(one => one.GetProperty("what").GetString()));
        Assert.Contains("refused", said);
        Assert.Contains("The database could not be read", files["manifest.json"]);
        Assert.Equal(JsonValueKind.Null, Json(files["about.json"], "database").ValueKind);
        Assert.Equal("mc", Json(files["configuration.json"], "database", "database").GetString());
        AssertHoldNone(files.Values.Append(said), "n0body-knows", "br0ker");
    }

    [Fact]
    public async Task Of_a_database_that_is_damaged_it_says_so()
    {
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "data")).FullName, "missioncontrol.db"), new string('x', 8192));

        Assert.Contains("file is not a database", await HostCommand.RunAsync(1, "admin", "support-bundle", "--data", Path.Combine(root, "data"), "--out", Out));
        Assert.Equal(["about.json", "configuration.json", "manifest.json"], (await ReadAsync()).Keys);
    }

    [Theory]
    [InlineData("There is no directory", "--data", "nowhere")]
    [InlineData("There is no database", "--data", ".")]
    [InlineData("none.json", "--data", ".", "--config", "none.json")]
    [InlineData("to write to", "--data", "data", "--out", "nowhere/support.zip")]
    [InlineData("name at most 16", "--data", "data", "--logs", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17")]
    public async Task What_cannot_be_is_refused_with_a_sentence_and_leaves_nothing(string why, params string[] options)
    {
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "data")).FullName, "missioncontrol.db"), "");
        string[] more = options.Contains("--out") ? [] : ["--out", Out];

        Assert.Contains(why, await HostCommand.RunAsync(2, ["admin", "support-bundle", .. options.Select(option => option.StartsWith("--", StringComparison.Ordinal) ? option : Path.Combine(root, option)), .. more]));
        Assert.Equal(["data"], Directory.EnumerateFileSystemEntries(root).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("verify-config")]
    [InlineData("admin", "support-bundle")]
    public async Task A_configuration_that_is_no_JSON_is_named_with_the_place(params string[] command)
    {
        await File.WriteAllTextAsync(Config, "{ bad");

        Assert.Contains("LineNumber: 0", await HostCommand.RunAsync(2, [.. command, "--data", root, "--config", Config]));
    }

    /// <summary>The arguments of the command on the operator's page that has an option, over what is here.</summary>
    private string[] Documented(string option, string data, Uri? operations)
    {
        var line = Commands().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operations.md"))).Select(match => match.Groups["line"].Value).Single(line => line.Contains(option, StringComparison.Ordinal));
        return [.. line.Split(' ').Select(word => word switch
        {
            "/var/lib/missioncontrol" => data,
            "/etc/missioncontrol.json" => Config,
            "/var/log/missioncontrol.log" => Log,
            "support.zip" => Out,
            "http://localhost:8080" => operations!.ToString(),
            _ => word,
        })];
    }

    private string WriteAs(int number, Encoding encoding, bool mark)
    {
        var file = Path.Combine(root, $"wide{number}.log");
        File.WriteAllBytes(file, [.. mark ? encoding.Preamble : [], .. encoding.GetBytes($"first\n{string.Join('\n', tokens)}\n")]);
        return file;
    }

    private async Task WriteConfigAsync(Dictionary<string, object> configuration) => await File.WriteAllTextAsync(Config, JsonSerializer.Serialize(configuration));

    private static Dictionary<string, object> Distributed(string connection) => new()
    {
        ["Database"] = new { Provider = "postgresql", ConnectionString = connection },
        ["RabbitMq"] = new { Address = "amqp://localhost:1/", User = "mc", Password = "br0ker/word" },
    };

    private static async Task MigrateAsync(string connection, string data)
    {
        await using var app = ControlPlaneHost.Build(new HostSettings { Data = data, Serves = false }, null, builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Database:Provider"] = "postgresql", ["Database:ConnectionString"] = connection, ["RabbitMq:Address"] = "amqp://localhost:1/", ["RabbitMq:User"] = "mc", ["RabbitMq:Password"] = "none",
        }));
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await db.Dialect.MigrateAsync(db, CancellationToken.None);
    }

    /// <summary>Where errors and results are written down.</summary>
    private async Task PlaceInDatabaseAsync(ControlPlane host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var (error, now) = ($"ParkedByTest: {string.Join('"', tokens)} of ada@vendor.example", host.Time.GetUtcNow());
        db.ParkedMessages("fleet").AddRange(Enumerable.Range(0, 2).Select(_ => new ParkedMessage
        {
            Id = Guid.CreateVersion7(), Consumer = "fleet.keep-customer", MessageId = Guid.CreateVersion7(), Type = "licensing.customer-changed", Key = "Anna Andersson AB", Payload = "{}"u8.ToArray(),
            SentAt = now, FirstFailedAt = now, LastFailedAt = now, FirstError = error, LastError = error, State = ParkedState.Parked,
        }));
        db.JobRuns("fleet").Add(new JobRun { Job = "fleet.placed", ScheduledAt = now, StartedAt = now, EndedAt = now, Replica = "r", Outcome = error, StartedBy = "person:anna", Reason = "Anna Andersson asked" });
        await db.SaveChangesAsync();
        await Eventually.TrueAsync(async () => await db.Leases("fleet").AnyAsync(), "a sweeper of fleet has its lease");
    }

    private async Task<SortedDictionary<string, string>> ReadAsync()
    {
        await using var archive = await ZipFile.OpenReadAsync(Out);
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync());
            files[entry.FullName] = await reader.ReadToEndAsync();
        }

        return files;
    }

    private static void AssertHoldNone(IEnumerable<string> texts, params string[] none) => Assert.All(texts, text => Assert.All(none, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal)));

    private static JsonElement AssertManifest(SortedDictionary<string, string> files)
    {
        var manifest = JsonDocument.Parse(files["manifest.json"]).RootElement;
        Assert.Equal(files.Keys.Where(name => name != "manifest.json"), manifest.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.All(manifest.GetProperty("files").EnumerateArray(), file =>
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(files[file.GetProperty("name").GetString()!]))), file.GetProperty("sha256").GetString()));
        return manifest;
    }

    private static JsonElement Json(string text, params string[] path) => path.Aggregate(JsonDocument.Parse(text).RootElement, (element, name) => element.GetProperty(name));

    [GeneratedRegex("^missioncontrol (?<line>admin support-bundle .+)$", RegexOptions.Multiline)]
    private static partial Regex Commands();
}
