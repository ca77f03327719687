using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.SqlServer;

/// <summary>
/// The text of the bulk statements. All rows go as one JSON parameter (<c>OPENJSON</c>) into a table variable that is ordered by the
/// key, so one text and one plan serve any number of rows, and two replicas take their locks in one order. MERGE is not used: without
/// further hints it is not safe against itself.
/// </summary>
internal static class BulkSql
{
    /// <summary>The collation of every text: by code points, as the other engines compare.</summary>
    public const string Collation = "Latin1_General_100_BIN2";

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>
    /// Overwrites what is there, as far as <paramref name="condition"/> (over s, the new row, and t, the stored one) allows, and inserts
    /// what is not; answers the positions of the rows that were written. A null condition leaves alone what is there.
    /// </summary>
    public static string Write(BulkRows rows, IReadOnlyDictionary<string, string> types, string? condition)
    {
        var (table, columns, set) = (Quote(rows.Table), List(rows.Columns), rows.Columns.Except(rows.Key).ToList());
        var sql = new StringBuilder("SET NOCOUNT ON;\n").Append(Source(rows.Columns, rows.Key, types, isUnique: true));
        sql.Append("DECLARE @written TABLE (mc_ordinal int NOT NULL);\nDECLARE @absent TABLE (mc_ordinal int NOT NULL PRIMARY KEY);\n");
        if (condition is not null && set.Count > 0)
        {
            sql.Append(CultureInfo.InvariantCulture, $"UPDATE t SET {string.Join(", ", set.Select(column => $"t.{Quote(column)} = s.{Quote(column)}"))} OUTPUT s.mc_ordinal INTO @written\n");
            sql.Append(CultureInfo.InvariantCulture, $"FROM @rows AS s INNER LOOP JOIN {table} AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) ON {Join(rows.Key)}{condition} OPTION (FORCE ORDER);\n");
        }

        // The range locks of the search keep the gap until the commit: who comes second waits, and then finds the row.
        sql.Append(CultureInfo.InvariantCulture, $"INSERT INTO @absent SELECT s.mc_ordinal FROM @rows AS s WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) WHERE {Join(rows.Key)}) OPTION (LOOP JOIN, FORCE ORDER);\n");
        sql.Append(CultureInfo.InvariantCulture, $"INSERT INTO {table} ({columns}) SELECT {columns} FROM @rows WHERE mc_ordinal IN (SELECT mc_ordinal FROM @absent);\n");
        return sql.Append("SELECT mc_ordinal FROM @written UNION ALL SELECT mc_ordinal FROM @absent;").ToString();
    }

    /// <summary>Reads rows by their keys; answers the position of each key and the columns.</summary>
    public static string Read(string table, IReadOnlyList<string> key, IReadOnlyList<string> columns, IReadOnlyDictionary<string, string> types) =>
        $"SET NOCOUNT ON;\n{Source(key, key, types, isUnique: false)}" +
        $"SELECT s.mc_ordinal, {string.Join(", ", columns.Select(column => "t." + Quote(column)))} FROM @rows AS s INNER LOOP JOIN {Quote(table)} AS t ON {Join(key)} OPTION (FORCE ORDER);";

    /// <summary>Locks rows by their keys, in the order of the keys, until the transaction ends.</summary>
    public static string Lock(string table, IReadOnlyList<string> key, IReadOnlyDictionary<string, string> types) =>
        $"SET NOCOUNT ON;\n{Source(key, key, types, isUnique: false)}DECLARE @locked int;\n" +
        $"SELECT @locked = COUNT(*) FROM @rows AS s INNER LOOP JOIN {Quote(table)} AS t WITH (UPDLOCK, ROWLOCK) ON {Join(key)} OPTION (FORCE ORDER);";

    /// <summary>Claims due outbox rows; rows that another dispatcher is claiming are passed over.</summary>
    public static string Claim(string table) =>
        $"WITH due AS (SELECT TOP (@limit) * FROM {Quote(table)} WITH (UPDLOCK, READPAST, ROWLOCK) WHERE next_attempt_at <= @now OR next_attempt_at > @beyond ORDER BY id)\n" +
        "UPDATE due SET next_attempt_at = @until OUTPUT inserted.id, inserted.type, inserted.[key], inserted.payload, inserted.attachment, inserted.created_at, inserted.attempts, inserted.last_error;";

    /// <summary>The rows as a JSON array of arrays, the position first; bytes and ids in hexadecimal.</summary>
    public static string ToJson(IEnumerable<(int Position, object?[] Values)> rows)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Json))
        {
            writer.WriteStartArray();
            foreach (var (position, values) in rows)
            {
                writer.WriteStartArray();
                writer.WriteNumberValue(position);
                foreach (var value in values)
                {
                    WriteValue(writer, value);
                }

                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    public static string Quote(string name) => $"[{name}]";

    private static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case int number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case Guid id:
                writer.WriteStringValue(Convert.ToHexString(id.ToByteArray(bigEndian: true)));
                break;
            case byte[] bytes:
                writer.WriteStringValue(Convert.ToHexString(bytes));
                break;
            default:
                throw new NotSupportedException($"Values of type {value.GetType().Name} are not written in bulk.");
        }
    }

    private static string Source(IReadOnlyList<string> columns, IReadOnlyList<string> key, IReadOnlyDictionary<string, string> types, bool isUnique)
    {
        var declared = string.Join(", ", columns.Select(column => $"{Quote(column)} {types[column]}{(IsText(types[column]) ? $" COLLATE {Collation}" : "")}{(key.Contains(column) ? " NOT NULL" : " NULL")}"));
        var order = isUnique ? $"PRIMARY KEY ({List(key)})" : $"PRIMARY KEY ({List(key)}, mc_ordinal)";
        var selected = string.Join(", ", columns.Select(column => IsBinary(types[column]) ? $"CONVERT({types[column]}, j.{Quote(column)}, 2)" : $"j.{Quote(column)}"));

        // Read without a bound: what is too long must fail where it is stored, not arrive cut off or as null.
        var read = string.Join(", ", columns.Select((column, i) => $"{Quote(column)} {(IsBinary(types[column]) ? "varchar(max)" : IsText(types[column]) ? "nvarchar(max)" : types[column])} '$[{i + 1}]'"));
        return $"DECLARE @rows TABLE (mc_ordinal int NOT NULL, {declared}, {order});\n" +
            $"INSERT INTO @rows SELECT j.mc_ordinal, {selected} FROM OPENJSON(@json) WITH (mc_ordinal int '$[0]', {read}) AS j;\n";
    }

    private static bool IsText(string type) => type.StartsWith("nvarchar", StringComparison.Ordinal);

    private static bool IsBinary(string type) => type.Contains("binary", StringComparison.Ordinal);

    private static string Join(IEnumerable<string> key) => string.Join(" AND ", key.Select(column => $"t.{Quote(column)} = s.{Quote(column)}"));

    private static string List(IEnumerable<string> columns) => string.Join(", ", columns.Select(Quote));
}
