using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class AuditExports : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "report",
                table: "notifications_delivery",
                type: "TEXT",
                maxLength: 40,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit_export",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    log_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    origin = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    endpoint_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    format = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    first_index = table.Column<long>(type: "INTEGER", nullable: false),
                    next_index = table.Column<long>(type: "INTEGER", nullable: false),
                    last_hash = table.Column<byte[]>(type: "BLOB", maxLength: 32, nullable: true),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    batch_end = table.Column<long>(type: "INTEGER", nullable: true),
                    batch_hash = table.Column<byte[]>(type: "BLOB", maxLength: 32, nullable: true),
                    batch_at = table.Column<long>(type: "INTEGER", nullable: false),
                    sent_at = table.Column<long>(type: "INTEGER", nullable: true),
                    problem = table.Column<string>(type: "TEXT", maxLength: 400, nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_export", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_export_batch_id",
                table: "audit_export",
                column: "batch_id");

            migrationBuilder.CreateIndex(
                name: "IX_audit_export_customer_id",
                table: "audit_export",
                column: "customer_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_export");

            migrationBuilder.DropColumn(
                name: "report",
                table: "notifications_delivery");
        }
    }
}
