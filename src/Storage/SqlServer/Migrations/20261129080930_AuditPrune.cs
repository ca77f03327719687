using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class AuditPrune : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_log_minimum",
                columns: table => new
                {
                    log_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    minimum = table.Column<long>(type: "bigint", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    event_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    published_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_log_minimum", x => new { x.log_id, x.minimum });
                });

            migrationBuilder.CreateTable(
                name: "audit_log_pruned",
                columns: table => new
                {
                    log_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    event_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    event_hash = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_log_pruned", x => new { x.log_id, x.event_id });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_log_minimum");

            migrationBuilder.DropTable(
                name: "audit_log_pruned");
        }
    }
}
