using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class LedgerOrder : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "lowered_by",
                table: "licensing_window",
                type: "int",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "seq",
                table: "licensing_window",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "since",
                table: "licensing_cell",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateTable(
                name: "licensing_change",
                columns: table => new
                {
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    subject = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    first_hour = table.Column<int>(type: "int", nullable: true),
                    last_hour = table.Column<int>(type: "int", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_change", x => x.seq);
                });

            migrationBuilder.CreateTable(
                name: "licensing_stream",
                columns: table => new
                {
                    id = table.Column<int>(type: "int", nullable: false),
                    last = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_stream", x => x.id);
                });

            migrationBuilder.InsertData(
                table: "licensing_stream",
                columns: new[] { "id", "at", "last" },
                values: new object[] { 1, 0L, 0L });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_window_known",
                table: "licensing_window",
                columns: new[] { "customer_id", "hour", "cluster_id", "seq", "epoch", "revision", "complete" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_change_at",
                table: "licensing_change",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_change_customer_id_seq",
                table: "licensing_change",
                columns: new[] { "customer_id", "seq" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "licensing_change");

            migrationBuilder.DropTable(
                name: "licensing_stream");

            migrationBuilder.DropIndex(
                name: "IX_licensing_window_known",
                table: "licensing_window");

            migrationBuilder.DropColumn(
                name: "lowered_by",
                table: "licensing_window");

            migrationBuilder.DropColumn(
                name: "seq",
                table: "licensing_window");

            migrationBuilder.DropColumn(
                name: "since",
                table: "licensing_cell");
        }
    }
}
