using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class AuditClusterLogs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_cluster_log",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    origin = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    root = table.Column<byte[]>(type: "BLOB", maxLength: 32, nullable: false),
                    range = table.Column<byte[]>(type: "BLOB", maxLength: 2016, nullable: false),
                    note = table.Column<string>(type: "TEXT", nullable: false),
                    begun_at = table.Column<long>(type: "INTEGER", nullable: false),
                    confirmed_at = table.Column<long>(type: "INTEGER", nullable: false),
                    matched = table.Column<long>(type: "INTEGER", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    refusal = table.Column<string>(type: "TEXT", maxLength: 20, nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_cluster_log", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_cluster_log_entry",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    position = table.Column<long>(type: "INTEGER", nullable: false),
                    taken_at = table.Column<long>(type: "INTEGER", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_cluster_log_entry", x => new { x.cluster_id, x.epoch, x.position });
                });

            migrationBuilder.CreateTable(
                name: "audit_unmatched",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    side = table.Column<string>(type: "TEXT", maxLength: 10, nullable: false),
                    reference = table.Column<string>(type: "TEXT", maxLength: 150, nullable: false),
                    found = table.Column<bool>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_unmatched", x => new { x.cluster_id, x.epoch, x.side, x.reference, x.found });
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_index_cluster_id_type",
                table: "audit_index",
                columns: new[] { "cluster_id", "type" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_cluster_log_customer_id",
                table: "audit_cluster_log",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_audit_cluster_log_due_at",
                table: "audit_cluster_log",
                column: "due_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_unmatched_customer_id",
                table: "audit_unmatched",
                column: "customer_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_cluster_log");

            migrationBuilder.DropTable(
                name: "audit_cluster_log_entry");

            migrationBuilder.DropTable(
                name: "audit_unmatched");

            migrationBuilder.DropIndex(
                name: "IX_audit_index_cluster_id_type",
                table: "audit_index");
        }
    }
}
