using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class AuditAnchor : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_epoch_slots",
                columns: table => new
                {
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_epoch_slots", x => x.epoch);
                });

            migrationBuilder.CreateTable(
                name: "audit_log_slot",
                columns: table => new
                {
                    slot = table.Column<long>(type: "INTEGER", nullable: false),
                    log_id = table.Column<Guid>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_log_slot", x => x.slot);
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_log_slot_log_id",
                table: "audit_log_slot",
                column: "log_id",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_epoch_slots");

            migrationBuilder.DropTable(
                name: "audit_log_slot");
        }
    }
}
