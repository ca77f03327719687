using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Ledger : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "licensing_cell",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hour = table.Column<int>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<long>(type: "INTEGER", nullable: false),
                    meter = table.Column<string>(type: "TEXT", maxLength: 63, nullable: false),
                    dimension_hash = table.Column<long>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    meter_version = table.Column<int>(type: "INTEGER", nullable: false),
                    environment = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    dimensions = table.Column<string>(type: "TEXT", nullable: false),
                    quantity = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cell", x => new { x.cluster_id, x.hour, x.epoch, x.revision, x.meter, x.dimension_hash });
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    clone_suspected = table.Column<bool>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    enrolled_at = table.Column<long>(type: "INTEGER", nullable: false),
                    ended_at = table.Column<long>(type: "INTEGER", nullable: true),
                    keys = table.Column<string>(type: "TEXT", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster_epoch",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    issued_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster_epoch", x => new { x.cluster_id, x.epoch });
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster_ledger",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    coverage = table.Column<byte[]>(type: "BLOB", nullable: false),
                    results = table.Column<string>(type: "TEXT", nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster_ledger", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_due_receipt",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_due_receipt", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_meter",
                columns: table => new
                {
                    key = table.Column<string>(type: "TEXT", maxLength: 63, nullable: false),
                    meter_version = table.Column<int>(type: "INTEGER", nullable: false),
                    unit = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    scale = table.Column<int>(type: "INTEGER", nullable: false),
                    aggregation = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    description = table.Column<string>(type: "TEXT", maxLength: 300, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_meter", x => new { x.key, x.meter_version });
                });

            migrationBuilder.CreateTable(
                name: "licensing_parked_cell",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hour = table.Column<int>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<long>(type: "INTEGER", nullable: false),
                    meter = table.Column<string>(type: "TEXT", maxLength: 63, nullable: false),
                    dimension_hash = table.Column<long>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    meter_version = table.Column<int>(type: "INTEGER", nullable: false),
                    environment = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    dimensions = table.Column<string>(type: "TEXT", nullable: false),
                    quantity = table.Column<string>(type: "TEXT", maxLength: 30, nullable: false),
                    problem = table.Column<string>(type: "TEXT", maxLength: 60, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_parked_cell", x => new { x.cluster_id, x.hour, x.epoch, x.revision, x.meter, x.dimension_hash });
                });

            migrationBuilder.CreateTable(
                name: "licensing_quarantined_window",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hour = table.Column<int>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<long>(type: "INTEGER", nullable: false),
                    problem = table.Column<string>(type: "TEXT", maxLength: 60, nullable: false),
                    detail = table.Column<string>(type: "TEXT", maxLength: 500, nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false),
                    decided_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_quarantined_window", x => new { x.cluster_id, x.sha256 });
                });

            migrationBuilder.CreateTable(
                name: "licensing_waiting_window",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    seq = table.Column<long>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 60, nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_waiting_window", x => new { x.cluster_id, x.epoch, x.seq });
                });

            migrationBuilder.CreateTable(
                name: "licensing_window",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hour = table.Column<int>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<long>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    verdict = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    complete = table.Column<bool>(type: "INTEGER", nullable: false),
                    cells = table.Column<int>(type: "INTEGER", nullable: false),
                    collected_at = table.Column<long>(type: "INTEGER", nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: false),
                    kid = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    signature = table.Column<byte[]>(type: "BLOB", nullable: false),
                    payload = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_window", x => new { x.cluster_id, x.hour, x.epoch, x.revision });
                });

            migrationBuilder.CreateTable(
                name: "licensing_window_head",
                columns: table => new
                {
                    cluster_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    hour = table.Column<int>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    rank = table.Column<long>(type: "INTEGER", nullable: false),
                    epoch = table.Column<long>(type: "INTEGER", nullable: false),
                    revision = table.Column<long>(type: "INTEGER", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    complete = table.Column<bool>(type: "INTEGER", nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_window_head", x => new { x.cluster_id, x.hour });
                });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_cluster_customer_id",
                table: "licensing_cluster",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_parked_cell_meter_meter_version",
                table: "licensing_parked_cell",
                columns: new[] { "meter", "meter_version" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_quarantined_window_customer_id_hour",
                table: "licensing_quarantined_window",
                columns: new[] { "customer_id", "hour" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_window_head_customer_id_hour",
                table: "licensing_window_head",
                columns: new[] { "customer_id", "hour" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "licensing_cell");

            migrationBuilder.DropTable(
                name: "licensing_cluster");

            migrationBuilder.DropTable(
                name: "licensing_cluster_epoch");

            migrationBuilder.DropTable(
                name: "licensing_cluster_ledger");

            migrationBuilder.DropTable(
                name: "licensing_due_receipt");

            migrationBuilder.DropTable(
                name: "licensing_meter");

            migrationBuilder.DropTable(
                name: "licensing_parked_cell");

            migrationBuilder.DropTable(
                name: "licensing_quarantined_window");

            migrationBuilder.DropTable(
                name: "licensing_waiting_window");

            migrationBuilder.DropTable(
                name: "licensing_window");

            migrationBuilder.DropTable(
                name: "licensing_window_head");
        }
    }
}
