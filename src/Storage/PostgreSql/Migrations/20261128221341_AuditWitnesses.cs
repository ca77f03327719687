using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.PostgreSql.Migrations
{
    /// <inheritdoc />
    public partial class AuditWitnesses : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_cosignature",
                columns: table => new
                {
                    log_id = table.Column<Guid>(type: "uuid", nullable: false),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    cluster_id = table.Column<Guid>(type: "uuid", nullable: false),
                    line = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_cosignature", x => new { x.log_id, x.size, x.cluster_id });
                });

            migrationBuilder.CreateTable(
                name: "audit_witness",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "uuid", nullable: false),
                    customer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    cluster_version = table.Column<long>(type: "bigint", nullable: false),
                    public_key = table.Column<byte[]>(type: "bytea", maxLength: 32, nullable: true),
                    is_active = table.Column<bool>(type: "boolean", nullable: false),
                    is_enlisted = table.Column<bool>(type: "boolean", nullable: false),
                    may_be_asked = table.Column<bool>(type: "boolean", nullable: false),
                    has_seat = table.Column<bool>(type: "boolean", nullable: false),
                    asked_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: false),
                    answered_at = table.Column<long>(type: "bigint", nullable: true),
                    item_rank = table.Column<long>(type: "bigint", nullable: false),
                    retries = table.Column<int>(type: "integer", nullable: false),
                    anchor_asked = table.Column<long>(type: "bigint", nullable: false),
                    anchor_size = table.Column<long>(type: "bigint", nullable: false),
                    anchor_refusal = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: true, collation: "C"),
                    customer_size = table.Column<long>(type: "bigint", nullable: false),
                    customer_refusal = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: true, collation: "C"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_witness", x => x.cluster_id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_cosignature_log_id_cluster_id_size",
                table: "audit_cosignature",
                columns: new[] { "log_id", "cluster_id", "size" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_witness_customer_id",
                table: "audit_witness",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_audit_witness_has_seat_may_be_asked_answered_at",
                table: "audit_witness",
                columns: new[] { "has_seat", "may_be_asked", "answered_at" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_witness_may_be_asked_due_at",
                table: "audit_witness",
                columns: new[] { "may_be_asked", "due_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_cosignature");

            migrationBuilder.DropTable(
                name: "audit_witness");
        }
    }
}
