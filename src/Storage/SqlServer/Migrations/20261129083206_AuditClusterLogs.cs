using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
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
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    origin = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    root = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    range = table.Column<byte[]>(type: "varbinary(2016)", maxLength: 2016, nullable: false),
                    note = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    begun_at = table.Column<long>(type: "bigint", nullable: false),
                    confirmed_at = table.Column<long>(type: "bigint", nullable: false),
                    matched = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    refusal = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: true, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_cluster_log", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_cluster_log_entry",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    taken_at = table.Column<long>(type: "bigint", nullable: false),
                    content = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_cluster_log_entry", x => new { x.cluster_id, x.epoch, x.position });
                });

            migrationBuilder.CreateTable(
                name: "audit_unmatched",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    side = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reference = table.Column<string>(type: "nvarchar(150)", maxLength: 150, nullable: false, collation: "Latin1_General_100_BIN2"),
                    found = table.Column<bool>(type: "bit", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
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
