namespace MissionControl.Storage.Sqlite;

/// <summary>
/// When the triggers of the audit log refuse: an entry goes only below a minimum of its log, and a minimum comes only when a signed entry
/// of that log says it. Whoever can write to the file can do no more than the command that prunes.
/// </summary>
internal static class PruneTriggers
{
    public const string Leaf = "audit_log_leaf";
    public const string Minimum = "audit_log_minimum";

    /// <summary>A deletion is refused.</summary>
    public const string NotPruned = "WHEN NOT EXISTS (SELECT 1 FROM audit_log_minimum WHERE log_id = OLD.log_id AND minimum > OLD.position) ";

    /// <summary>A row is refused: below a minimum REPLACE would put another entry in the place of one that may go.</summary>
    public const string IsPruned = "WHEN EXISTS (SELECT 1 FROM audit_log_minimum WHERE log_id = NEW.log_id AND minimum > NEW.position) ";

    /// <summary>A minimum is refused. It only rises, by whole tiles.</summary>
    public const string NotSaid = """
        WHEN NOT (NEW.minimum > 0 AND NEW.minimum % 256 = 0 AND NEW.position >= NEW.minimum
        AND NOT EXISTS (SELECT 1 FROM audit_log_minimum m WHERE m.log_id = NEW.log_id AND m.minimum >= NEW.minimum)
        AND EXISTS (SELECT 1 FROM audit_log g WHERE g.id = NEW.log_id AND g.kind IN ('customer', 'operator'))
        AND EXISTS (SELECT 1 FROM audit_log_checkpoint c WHERE c.log_id = NEW.log_id AND c.size > NEW.position)
        AND EXISTS (SELECT 1 FROM audit_log_leaf l WHERE l.log_id = NEW.log_id AND l.position = NEW.position AND l.event_id = NEW.event_id AND json_valid(CAST(l.content AS TEXT))
        AND json_extract(CAST(l.content AS TEXT), '$.type') = 'audit.log-pruned' AND json_extract(CAST(l.content AS TEXT), '$.changes[0].path') = '/minimum' AND json_extract(CAST(l.content AS TEXT), '$.changes[0].value') = NEW.minimum))
        """ + "\n";
}
