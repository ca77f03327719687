using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class Licenses : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "licensing_license",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    contract_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    plan = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    status = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    not_before = table.Column<long>(type: "bigint", nullable: false),
                    not_after = table.Column<long>(type: "bigint", nullable: false),
                    grace_until = table.Column<long>(type: "bigint", nullable: false),
                    enforcement = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    limits = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    entitlements = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    lease_days = table.Column<int>(type: "int", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    from_hour = table.Column<int>(type: "int", nullable: false),
                    serial = table.Column<long>(type: "bigint", nullable: false),
                    issued_at = table.Column<long>(type: "bigint", nullable: false),
                    lease_until = table.Column<long>(type: "bigint", nullable: false),
                    lease = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    notice_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_license", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_license_cluster",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    license_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    serial = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_license_cluster", x => x.cluster_id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_customer_id_not_after",
                table: "licensing_license",
                columns: new[] { "customer_id", "not_after" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_due_at",
                table: "licensing_license",
                column: "due_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_not_after_id",
                table: "licensing_license",
                columns: new[] { "not_after", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_notice_at",
                table: "licensing_license",
                column: "notice_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_plan_id",
                table: "licensing_license",
                columns: new[] { "plan", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_license_cluster_license_id",
                table: "licensing_license_cluster",
                column: "license_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "licensing_license");

            migrationBuilder.DropTable(
                name: "licensing_license_cluster");
        }
    }
}
