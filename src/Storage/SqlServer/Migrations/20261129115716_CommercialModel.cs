using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
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
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "nvarchar(3)", maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    tax_region = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    invoice_reference = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_billing_account", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_contract",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "nvarchar(3)", maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    from_hour = table.Column<int>(type: "int", nullable: false),
                    to_hour = table.Column<int>(type: "int", nullable: false),
                    last_number = table.Column<int>(type: "int", nullable: false),
                    termination_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_contract", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_contract_version",
                columns: table => new
                {
                    contract_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    from_hour = table.Column<int>(type: "int", nullable: false),
                    to_hour = table.Column<int>(type: "int", nullable: false),
                    price_book_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    plan_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    plan_version = table.Column<int>(type: "int", nullable: false),
                    terms = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_contract_version", x => new { x.contract_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "licensing_plan",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_number = table.Column<int>(type: "int", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_plan", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_plan_version",
                columns: table => new
                {
                    plan_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    content = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_plan_version", x => new { x.plan_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "licensing_price_book",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "nvarchar(3)", maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_number = table.Column<int>(type: "int", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_price_book", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_price_book_version",
                columns: table => new
                {
                    book_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    from_hour = table.Column<int>(type: "int", nullable: false),
                    content = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    rates = table.Column<int>(type: "int", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    published_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
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
