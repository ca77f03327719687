using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MissionControl.Audit.Export;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Entries as lines for a SIEM: nothing that somebody writes begins a line or a field, and every type that is told has its class.</summary>
public sealed partial class AuditExportTests
{
    private const int Rounds = 500;
    private static readonly Guid Customer = new("019a0000-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset At = new(2026, 11, 28, 10, 0, 0, TimeSpan.Zero);
    private static readonly Log Log = new() { Name = $"customer/{Customer:N}", Id = Log.IdOf($"customer/{Customer:N}"), Origin = "mission-control/0123", Kind = "customer", CustomerId = Customer, CreatedAt = DateTimeOffset.UnixEpoch };
    private static readonly string[] Hostile = [" act=", "\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085", "\v", "\u001c", "|", "\\", "\\n", "=", "\0", "\t", "\u001b[2J", "é", "😀", "CEF:0|", "\"}", "{\"", " ", "a", "\u202e"];

    /// <summary>Of each class how many activities it has, and what it requires beside the base event (ocsf-schema 1.8.0).</summary>
    private static readonly Dictionary<int, (int Activities, string[] Required)> Classes = new()
    {
        [3001] = (12, ["user"]), [3002] = (7, ["user", "service"]), [3003] = (2, ["user", "privileges"]), [3004] = (13, ["entity"]), [3005] = (2, ["user", "privileges"]), [3006] = (8, ["group"]),
        [6003] = (4, ["actor", "api", "src_endpoint"]),
    };

    [Fact]
    public void What_somebody_writes_stays_in_its_field_and_comes_back_as_it_was()
    {
        var random = new Random(20261129);
        for (var round = 0; round < Rounds; round++)
        {
            var (reason, ticket, actor, target, name, address) = (Text(random), Text(random), Text(random), Text(random), Text(random), Text(random));
            var entry = Entry(round, "identity.person-changed", of => of with
            {
                Reason = reason, Ticket = ticket, Actor = new AuditActor("staff", actor, "session", true, null, "s"), Target = new AuditTarget("person", target), Personal = new Dictionary<string, string> { ["name"] = name, ["address"] = address, ["user"] = name },
            });

            var (head, fields) = ParseCef(Line("cef", entry));
            Assert.Equal(["0", "Mission Control", "Mission Control", "1", "identity.person-changed", "person changed", "3"], head);
            var expected = new Dictionary<string, string>
            {
                ["externalId"] = entry.EventId, ["cn1Label"] = "logIndex", ["cn1"] = round.ToString(CultureInfo.InvariantCulture), ["cs1Label"] = "leafHash", ["cs1"] = entry.Hash.ToString(), ["cs2Label"] = "tenant", ["cs2"] = Customer.ToString(), ["cs3Label"] = "logOrigin", ["cs3"] = Log.Origin,
                ["cs5Label"] = "target", ["cs5"] = Seen($"person {target}"), ["cs6Label"] = "ticket", ["cs6"] = Seen(ticket), ["rt"] = $"{At.AddMilliseconds(1500).ToUnixTimeMilliseconds()}", ["start"] = $"{At.ToUnixTimeMilliseconds()}", ["cat"] = "identity", ["act"] = "person-changed", ["outcome"] = "success",
                ["suser"] = Seen(actor), ["spriv"] = "staff", ["app"] = "session", ["duid"] = Seen(target), ["duser"] = Seen(name), ["requestContext"] = "r", ["msg"] = Seen(reason), ["shost"] = Seen(address),
            };
            Assert.Equal(expected.OrderBy(one => one.Key, StringComparer.Ordinal), fields.OrderBy(one => one.Key, StringComparer.Ordinal));

            using var json = JsonDocument.Parse(Line("jsonl", entry));
            var raw = Encoding.UTF8.GetBytes(json.RootElement.GetProperty("entry").GetRawText());
            Assert.Equal(entry.Content, raw);
            Assert.Equal(TreeHash.OfLeaf(raw).ToString(), json.RootElement.GetProperty("leafHash").GetString());
            Assert.Equal((round, Log.Origin, Log.Id, reason), (json.RootElement.GetProperty("index").GetInt32(), json.RootElement.GetProperty("origin").GetString(), json.RootElement.GetProperty("logId").GetGuid(), json.RootElement.GetProperty("entry").GetProperty("reason").GetString()));
            Assert.Equal([address, name, name], json.RootElement.GetProperty("personal").EnumerateObject().Select(field => field.Value.GetString()));

            using var ocsf = JsonDocument.Parse(Line("ocsf", entry));
            Assert.Equal((actor, target, name, reason), (ocsf.RootElement.GetProperty("actor").GetProperty("user").GetProperty("uid").GetString(), ocsf.RootElement.GetProperty("user").GetProperty("uid").GetString(), ocsf.RootElement.GetProperty("user").GetProperty("full_name").GetString(), ocsf.RootElement.GetProperty("status_detail").GetString()));
        }

        // Types are ours; whoever owns the database could write another one.
        Assert.Equal(("a|b\\u000a\\.c-d", 7), (ParseCef(Line("cef", Entry(0, "a|b\n\\.c-d", one => one))).Head[4], ParseCef(Line("cef", Entry(0, "a|b\n\\.c-d", one => one))).Head.Count));
    }

    [Fact]
    public void Every_type_that_is_told_has_a_class_and_an_activity_of_it_and_says_what_the_class_requires()
    {
        var types = ToldTypes();
        Assert.True(types.Count > 110, string.Join(' ', types));
        Assert.Equal("", string.Join(" ", types.Where(type => !OcsfType.Knows(type))));
        foreach (var type in types)
        {
            foreach (var (target, actor, address, outcome) in new[] { ("person", "staff", "192.0.2.7", "success"), ("session", "customerUser", "2001:db8::1", "denied"), ("cluster", "system", null, "failed"), ("customer", "serviceAccount", null, "success") })
            {
                var entry = Entry(7, type, of => of with { Outcome = outcome, Actor = new AuditActor(actor, "who", "session", true, "t", "s"), Target = new AuditTarget(target, "what"), Personal = address is null ? [] : new Dictionary<string, string> { ["address"] = address } });
                using var json = JsonDocument.Parse(Line("ocsf", entry));
                var line = json.RootElement;
                var (kind, activity) = (line.GetProperty("class_uid").GetInt32(), line.GetProperty("activity_id").GetInt32());
                Assert.True(Classes.TryGetValue(kind, out var rule), type);
                Assert.True(activity == 99 || (activity >= 1 && activity <= rule.Activities), $"{type}: {activity}");
                Assert.Equal(((kind * 100) + activity, kind / 1000), (line.GetProperty("type_uid").GetInt32(), line.GetProperty("category_uid").GetInt32()));
                Assert.All(rule.Required.Concat(["severity_id", "time", "metadata"]), name => Assert.True(line.TryGetProperty(name, out _), $"{type} has no {name}"));
                Assert.Equal((At.ToUnixTimeMilliseconds(), outcome == "success" ? 1 : 2), (line.GetProperty("time").GetInt64(), line.GetProperty("status_id").GetInt32()));
                var metadata = line.GetProperty("metadata");
                Assert.Equal(("1.8.0", 7, Log.Origin, entry.EventId, Customer.ToString()), (metadata.GetProperty("version").GetString(), metadata.GetProperty("sequence").GetInt32(), metadata.GetProperty("log_name").GetString(), metadata.GetProperty("uid").GetString(), metadata.GetProperty("tenant_uid").GetString()));
                Assert.Equal(entry.Hash.ToString(), line.GetProperty("unmapped").GetProperty("tlog").GetProperty("leafHash").GetString());
                Assert.Equal(address, line.TryGetProperty("src_endpoint", out var source) && source.TryGetProperty("ip", out var ip) ? ip.GetString() : null);
            }
        }

        // What a class is chosen for, and not only that there is one.
        foreach (var (type, uid) in new[]
        {
            ("identity.signed-in", 300201), ("identity.session-ended", 300202), ("identity.step-up-proven", 300301), ("identity.scope-granted", 300501), ("identity.person-invited", 300101), ("identity.passkey-added", 300110), ("identity.person-disabled", 300105),
            ("identity.group-removed", 300605), ("callhome.cluster-suspended", 300412), ("callhome.cluster-enrolled", 300406), ("licensing.customer-created", 300401), ("identity.token-revoked", 300404), ("fleet.cluster-read", 600302), ("fleet.job-started", 600303), ("fleet.a-b", 600399),
            ("audit.log-read", 600302), ("audit.log-export-read", 600302), ("identity.group-read", 600302), ("audit.log-damaged", 300499), ("callhome.clone-suspected", 600399),
        })
        {
            Assert.Equal((type, uid), (type, OcsfType.Of(type).Uid));
        }
    }

    [Fact]
    public void What_a_sign_in_says_of_factors_and_session_and_what_was_granted_is_said_where_OCSF_has_it()
    {
        using var signedIn = JsonDocument.Parse(Line("ocsf", Entry(0, "identity.signed-in", of => of with { Target = new AuditTarget("person", "p"), Changes = [Change.Add("/session", "s1"), Change.Add("/factors", "pwd otp mfa")] })));
        Assert.Equal([11, 7], signedIn.RootElement.GetProperty("auth_factors").EnumerateArray().Select(factor => factor.GetProperty("factor_type_id").GetInt32()));
        Assert.Equal("s1", signedIn.RootElement.GetProperty("session").GetProperty("uid").GetString());

        foreach (var (auth, id, name) in new[] { ("openid", 4, "OpenID"), ("saml", 5, "SAML"), ("ldap", 12, "LDAP"), ("passkey", 99, "passkey") })
        {
            using var refused = JsonDocument.Parse(Line("ocsf", Entry(0, "identity.sign-in-refused", of => of with { Target = new AuditTarget("provider", "p"), Actor = new AuditActor("system", "unknown", auth) })));
            Assert.Equal((id, name, 0), (refused.RootElement.GetProperty("auth_protocol_id").GetInt32(), refused.RootElement.GetProperty("auth_protocol").GetString(), refused.RootElement.GetProperty("user").GetProperty("type_id").GetInt32()));
        }

        using var granted = JsonDocument.Parse(Line("ocsf", Entry(0, "identity.scope-granted", of => of with { Target = new AuditTarget("serviceAccount", "a"), Changes = [Change.Add("/scopes", "fleet:read")] })));
        Assert.Equal(["fleet:read"], granted.RootElement.GetProperty("privileges").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal("a", granted.RootElement.GetProperty("user").GetProperty("uid").GetString());
    }

    [Fact]
    public void An_imported_entry_tells_what_it_told_before_and_what_is_not_as_committed_or_not_for_the_reader_is_not_told()
    {
        var old = Event("callhome.cluster-suspended") with { OccurredAt = new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), Personal = new Dictionary<string, string> { ["address"] = "192.0.2.9" } };
        var told = Told.Of(old) with { Imported = new ImportedEntry(old.OccurredAt, Encoding.UTF8.GetString(MessageJson.Write(old))) };
        var (content, kept) = Leaf.Write(Log.Id, 0, Leaf.Imported(told, old.EventId, DateTimeOffset.UnixEpoch), told, DateTimeOffset.UnixEpoch, null);

        using var line = JsonDocument.Parse(Line("ocsf", new ExportedEntry(Log, 0, content, kept)));
        Assert.Equal((300412, "192.0.2.9", old.EventId), (line.RootElement.GetProperty("type_uid").GetInt32(), line.RootElement.GetProperty("src_endpoint").GetProperty("ip").GetString(), line.RootElement.GetProperty("metadata").GetProperty("original_event_uid").GetGuid()));
        Assert.Equal(old.OccurredAt.ToUnixTimeMilliseconds(), line.RootElement.GetProperty("time").GetInt64());

        var changed = kept.Select(one => new PersonalValue { LogId = one.LogId, Position = one.Position, Field = one.Field, Salt = one.Salt, Value = one.Value.Replace("192.0.2.9", "192.0.2.8", StringComparison.Ordinal) }).ToList();
        foreach (var (values, erased) in new[] { (changed, 0), ([], 1), ((List<PersonalValue>?)null, 0) })
        {
            var entry = new ExportedEntry(Log, 0, content, values);
            Assert.Equal((0, erased), (entry.Personal.Count, entry.Erased.Count));
            Assert.All(ExportFormat.All, format => Assert.DoesNotContain("192.0.2.", Line(format.Name, entry), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_cannot_be_proven_or_would_end_its_line_gets_a_line_that_says_so_and_has_nothing_of_it()
    {
        var good = Entry(5, "identity.person-changed", of => of with { Reason = "secret" }).Content;
        var text = Encoding.UTF8.GetString(good);
        string[] hostile =
        [
            text.Replace("{", "{\n", StringComparison.Ordinal), text.Replace(":", ":\t", StringComparison.Ordinal), text.Replace("secret", "secret\u0085", StringComparison.Ordinal), text.Replace("secret", "secret\u2028", StringComparison.Ordinal),
            text.Replace("secret", "secret\u2029", StringComparison.Ordinal), $"{text[..^1]},\"reason\":\"another secret\"}}", "secret", "{\"secret\": 1}", "[]",
        ];
        (string? Content, string? Hashed)[] damaged = [(null, null), (null, text), (text, null), (text, "other"), .. hostile.Select(one => (one, one))];
        foreach (var (content, hashed) in damaged)
        {
            var hash = hashed is null ? null : TreeHash.OfLeaf(Encoding.UTF8.GetBytes(hashed)).ToString();
            var leaf = new ExportedLeaf(Log, 5, content is null ? null : Encoding.UTF8.GetBytes(content), hash is null ? null : Convert.FromBase64String(hash), []);
            foreach (var format in ExportFormat.All)
            {
                var line = Line(leaf, format);
                Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
                Assert.Contains("damaged", line, StringComparison.Ordinal);
                Assert.Contains(Log.Origin, line, StringComparison.Ordinal);
                Assert.Contains(format.Name == "cef" ? $"cn1=5{(hash is null ? "" : $" cs1Label=leafHash cs1={hash.Replace("=", @"\=", StringComparison.Ordinal)}")} cs3" : $"\"index\":5,\"leafHash\":{(hash is null ? "null" : $"\"{hash}\"")}", line, StringComparison.Ordinal);
            }
        }

        Assert.All(ExportFormat.All, format => Assert.Equal(Line(format.Name, new ExportedEntry(Log, 5, good, [])), Line(new ExportedLeaf(Log, 5, good, TreeHash.OfLeaf(good).Span.ToArray(), []), format)));
    }

    // What is told as a fact: all names of that form but those of messages, handlers, jobs and classes of records.
    private static SortedSet<string> ToldTypes()
    {
        var types = new SortedSet<string>(StringComparer.Ordinal) { "audit.imported" };
        foreach (var file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories).Where(path => !path.Contains("/Audit/Export/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal)))
        {
            var text = NoFact().Replace(File.ReadAllText(file), "");
            types.UnionWith(TypeName().Matches(text).Select(match => match.Groups["type"].Value));
            types.UnionWith(Composed().Matches(text).Select(match => $"fleet.{match.Groups["rest"].Value}"));
        }

        // What stands in two halves in the sources.
        return [.. types, "callhome.cluster-suspended", "callhome.cluster-resumed", "callhome.cluster-decommissioned", "audit.log-read", "audit.log-export-read", "fleet.cluster-read", "identity.people-read"];
    }

    private static ExportedEntry Entry(long index, string type, Func<AuditEntryRecorded, AuditEntryRecorded> with)
    {
        var (content, kept) = Leaf.Write(Log.Id, index, with(Event(type)), null, At.AddMilliseconds(1500), null);
        return new ExportedEntry(Log, index, content, kept);
    }

    private static AuditEntryRecorded Event(string type) => new(
        1, Guid.CreateVersion7(), "identity/x", 1, At, "customer", Customer, null, type, "success", new AuditActor("staff", "person:1", "session"), new AuditTarget("cluster", "c"), [], null, null, "r", "none", new Dictionary<string, string>());

    private static string Line(string format, ExportedEntry entry)
    {
        var bytes = new ArrayBufferWriter<byte>();
        ExportFormat.All.Single(one => one.Name == format).Write(bytes, entry);
        return OneLine(bytes);
    }

    private static string Line(ExportedLeaf leaf, ExportFormat format)
    {
        var bytes = new ArrayBufferWriter<byte>();
        leaf.Write(bytes, format);
        return OneLine(bytes);
    }

    private static string OneLine(ArrayBufferWriter<byte> bytes)
    {
        var line = Encoding.UTF8.GetString(bytes.WrittenSpan);
        Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029');
        return line;
    }

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => Hostile[random.Next(Hostile.Length)]));

    // What CEF has no escape for is told as JSON would write it.
    private static string Seen(string value) => string.Concat(value.Select(character => character is '\u2028' or '\u2029' || (char.IsControl(character) && character is not ('\n' or '\r')) ? $"\\u{(int)character:x4}" : $"{character}"));

    private static (List<string> Head, Dictionary<string, string> Fields) ParseCef(string line)
    {
        var whole = Cef().Match(line);
        Assert.True(whole.Success, line);
        return ([.. whole.Groups["head"].Captures.Select(head => Plain(head.Value))], Field().Matches(whole.Groups["rest"].Value).ToDictionary(field => field.Groups["key"].Value, field => Plain(field.Groups["value"].Value)));
    }

    private static string Plain(string escaped) => Escape().Replace(escaped, escape => escape.Groups["what"].Value switch { "n" => "\n", "r" => "\r", var other => other });

    [GeneratedRegex(@"^CEF:(?<head>0)\|((?<head>([^\\|]|\\[\\|])*)\|){6}(?<rest>.*)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Cef();

    [GeneratedRegex(@"(?:^| )(?<key>[A-Za-z0-9]+)=(?<value>([^\\=]|\\[\\=nr])*?)(?= [A-Za-z0-9]+=|$)", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Field();

    [GeneratedRegex(@"\\(?<what>.)", RegexOptions.Singleline)]
    private static partial Regex Escape();

    [GeneratedRegex(@"(EntityName|MessageUrn|handlers\.Add<[^;]*?>|AddJob|Job|Sweeper|base|Entry|Days)\((id, |retention, )?""[^""]*""|Name == ""[^""]*""|\[\[""[^""]*""|Name => ""[^""]*""")]
    private static partial Regex NoFact();

    [GeneratedRegex(@"""(?<type>(identity|callhome|fleet|licensing|notifications|audit|updates|remoteaccess|portal)\.[a-z]+(-[a-z]+)+)""")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\$""\{[A-Za-z.]*[mM]odule\}\.(?<rest>[a-z]+(-[a-z]+)*-(started|ended|cancelled|retried|up|purged))""")]
    private static partial Regex Composed();
}
