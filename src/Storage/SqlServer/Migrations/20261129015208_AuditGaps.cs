using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class AuditGaps : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_numbers_read",
                columns: table => new
                {
                    log_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_numbers_read", x => x.log_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_producer",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reached = table.Column<long>(type: "bigint", nullable: false),
                    known = table.Column<long>(type: "bigint", nullable: true),
                    untold_since = table.Column<long>(type: "bigint", nullable: true),
                    holes = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_producer", x => x.name);
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_producer_known",
                table: "audit_producer",
                column: "known");

            migrationBuilder.CreateIndex(
                name: "IX_audit_producer_untold_since",
                table: "audit_producer",
                column: "untold_since");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_numbers_read");

            migrationBuilder.DropTable(
                name: "audit_producer");
        }
    }
}
