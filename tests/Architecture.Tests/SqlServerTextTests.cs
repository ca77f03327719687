using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using MissionControl.Platform.Data;
using MissionControl.Storage.SqlServer;

namespace MissionControl.Architecture.Tests;

/// <summary>
/// What can be known of SQL Server without one: the whole text that would be sent, seen in review, and the limits that the engine
/// only checks when a row meets them. With a server, Storage.Tests run the contract itself.
/// </summary>
public sealed class SqlServerTextTests
{
    // Bytes of a key of a clustered index and of any other index.
    private const int MaxClusteredKey = 900;
    private const int MaxKey = 1700;

    [Fact]
    public void The_schema_is_what_was_reviewed()
    {
        using var db = new DesignTimeFactory().CreateDbContext([]);
        var script = db.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent);

        // The migration's time stamp and the library's version are no part of the schema.
        var id = db.Database.GetService<IMigrationsAssembly>().Migrations.Keys.ToList();
        script = id.Aggregate(script, (text, name) => text.Replace(name, name[(name.IndexOf('_', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal));
        GoldenFile.Check("tests/Architecture.Tests/Golden/sqlserver-schema.sql", script.Replace(ProductInfo.GetVersion(), "(version)", StringComparison.Ordinal).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_statements_are_what_was_reviewed()
    {
        using var db = new DesignTimeFactory().CreateDbContext([]);
        var dialect = (SqlServerDialect)db.Dialect;
        var health = new BulkRows("fleet_last_health", ["cluster_id", "customer_id", "rank", "at", "status", "body"], ["cluster_id"], []);
        var inbox = new BulkRows("fleet_inbox", ["consumer", "message_id", "applied_at"], ["consumer", "message_id"], []);
        var text = new StringBuilder();
        Add("insert if absent", BulkSql.Write(inbox, dialect.Types(db.Model, inbox.Table), null));
        Add("upsert", BulkSql.Write(health, dialect.Types(db.Model, health.Table), ""));
        Add("upsert only if newer", BulkSql.Write(health, dialect.Types(db.Model, health.Table), " WHERE s.[rank] > t.[rank]"));
        Add("read by key", BulkSql.Read(inbox.Table, inbox.Key, ["applied_at"], dialect.Types(db.Model, inbox.Table)));
        Add("claim", BulkSql.Claim("fleet_outbox"));
        foreach (var table in AppendOnly.Tables(db.Model))
        {
            Add($"append-only {table}", string.Join("\nGO\n", dialect.AppendOnlySql(table).Append(SqlServerDialect.NoTruncateSql(db.Model, table))));
        }

        GoldenFile.Check("tests/Architecture.Tests/Golden/sqlserver-statements.sql", text.ToString());

        void Add(string title, string sql) => text.Append("-- ").Append(title).Append('\n').Append(sql).Append("\n\n");
    }

    [Fact]
    public void Rows_travel_as_json_that_keeps_every_value()
    {
        var id = Guid.Parse("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");

        var json = BulkSql.ToJson([(3, [long.MaxValue, int.MinValue, 0.1, true, "a\"b\\ü漢\u0001", id, new byte[] { 0, 255 }, Array.Empty<byte>(), null])]);

        Assert.Equal("""[[3,9223372036854775807,-2147483648,0.1,true,"a\"b\\ü漢\u0001","0190A1B2C3D47E5F8A9B0C1D2E3F4A5B","00FF","",null]]""", json);
        using var document = JsonDocument.Parse(json);
        Assert.Equal("a\"b\\ü漢\u0001", document.RootElement[0][5].GetString());
    }

    [Fact]
    public void Every_index_fits_the_longest_row()
    {
        using var db = new DesignTimeFactory().CreateDbContext([]);
        var tables = db.Model.GetRelationalModel().Tables.ToList();

        Assert.DoesNotContain(tables, table => Size(table.PrimaryKey!.Columns) > MaxClusteredKey);
        Assert.DoesNotContain(tables.SelectMany(table => table.Indexes), index => Size(index.Columns) > MaxKey);
    }

    [Fact]
    public void Texts_and_ids_compare_as_on_the_other_engines()
    {
        using var db = new DesignTimeFactory().CreateDbContext([]);
        var columns = db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables.SelectMany(table => table.Columns).ToList();

        Assert.DoesNotContain(columns, column => column.StoreType == "uniqueidentifier");
        Assert.DoesNotContain(columns, column => column.StoreType.StartsWith("nvarchar", StringComparison.Ordinal) && column.Collation != BulkSql.Collation);
    }

    [Fact]
    public void The_driver_finds_the_types_it_binds_to()
    {
        var wanted = typeof(SqlConnection).Assembly.GetReferencedAssemblies().Single(name => name.Name == "Microsoft.SqlServer.Server");

        var types = Assembly.Load(wanted).GetExportedTypes().Select(type => type.Name).ToList();

        Assert.Superset(
            new HashSet<string> { "DataAccessKind", "Format", "IBinarySerialize", "InvalidUdtException", "SqlFacetAttribute", "SqlFunctionAttribute", "SqlMethodAttribute", "SqlUserDefinedAggregateAttribute", "SqlUserDefinedTypeAttribute", "SystemDataAccessKind" },
            types.ToHashSet());
    }

    private static int Size(IEnumerable<IColumnBase> columns) => columns.Sum(column => column.StoreType switch
    {
        "bigint" or "float" => 8,
        "int" => 4,
        "bit" => 1,
        var type when type.StartsWith("nvarchar(", StringComparison.Ordinal) && type != "nvarchar(max)" => 2 * int.Parse(type[9..^1], System.Globalization.CultureInfo.InvariantCulture),
        var type when type.Contains("binary(", StringComparison.Ordinal) && !type.EndsWith("(max)", StringComparison.Ordinal) => int.Parse(type[(type.IndexOf('(', StringComparison.Ordinal) + 1)..^1], System.Globalization.CultureInfo.InvariantCulture),
        _ => int.MaxValue / 8,
    });
}
