using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.PostgreSql.Migrations
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
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    contract_id = table.Column<Guid>(type: "uuid", nullable: true),
                    plan = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false, collation: "C"),
                    kind = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    status = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false, collation: "C"),
                    reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true, collation: "C"),
                    not_before = table.Column<long>(type: "bigint", nullable: false),
                    not_after = table.Column<long>(type: "bigint", nullable: false),
                    grace_until = table.Column<long>(type: "bigint", nullable: false),
                    enforcement = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, collation: "C"),
                    limits = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    entitlements = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    lease_days = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    from_hour = table.Column<int>(type: "integer", nullable: false),
                    serial = table.Column<long>(type: "bigint", nullable: false),
                    issued_at = table.Column<long>(type: "bigint", nullable: false),
                    lease_until = table.Column<long>(type: "bigint", nullable: false),
                    lease = table.Column<byte[]>(type: "bytea", nullable: false),
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
                    cluster_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    license_id = table.Column<Guid>(type: "uuid", nullable: true),
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
