using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class AuditIndex : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Nothing of it is written anew: the rows, their key and the index by which they are imported stay.
            migrationBuilder.DropIndex(
                name: "IX_audit_entry_customer_id_occurred_at",
                table: "audit_entry");

            migrationBuilder.DropIndex(
                name: "IX_audit_entry_is_read_occurred_at_id",
                table: "audit_entry");

            migrationBuilder.DropIndex(
                name: "IX_audit_entry_producer_producer_seq",
                table: "audit_entry");

            migrationBuilder.RenameTable(
                name: "audit_entry",
                newName: "audit_entry_foundation");

            // The trigger follows the table, and so does the table that keeps it from being truncated. Only one trigger may stand in place
            // of an update, so that the one of the new name takes the place of the old in this transaction; a database that is made anew
            // has neither yet.
            migrationBuilder.Sql("""
                IF OBJECT_ID('audit_entry_append_only') IS NOT NULL
                BEGIN
                    DROP TRIGGER [audit_entry_append_only];
                    EXEC('CREATE TRIGGER [audit_entry_foundation_append_only] ON [audit_entry_foundation] INSTEAD OF UPDATE, DELETE AS THROW 51000, ''audit_entry_foundation is append-only'', 1;');
                END;
                IF OBJECT_ID('audit_entry_no_truncate') IS NOT NULL EXEC sp_rename 'audit_entry_no_truncate', 'audit_entry_foundation_no_truncate';
                """);

            migrationBuilder.CreateTable(
                name: "audit_index",
                columns: table => new
                {
                    log_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    event_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    occurred_at = table.Column<long>(type: "bigint", nullable: false),
                    recorded_at = table.Column<long>(type: "bigint", nullable: false),
                    log = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    is_read = table.Column<bool>(type: "bit", nullable: false),
                    outcome = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor_kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor_id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    target_type = table.Column<string>(type: "nvarchar(50)", maxLength: 50, nullable: false, collation: "Latin1_General_100_BIN2"),
                    target_id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(max)", nullable: true, collation: "Latin1_General_100_BIN2"),
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    producer_seq = table.Column<long>(type: "bigint", nullable: false),
                    imported = table.Column<bool>(type: "bit", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_index", x => new { x.log_id, x.position });
                });

            migrationBuilder.CreateTable(
                name: "audit_progress",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    place = table.Column<long>(type: "bigint", nullable: false),
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    done = table.Column<bool>(type: "bit", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_progress", x => x.name);
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_index_customer_id_occurred_at_log_id_position",
                table: "audit_index",
                columns: new[] { "customer_id", "occurred_at", "log_id", "position" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_index_is_read_occurred_at_log_id_position",
                table: "audit_index",
                columns: new[] { "is_read", "occurred_at", "log_id", "position" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_index_occurred_at_log_id_position",
                table: "audit_index",
                columns: new[] { "occurred_at", "log_id", "position" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_index_producer_producer_seq",
                table: "audit_index",
                columns: new[] { "producer", "producer_seq" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_index");

            migrationBuilder.DropTable(
                name: "audit_progress");

            migrationBuilder.RenameTable(
                name: "audit_entry_foundation",
                newName: "audit_entry");

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_customer_id_occurred_at",
                table: "audit_entry",
                columns: new[] { "customer_id", "occurred_at" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_is_read_occurred_at_id",
                table: "audit_entry",
                columns: new[] { "is_read", "occurred_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_producer_producer_seq",
                table: "audit_entry",
                columns: new[] { "producer", "producer_seq" },
                unique: true);
        }
    }
}
