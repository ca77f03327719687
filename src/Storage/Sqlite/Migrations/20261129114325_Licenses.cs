using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
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
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    contract_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    plan = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    kind = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    status = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    not_before = table.Column<long>(type: "INTEGER", nullable: false),
                    not_after = table.Column<long>(type: "INTEGER", nullable: false),
                    grace_until = table.Column<long>(type: "INTEGER", nullable: false),
                    enforcement = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    limits = table.Column<string>(type: "TEXT", nullable: false),
                    entitlements = table.Column<string>(type: "TEXT", nullable: false),
                    lease_days = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    serial = table.Column<long>(type: "INTEGER", nullable: false),
                    issued_at = table.Column<long>(type: "INTEGER", nullable: false),
                    lease_until = table.Column<long>(type: "INTEGER", nullable: false),
                    lease = table.Column<byte[]>(type: "BLOB", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    notice_at = table.Column<long>(type: "INTEGER", nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_license", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_license_cluster",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    license_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    serial = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
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
