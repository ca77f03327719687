using System.Buffers;
using System.Net;
using System.Text.Json;
using MissionControl.Audit.Logs;

namespace MissionControl.Audit.Export;

/// <summary>An entry as an event of OCSF 1.8.0, what has no place there in <c>unmapped</c>. What is not known is left out, but for what its class requires.</summary>
internal static class OcsfLine
{
    private const string Version = "1.8.0";
    private const string Product = "Mission Control";
    private const string Unknown = "unknown";
    private const int Other = 99;

    // Factors as amr names them (RFC 8176), by their numbers there.
    private static readonly Dictionary<string, (int Id, string Name)> Factors = new(StringComparer.Ordinal) { ["otp"] = (7, "OTP"), ["hwk"] = (10, "WebAuthn"), ["swk"] = (10, "WebAuthn"), ["pwd"] = (11, "Password") };

    // Ways to sign in that have a number there.
    private static readonly Dictionary<string, (int Id, string Name)> Protocols = new(StringComparer.Ordinal) { ["openid"] = (4, "OpenID"), ["saml"] = (5, "SAML"), ["ldap"] = (12, "LDAP") };

    public static void Write(IBufferWriter<byte> output, ExportedEntry entry)
    {
        using var json = new Utf8JsonWriter(output, ExportFormat.Json);
        var type = OcsfType.Of(entry.Type);
        var severity = OcsfType.SeverityOf(entry.Type, entry.Outcome);
        json.WriteStartObject();
        json.WriteNumber("activity_id", type.Activity);
        json.WriteString("activity_name", type.Caption);
        Actor(json, entry);
        if (type.Class == OcsfClass.ApiActivity)
        {
            Api(json, entry);
        }

        json.WriteString("category_name", type.Class.Uid / 1000 == 3 ? "Identity & Access Management" : "Application Activity");
        json.WriteNumber("category_uid", type.Class.Uid / 1000);
        json.WriteString("class_name", type.Class.Name);
        json.WriteNumber("class_uid", type.Class.Uid);
        OfClass(json, entry, type.Class);
        json.WriteString("message", entry.Type[(entry.Type.IndexOf('.', StringComparison.Ordinal) + 1)..].Replace('-', ' '));
        Metadata(json, entry);
        json.WriteStartObject("raw_data_hash");
        json.WriteString("algorithm", "SHA-256 of an RFC 6962 leaf");
        json.WriteNumber("algorithm_id", Other);
        json.WriteString("value", entry.Hash.ToString());
        json.WriteEndObject();
        json.WriteString("severity", severity switch { 1 => "Informational", 2 => "Low", 3 => "Medium", _ => "High" });
        json.WriteNumber("severity_id", severity);
        Source(json, entry, isRequired: type.Class == OcsfClass.ApiActivity);
        json.WriteString("status", entry.Outcome == "success" ? "Success" : "Failure");
        json.WriteString("status_code", entry.Outcome);
        Optional(json, "status_detail", ExportedEntry.Text(entry.Told, "reason"));
        json.WriteNumber("status_id", entry.Outcome == "success" ? 1 : 2);
        json.WriteNumber("time", ExportedEntry.Milliseconds(entry.Told, "occurredAt"));
        json.WriteString("type_name", $"{type.Class.Name}: {(type.Activity == Other ? "Other" : type.Caption)}");
        json.WriteNumber("type_uid", type.Uid);
        Unmapped(json, entry);
        json.WriteEndObject();
    }

