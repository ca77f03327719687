namespace MissionControl.Storage.SqlServer;

/// <summary>
/// What guards append-only tables. Those of the audit log may lose an entry, but only below a minimum of its log, and a minimum comes only
/// when a signed entry of that log says it.
/// </summary>
internal static class PruneTriggers
{
    private const string Prune = """
        INSTEAD OF UPDATE, DELETE AS BEGIN SET NOCOUNT ON;
        IF EXISTS (SELECT 1 FROM inserted) OR EXISTS (SELECT 1 FROM deleted d WHERE NOT EXISTS (SELECT 1 FROM [audit_log_minimum] m WHERE m.[log_id] = d.[log_id] AND m.[minimum] > d.[position])) THROW 51000, 'audit_log_leaf is append-only', 1;
        DELETE l FROM [audit_log_leaf] l INNER JOIN deleted d ON l.[log_id] = d.[log_id] AND l.[position] = d.[position]; END
        """;

    private const string Publish = """
        AFTER INSERT AS BEGIN SET NOCOUNT ON;
        IF EXISTS (SELECT 1 FROM inserted i WHERE NOT (i.[minimum] > 0 AND i.[minimum] % 256 = 0 AND i.[position] >= i.[minimum]
        AND NOT EXISTS (SELECT 1 FROM [audit_log_minimum] m WHERE m.[log_id] = i.[log_id] AND m.[minimum] > i.[minimum])
        AND EXISTS (SELECT 1 FROM [audit_log] g WHERE g.[id] = i.[log_id] AND g.[kind] IN ('customer', 'operator'))
        AND EXISTS (SELECT 1 FROM [audit_log_checkpoint] c WHERE c.[log_id] = i.[log_id] AND c.[size] > i.[position])
        AND EXISTS (SELECT 1 FROM [audit_log_leaf] l WHERE l.[log_id] = i.[log_id] AND l.[position] = i.[position] AND l.[event_id] = i.[event_id] AND ISJSON(CONVERT(varchar(max), l.[content])) = 1
        AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.type') = 'audit.log-pruned' AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.changes[0].path') = '/minimum' AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.changes[0].value') = CONVERT(varchar(20), i.[minimum])))) THROW 51000, 'audit_log_minimum is append-only', 1; END
        """;

    /// <summary>The triggers of a table: name, and all behind <c>ON table</c>.</summary>
    public static IReadOnlyList<(string Name, string Body)> Of(string table) => table switch
    {
        "audit_log_leaf" => [($"{table}_append_only", Prune)],
        "audit_log_minimum" => [($"{table}_append_only", Standard(table)), ($"{table}_said", Publish)],
        _ => [($"{table}_append_only", Standard(table))],
    };

    /// <summary>Which rows of a table nobody may delete: all of them, but for entries below a minimum that did not go yet.</summary>
    public static string Kept(string table) => table == "audit_log_leaf" ? " WHERE NOT EXISTS (SELECT 1 FROM [audit_log_minimum] m WHERE m.[log_id] = t.[log_id] AND m.[minimum] > t.[position])" : "";

    private static string Standard(string table) => $"INSTEAD OF UPDATE, DELETE AS THROW 51000, '{table} is append-only', 1";
}
