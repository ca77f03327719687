using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class Billing : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "licensing_adjustment",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<string>(type: "TEXT", maxLength: 90, nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    contract_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    original_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    restated_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    statement_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    amount_minor = table.Column<long>(type: "INTEGER", nullable: false),
                    currency = table.Column<string>(type: "TEXT", maxLength: 3, nullable: false),
                    description = table.Column<string>(type: "TEXT", maxLength: 300, nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_adjustment", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_period",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    contract_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    to_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    statement_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    closed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_period", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_statement",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<string>(type: "TEXT", maxLength: 80, nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    contract_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    period_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    booked_in = table.Column<Guid>(type: "TEXT", nullable: false),
                    generation = table.Column<int>(type: "INTEGER", nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    to_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    watermark = table.Column<long>(type: "INTEGER", nullable: false),
                    contract_version = table.Column<int>(type: "INTEGER", nullable: false),
                    price_book_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    price_book_version = table.Column<int>(type: "INTEGER", nullable: false),
                    currency = table.Column<string>(type: "TEXT", maxLength: 3, nullable: false),
                    payable_minor = table.Column<long>(type: "INTEGER", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false),
                    content_sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    inputs_sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    inputs = table.Column<string>(type: "TEXT", nullable: false),
                    rated = table.Column<string>(type: "TEXT", nullable: false),
                    waived = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_statement", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_adjustment_contract_id_statement_id",
                table: "licensing_adjustment",
                columns: new[] { "contract_id", "statement_id" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_adjustment_customer_id",
                table: "licensing_adjustment",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_period_contract_id_from_hour",
                table: "licensing_period",
                columns: new[] { "contract_id", "from_hour" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_period_customer_id_from_hour",
                table: "licensing_period",
                columns: new[] { "customer_id", "from_hour" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_period_state_to_hour",
                table: "licensing_period",
                columns: new[] { "state", "to_hour" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_statement_booked_in",
                table: "licensing_statement",
                column: "booked_in");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_statement_contract_id",
                table: "licensing_statement",
                column: "contract_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_statement_customer_id_from_hour",
                table: "licensing_statement",
                columns: new[] { "customer_id", "from_hour" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_statement_number",
                table: "licensing_statement",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_statement_period_id_generation",
                table: "licensing_statement",
                columns: new[] { "period_id", "generation" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "licensing_adjustment");

            migrationBuilder.DropTable(
                name: "licensing_period");

            migrationBuilder.DropTable(
                name: "licensing_statement");
        }
    }
}
