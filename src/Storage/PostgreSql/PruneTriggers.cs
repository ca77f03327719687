namespace MissionControl.Storage.PostgreSql;

/// <summary>A trigger that guards an append-only table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="On">When it fires.</param>
/// <param name="Function">The function that it calls.</param>
/// <param name="Body">What that does.</param>
internal sealed record Guard(string Name, string On, string Function, string Body);

/// <summary>
/// What guards append-only tables. Those of the audit log may lose an entry, but only below a minimum of its log, and a minimum comes only
/// when a signed entry of that log says it. The tables are named with their schema: a session's own ones come first otherwise.
/// </summary>
internal static class PruneTriggers
{
    private const string Refuse = "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END";

    private const string Prune = $"BEGIN IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM public.audit_log_minimum m WHERE m.log_id = OLD.log_id AND m.minimum > OLD.position) THEN RETURN OLD; END IF; {Refuse}";

    private const string Publish = $"""
        BEGIN IF NEW.minimum > 0 AND NEW.minimum % 256 = 0 AND NEW.position >= NEW.minimum
        AND NOT EXISTS (SELECT 1 FROM public.audit_log_minimum m WHERE m.log_id = NEW.log_id AND m.minimum >= NEW.minimum)
        AND EXISTS (SELECT 1 FROM public.audit_log g WHERE g.id = NEW.log_id AND g.kind IN ('customer', 'operator'))
        AND EXISTS (SELECT 1 FROM public.audit_log_checkpoint c WHERE c.log_id = NEW.log_id AND c.size > NEW.position)
        AND EXISTS (SELECT 1 FROM public.audit_log_leaf l WHERE l.log_id = NEW.log_id AND l.position = NEW.position AND l.event_id = NEW.event_id
        AND convert_from(l.content, 'UTF8')::json->>'type' = 'audit.log-pruned' AND convert_from(l.content, 'UTF8')::json->'changes'->0->>'path' = '/minimum' AND convert_from(l.content, 'UTF8')::json->'changes'->0->>'value' = NEW.minimum::text)
        THEN RETURN NEW; END IF; {Refuse}
        """;

    /// <summary>The triggers of a table.</summary>
    public static IReadOnlyList<Guard> Of(string table) => table switch
    {
        "audit_log_leaf" => [new($"{table}_append_only", "UPDATE OR DELETE", "mc_audit_prune", Prune), NoTruncate(table)],
        "audit_log_minimum" => [Standard(table), new($"{table}_said", "INSERT", "mc_audit_minimum", Publish), NoTruncate(table)],
        _ => [Standard(table), NoTruncate(table)],
    };

    /// <summary>Which rows of a table nobody may delete: all of them, but for entries below a minimum that did not go yet.</summary>
    public static string Kept(string table) => table == "audit_log_leaf" ? " WHERE NOT EXISTS (SELECT 1 FROM public.audit_log_minimum m WHERE m.log_id = t.log_id AND m.minimum > t.position)" : "";

    private static Guard Standard(string table) => new($"{table}_append_only", "UPDATE OR DELETE", "mc_append_only", $"BEGIN {Refuse}");

    private static Guard NoTruncate(string table) => new($"{table}_no_truncate", "TRUNCATE", "mc_append_only", $"BEGIN {Refuse}");
}
