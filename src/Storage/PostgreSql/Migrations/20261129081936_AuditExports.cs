using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.PostgreSql.Migrations
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
                type: "character varying(40)",
                maxLength: 40,
                nullable: true,
                collation: "C");

            migrationBuilder.CreateTable(
                name: "audit_export",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    log_id = table.Column<Guid>(type: "uuid", nullable: false),
                    origin = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false, collation: "C"),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    endpoint_id = table.Column<Guid>(type: "uuid", nullable: false),
                    format = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    first_index = table.Column<long>(type: "bigint", nullable: false),
                    next_index = table.Column<long>(type: "bigint", nullable: false),
                    last_hash = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: true),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: true),
                    batch_end = table.Column<long>(type: "bigint", nullable: true),
                    batch_hash = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: true),
                    batch_at = table.Column<long>(type: "bigint", nullable: false),
                    sent_at = table.Column<long>(type: "bigint", nullable: true),
                    problem = table.Column<string>(type: "character varying(400)", maxLength: 400, nullable: true, collation: "C"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
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
