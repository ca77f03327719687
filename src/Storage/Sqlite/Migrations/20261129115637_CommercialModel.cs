using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    public partial class CommercialModel : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "licensing_billing_account",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    currency = table.Column<string>(type: "TEXT", maxLength: 3, nullable: false),
                    tax_region = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    invoice_reference = table.Column<string>(type: "TEXT", maxLength: 100, nullable: true),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_billing_account", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_contract",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    account_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<string>(type: "TEXT", maxLength: 60, nullable: false),
                    currency = table.Column<string>(type: "TEXT", maxLength: 3, nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    to_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    last_number = table.Column<int>(type: "INTEGER", nullable: false),
                    termination_reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_contract", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_contract_version",
                columns: table => new
                {
                    contract_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    customer_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    kind = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    to_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    price_book_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    plan_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    plan_version = table.Column<int>(type: "INTEGER", nullable: false),
                    terms = table.Column<string>(type: "TEXT", nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_contract_version", x => new { x.contract_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "licensing_plan",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    last_number = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_plan", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_plan_version",
                columns: table => new
                {
                    plan_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    content = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_plan_version", x => new { x.plan_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "licensing_price_book",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    currency = table.Column<string>(type: "TEXT", maxLength: 3, nullable: false),
                    last_number = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_price_book", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_price_book_version",
                columns: table => new
                {
                    book_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    from_hour = table.Column<int>(type: "INTEGER", nullable: false),
                    content = table.Column<string>(type: "TEXT", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", maxLength: 71, nullable: false),
                    rates = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    published_at = table.Column<long>(type: "INTEGER", nullable: true),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_price_book_version", x => new { x.book_id, x.number });
                });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_billing_account_customer_id",
                table: "licensing_billing_account",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_billing_account_name",
                table: "licensing_billing_account",
                column: "name");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_contract_account_id",
                table: "licensing_contract",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_contract_customer_id",
                table: "licensing_contract",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_contract_number",
                table: "licensing_contract",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_contract_version_customer_id",
                table: "licensing_contract_version",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_contract_version_price_book_id",
                table: "licensing_contract_version",
                column: "price_book_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_plan_name",
                table: "licensing_plan",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_price_book_name",
                table: "licensing_price_book",
                column: "name");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "licensing_billing_account");

            migrationBuilder.DropTable(
                name: "licensing_contract");

            migrationBuilder.DropTable(
                name: "licensing_contract_version");

            migrationBuilder.DropTable(
                name: "licensing_plan");

            migrationBuilder.DropTable(
                name: "licensing_plan_version");

            migrationBuilder.DropTable(
                name: "licensing_price_book");

            migrationBuilder.DropTable(
                name: "licensing_price_book_version");
        }
    }
}
