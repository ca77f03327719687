using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
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

            // The triggers follow the table, and get its name, one after the other: it is never without.
            migrationBuilder.Sql("CREATE TRIGGER IF NOT EXISTS audit_entry_foundation_no_update BEFORE UPDATE ON audit_entry_foundation BEGIN SELECT RAISE(ABORT, 'audit_entry_foundation is append-only'); END;");
            migrationBuilder.Sql("CREATE TRIGGER IF NOT EXISTS audit_entry_foundation_no_delete BEFORE DELETE ON audit_entry_foundation BEGIN SELECT RAISE(ABORT, 'audit_entry_foundation is append-only'); END;");
            migrationBuilder.Sql("DROP TRIGGER IF EXISTS audit_entry_no_update;");
            migrationBuilder.Sql("DROP TRIGGER IF EXISTS audit_entry_no_delete;");

            migrationBuilder.CreateTable(
                name: "audit_index",
                columns: table => new
                {
                    log_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    position = table.Column<long>(type: "INTEGER", nullable: false),
                    event_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    occurred_at = table.Column<long>(type: "INTEGER", nullable: false),
                    recorded_at = table.Column<long>(type: "INTEGER", nullable: false),
                    log = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    type = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    is_read = table.Column<bool>(type: "INTEGER", nullable: false),
                    outcome = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    actor_kind = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    actor_id = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    target_type = table.Column<string>(type: "TEXT", maxLength: 50, nullable: false),
                    target_id = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: true),
                    producer = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    producer_seq = table.Column<long>(type: "INTEGER", nullable: false),
                    imported = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_index", x => new { x.log_id, x.position });
                });

            migrationBuilder.CreateTable(
                name: "audit_progress",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    place = table.Column<long>(type: "INTEGER", nullable: false),
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    done = table.Column<bool>(type: "INTEGER", nullable: false)
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
