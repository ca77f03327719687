using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.PostgreSql.Migrations
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

            // The triggers follow the table, and get its name; a database that is made anew has none yet.
            migrationBuilder.Sql("""
                DO $$
                DECLARE trigger_name text;
                BEGIN
                  FOREACH trigger_name IN ARRAY ARRAY['append_only', 'no_truncate'] LOOP
                    IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = 'audit_entry_foundation'::regclass AND tgname = 'audit_entry_' || trigger_name) THEN
                      EXECUTE format('ALTER TRIGGER %I ON audit_entry_foundation RENAME TO %I', 'audit_entry_' || trigger_name, 'audit_entry_foundation_' || trigger_name);
                    END IF;
                  END LOOP;
                END $$;
                """);

            migrationBuilder.CreateTable(
                name: "audit_index",
                columns: table => new
                {
                    log_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    event_id = table.Column<Guid>(type: "uuid", nullable: false),
                    occurred_at = table.Column<long>(type: "bigint", nullable: false),
                    recorded_at = table.Column<long>(type: "bigint", nullable: false),
                    log = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    cluster_id = table.Column<Guid>(type: "uuid", nullable: true),
                    type = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false, collation: "C"),
                    is_read = table.Column<bool>(type: "boolean", nullable: false),
                    outcome = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    actor_kind = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    actor_id = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false, collation: "C"),
                    target_type = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false, collation: "C"),
                    target_id = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false, collation: "C"),
                    reason = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    producer = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false, collation: "C"),
                    producer_seq = table.Column<long>(type: "bigint", nullable: false),
                    imported = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_index", x => new { x.log_id, x.position });
                });

            migrationBuilder.CreateTable(
                name: "audit_progress",
                columns: table => new
                {
                    name = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false, collation: "C"),
                    place = table.Column<long>(type: "bigint", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    done = table.Column<bool>(type: "boolean", nullable: false)
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