    /// <summary>The line of what is no entry any more: a Base Event, for nobody knows what it was, nor when.</summary>
    public static void WriteDamaged(IBufferWriter<byte> output, ExportedLeaf leaf)
    {
        using var json = new Utf8JsonWriter(output, ExportFormat.Json);
        json.WriteStartObject();
        json.WriteNumber("activity_id", Other);
        json.WriteString("activity_name", "entry-damaged");
        json.WriteString("category_name", "Uncategorized");
        json.WriteNumber("category_uid", 0);
        json.WriteString("class_name", "Base Event");
        json.WriteNumber("class_uid", 0);
        json.WriteString("message", "entry damaged");
        json.WriteStartObject("metadata");
        json.WriteString("event_code", ExportedLeaf.DamagedType);
        json.WriteString("log_name", leaf.Log.Origin);
        json.WriteString("log_provider", Product);
        WriteProduct(json);
        json.WriteNumber("sequence", leaf.Index);
        Optional(json, "tenant_uid", leaf.Log.CustomerId?.ToString());
        json.WriteString("version", Version);
        json.WriteEndObject();
        json.WriteString("severity", "High");
        json.WriteNumber("severity_id", 4);
        json.WriteNumber("time", 0);
        json.WriteString("type_name", "Base Event: Other");
        json.WriteNumber("type_uid", Other);
        json.WriteStartObject("unmapped");
        json.WriteBoolean("damaged", true);
        WriteProof(json, leaf.Log, leaf.Index, leaf.HashText);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Actor(Utf8JsonWriter json, ExportedEntry entry)
    {
        json.WriteStartObject("actor");
        if (ExportedEntry.Text(entry.Actor, "sessionId") is { } session)
        {
            Session(json, session, IsMfa(entry));
        }

        User(json, entry.Actor, entry);
        json.WriteEndObject();
    }

    private static void Api(Utf8JsonWriter json, ExportedEntry entry)
    {
        json.WriteStartObject("api");
        json.WriteString("operation", entry.Type);
        if (ExportedEntry.Text(entry.Told, "requestId") is { } request)
        {
            json.WriteStartObject("request");
            json.WriteString("uid", request);
            json.WriteEndObject();
        }

        json.WriteStartObject("service");
        json.WriteString("name", RoleOf(entry));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // What the class requires, and what it recommends and is known.
    private static void OfClass(Utf8JsonWriter json, ExportedEntry entry, OcsfClass kind)
    {
        if (kind == OcsfClass.EntityManagement)
        {
            Optional(json, "comment", ExportedEntry.Text(entry.Told, "reason"));
            Target(json, "entity", entry, withKind: true);
        }
        else if (kind == OcsfClass.GroupManagement)
        {
            Target(json, "group", entry, withKind: false);
        }
        else if (kind == OcsfClass.ApiActivity)
        {
            json.WriteStartArray("resources");
            Target(json, null, entry, withKind: false);
            json.WriteEndArray();
        }
        else
        {
            OfUser(json, entry, kind);
        }
    }

    private static void OfUser(Utf8JsonWriter json, ExportedEntry entry, OcsfClass kind)
    {
        var changes = entry.Changes;
        if (kind == OcsfClass.AuthorizeSession || kind == OcsfClass.UserAccess)
        {
            json.WriteStartArray("privileges");
            foreach (var privilege in Values(changes, "/scopes", "/scope", "/purpose").DefaultIfEmpty(Unknown))
            {
                json.WriteStringValue(privilege);
            }

            json.WriteEndArray();
        }

        var isSession = ExportedEntry.Text(entry.Target, "type") == "session";
        var session = isSession ? ExportedEntry.Text(entry.Target, "id") : Values(changes, "/session").FirstOrDefault() ?? ExportedEntry.Text(entry.Actor, "sessionId");
        if (kind == OcsfClass.Authentication)
        {
            if (ExportedEntry.Text(entry.Actor, "auth") is { } auth)
            {
                var (id, name) = Protocols.GetValueOrDefault(auth, (Other, auth));
                json.WriteString("auth_protocol", name);
                json.WriteNumber("auth_protocol_id", id);
            }

            WriteFactors(json, changes);
            json.WriteBoolean("is_mfa", IsMfa(entry));
            json.WriteBoolean("is_remote", ExportedEntry.Text(entry.Actor, "auth") != "local");
            json.WriteStartObject("service");
            json.WriteString("name", Product);
            json.WriteEndObject();
        }

        if (session is not null && (kind == OcsfClass.Authentication || kind == OcsfClass.AuthorizeSession))
        {
            Session(json, session, IsMfa(entry));
        }

        // Of what was done to no person or program, whoever did it.
        var isUser = ExportedEntry.Text(entry.Target, "type") is "person" or "serviceAccount";
        User(json, isUser ? entry.Target : entry.Actor, entry, isTarget: isUser);
    }

    private static void WriteFactors(Utf8JsonWriter json, JsonElement? changes)
    {
        List<(int Id, string Name)> factors = [.. Values(changes, "/factors").SelectMany(words => words.Split(' ')).Where(Factors.ContainsKey).Select(word => Factors[word]).Distinct()];
        if (factors.Count == 0)
        {
            return;
        }

        json.WriteStartArray("auth_factors");
        foreach (var (id, name) in factors)
        {
            json.WriteStartObject();
            json.WriteString("factor_type", name);
            json.WriteNumber("factor_type_id", id);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Metadata(Utf8JsonWriter json, ExportedEntry entry)
    {
        json.WriteStartObject("metadata");
        Optional(json, "correlation_uid", ExportedEntry.Text(entry.Told, "requestId"));
        json.WriteString("event_code", entry.Type);
        json.WriteString("log_name", entry.Log.Origin);
        json.WriteString("log_provider", Product);
        json.WriteNumber("logged_time", ExportedEntry.Milliseconds(entry.Told, "recordedAt"));
        if (entry.IsImported)
        {
            Optional(json, "original_event_uid", ExportedEntry.Text(entry.Told, "eventId"));
        }

        WriteProduct(json);
        json.WriteNumber("sequence", entry.Index);
        Optional(json, "tenant_uid", ExportedEntry.Text(entry.Entry, "customerId"));
        json.WriteString("uid", entry.EventId);
        json.WriteString("version", Version);
        json.WriteEndObject();
    }

    private static void Source(Utf8JsonWriter json, ExportedEntry entry, bool isRequired)
    {
        var address = entry.Named.GetValueOrDefault("address");
        if (address is null && !isRequired)
        {
            return;
        }

        json.WriteStartObject("src_endpoint");
        if (address is not null)
        {
            json.WriteString(IPAddress.TryParse(address, out _) ? "ip" : "name", address);
        }
        else if (ExportedEntry.Text(entry.Actor, "kind") == "system")
        {
            json.WriteString("svc_name", RoleOf(entry));
        }
        else
        {
            json.WriteString("name", Unknown);
        }

        json.WriteEndObject();
    }

    private static void Unmapped(Utf8JsonWriter json, ExportedEntry entry)
    {
        json.WriteStartObject("unmapped");
        if (entry.Changes is { } changes)
        {
            json.WritePropertyName("changes");
            changes.WriteTo(json);
        }

        Optional(json, "cluster_uid", ExportedEntry.Text(entry.Entry, "clusterId"));
        json.WriteBoolean("imported", entry.IsImported);
        json.WriteString("producer", ExportedEntry.Text(entry.Entry, "producer"));
        json.WriteNumber("producer_seq", entry.Entry.GetProperty("producerSeq").GetInt64());
        Optional(json, "ticket", ExportedEntry.Text(entry.Told, "ticket"));
        WriteProof(json, entry.Log, entry.Index, entry.Hash.ToString());
        json.WriteEndObject();
    }

    private static void WriteProduct(Utf8JsonWriter json)
    {
        json.WriteStartObject("product");
        json.WriteString("name", Product);
        json.WriteString("vendor_name", Product);
        json.WriteEndObject();
    }

    private static void WriteProof(Utf8JsonWriter json, Log log, long index, string? hash)
    {
        json.WriteStartObject("tlog");
        json.WriteNumber("index", index);
        json.WriteString("leafHash", hash);
        json.WriteString("logId", log.Id);
        json.WriteString("origin", log.Origin);
        json.WriteEndObject();
    }

    private static void Session(Utf8JsonWriter json, string uid, bool isMfa)
    {
        json.WriteStartObject("session");
        json.WriteBoolean("is_mfa", isMfa);
        json.WriteString("uid", uid);
        json.WriteEndObject();
    }

    // Names that are kept beside an entry are those of whom it is about; the user of the machine alone is the actor's.
    private static void User(Utf8JsonWriter json, JsonElement who, ExportedEntry entry, bool isTarget = false)
    {
        var kind = ExportedEntry.Text(who, isTarget ? "type" : "kind") ?? Unknown;
        json.WriteStartObject("user");
        if (!isTarget)
        {
            Optional(json, "credential_uid", ExportedEntry.Text(who, "tokenId"));
            Optional(json, "name", entry.Named.GetValueOrDefault("user"));
        }
        else if (kind == "person")
        {
            Optional(json, "email_addr", entry.Named.GetValueOrDefault("email"));
            Optional(json, "full_name", entry.Named.GetValueOrDefault("name"));
        }

        json.WriteString("type", kind);
        json.WriteNumber("type_id", ExportedEntry.Text(who, "id") == Unknown ? 0 : kind switch { "staff" or "customerUser" or "person" => 1, "system" => 3, "serviceAccount" => 4, _ => Other });
        json.WriteString("uid", ExportedEntry.Text(who, "id"));
        json.WriteEndObject();
    }

    private static void Target(Utf8JsonWriter json, string? name, ExportedEntry entry, bool withKind)
    {
        var kind = ExportedEntry.Text(entry.Target, "type");
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }

        json.WriteString("type", kind);
        if (withKind)
        {
            json.WriteNumber("type_id", kind == "customer" ? 4 : Other);
        }

        json.WriteString("uid", ExportedEntry.Text(entry.Target, "id"));
        json.WriteEndObject();
    }

    // Texts that were set, or taken away, under one of some names.
    private static IEnumerable<string> Values(JsonElement? changes, params string[] paths)
    {
        foreach (var change in changes is { ValueKind: JsonValueKind.Array } all ? all.EnumerateArray() : default(JsonElement.ArrayEnumerator))
        {
            var value = change.TryGetProperty("value", out var set) && set.ValueKind != JsonValueKind.Null ? set : change.TryGetProperty("oldValue", out var old) ? old : default;
            if (!paths.Contains(ExportedEntry.Text(change, "path"), StringComparer.Ordinal))
            {
                continue;
            }

            foreach (var text in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : Enumerable.Repeat(value, 1))
            {
                if (text.ValueKind == JsonValueKind.String)
                {
                    yield return text.GetString()!;
                }
            }
        }
    }

    private static bool IsMfa(ExportedEntry entry) => entry.Actor.TryGetProperty("mfa", out var mfa) && mfa.ValueKind == JsonValueKind.True;

    private static string RoleOf(ExportedEntry entry) => entry.Type[..Math.Max(0, entry.Type.IndexOf('.', StringComparison.Ordinal))];

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
