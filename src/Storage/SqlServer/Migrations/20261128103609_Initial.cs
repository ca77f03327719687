using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace MissionControl.Storage.SqlServer.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "audit_entry",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    occurred_at = table.Column<long>(type: "bigint", nullable: false),
                    recorded_at = table.Column<long>(type: "bigint", nullable: false),
                    log = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    is_read = table.Column<bool>(type: "bit", nullable: false),
                    outcome = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor_kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor_id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    target_type = table.Column<string>(type: "nvarchar(50)", maxLength: 50, nullable: false, collation: "Latin1_General_100_BIN2"),
                    target_id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(max)", nullable: true, collation: "Latin1_General_100_BIN2"),
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    producer_seq = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_entry", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "audit_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "audit_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "audit_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "audit_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "audit_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "audit_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "callhome_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "callhome_cluster",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    suspended_by_staff = table.Column<bool>(type: "bit", nullable: false),
                    clone_suspected = table.Column<bool>(type: "bit", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    epoch_issued_at = table.Column<long>(type: "bigint", nullable: false),
                    install_fingerprint = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    trusted_first_contact = table.Column<bool>(type: "bit", nullable: false),
                    enrolled_at = table.Column<long>(type: "bigint", nullable: false),
                    agent_version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    admission = table.Column<long>(type: "bigint", nullable: false),
                    access_generation = table.Column<long>(type: "bigint", nullable: false),
                    changed_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_cluster", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_cluster_key",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kid = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    use = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    spki = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    not_before = table.Column<long>(type: "bigint", nullable: false),
                    not_after = table.Column<long>(type: "bigint", nullable: true),
                    admission = table.Column<long>(type: "bigint", nullable: false),
                    first_used_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_cluster_key", x => new { x.cluster_id, x.kid });
                });

            migrationBuilder.CreateTable(
                name: "callhome_customer",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_customer", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_desired_revision",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    changed_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_desired_revision", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_desired_section",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    section = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    not_after = table.Column<long>(type: "bigint", nullable: true),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_desired_section", x => new { x.cluster_id, x.section });
                });

            migrationBuilder.CreateTable(
                name: "callhome_enrollment_token",
                columns: table => new
                {
                    id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: false, collation: "Latin1_General_100_BIN2"),
                    secret_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    cluster_name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    readmits_cluster = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    networks = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    anchors_sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    revoked_at = table.Column<long>(type: "bigint", nullable: true),
                    used_at = table.Column<long>(type: "bigint", nullable: true),
                    used_by = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    used_key = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: true, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_enrollment_token", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_epoch",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    issued_at = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    quarantined = table.Column<bool>(type: "bit", nullable: false),
                    confirmed_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_epoch", x => new { x.cluster_id, x.epoch });
                });

            migrationBuilder.CreateTable(
                name: "callhome_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "callhome_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "callhome_intake",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    ack = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    last_seen_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_intake", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "callhome_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "callhome_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "callhome_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "callhome_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "callhome_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "callhome_used_nonce",
                columns: table => new
                {
                    nonce = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_callhome_used_nonce", x => x.nonce);
                });

            migrationBuilder.CreateTable(
                name: "fleet_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "fleet_change_counter",
                columns: table => new
                {
                    id = table.Column<int>(type: "int", nullable: false),
                    last = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_change_counter", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_cluster",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    clone_suspected = table.Column<bool>(type: "bit", nullable: false),
                    enrolled_at = table.Column<long>(type: "bigint", nullable: false),
                    inventory_asked_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_cluster", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_collector_version",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    release = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    os = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    collectors = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_collector_version", x => new { x.cluster_id, x.release, x.os });
                });

            migrationBuilder.CreateTable(
                name: "fleet_customer",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    region = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_customer", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_event",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    severity = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    text = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    node = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_event", x => new { x.cluster_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "fleet_health_deadline",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_health_deadline", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_history",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    from_at = table.Column<long>(type: "bigint", nullable: false),
                    part = table.Column<long>(type: "bigint", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    samples = table.Column<int>(type: "int", nullable: false),
                    data = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_history", x => new { x.cluster_id, x.from_at, x.part });
                });

            migrationBuilder.CreateTable(
                name: "fleet_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "fleet_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "fleet_incident",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    began_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    cause = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    clusters = table.Column<int>(type: "int", nullable: false),
                    change = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_incident", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_intake_clock",
                columns: table => new
                {
                    id = table.Column<int>(type: "int", nullable: false),
                    judged_at = table.Column<long>(type: "bigint", nullable: false),
                    stalled_since = table.Column<long>(type: "bigint", nullable: true),
                    floor_at = table.Column<long>(type: "bigint", nullable: false),
                    hold_until = table.Column<long>(type: "bigint", nullable: true),
                    released_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_intake_clock", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_intake_replica",
                columns: table => new
                {
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_intake_replica", x => x.replica);
                });

            migrationBuilder.CreateTable(
                name: "fleet_inventory",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    rank = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    product_version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_inventory", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_inventory_change",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    rank = table.Column<long>(type: "bigint", nullable: false),
                    ordinal = table.Column<int>(type: "int", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    subject = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    before = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: true, collation: "Latin1_General_100_BIN2"),
                    after = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_inventory_change", x => new { x.cluster_id, x.rank, x.ordinal });
                });

            migrationBuilder.CreateTable(
                name: "fleet_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "fleet_last_contact",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    next_seconds = table.Column<int>(type: "int", nullable: false),
                    late_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_last_contact", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_last_health",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    rank = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    status = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    status_since = table.Column<long>(type: "bigint", nullable: false),
                    worst_reason = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: true, collation: "Latin1_General_100_BIN2"),
                    product_version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    nodes_up = table.Column<int>(type: "int", nullable: false),
                    nodes_all = table.Column<int>(type: "int", nullable: false),
                    broken = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    rejudge_at = table.Column<long>(type: "bigint", nullable: true),
                    usage_from = table.Column<long>(type: "bigint", nullable: true),
                    rules = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    samples_from = table.Column<long>(type: "bigint", nullable: false),
                    samples = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_last_health", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_last_usage",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_last_usage", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "fleet_liveness",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    since = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_liveness", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_overview",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sort_name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    short_id = table.Column<string>(type: "nvarchar(8)", maxLength: 8, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    region = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    clone_suspected = table.Column<bool>(type: "bit", nullable: false),
                    enrolled_at = table.Column<long>(type: "bigint", nullable: false),
                    liveness = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    liveness_since = table.Column<long>(type: "bigint", nullable: false),
                    health = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    health_since = table.Column<long>(type: "bigint", nullable: true),
                    worst_reason = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: true, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_version = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    nodes_up = table.Column<int>(type: "int", nullable: false),
                    nodes_all = table.Column<int>(type: "int", nullable: false),
                    broken = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    badness = table.Column<int>(type: "int", nullable: false),
                    change = table.Column<long>(type: "bigint", nullable: false),
                    changed_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_overview", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "fleet_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "fleet_rule_change",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    rule = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    before = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    after = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_rule_change", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "identity_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "identity_authenticator",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    secret = table.Column<byte[]>(type: "varbinary(100)", maxLength: 100, nullable: false),
                    last_step = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    confirmed_at = table.Column<long>(type: "bigint", nullable: true),
                    last_used_at = table.Column<long>(type: "bigint", nullable: true),
                    confirms_from = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_authenticator", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_challenge",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    place = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    audience = table.Column<string>(type: "nvarchar(30)", maxLength: 30, nullable: true, collation: "Latin1_General_100_BIN2"),
                    purpose = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: true, collation: "Latin1_General_100_BIN2"),
                    subject_digest = table.Column<string>(type: "nvarchar(43)", maxLength: 43, nullable: true, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(4000)", maxLength: 4000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_challenge", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_client_key",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    kid = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    algorithm = table.Column<string>(type: "nvarchar(10)", maxLength: 10, nullable: false, collation: "Latin1_General_100_BIN2"),
                    spki = table.Column<byte[]>(type: "varbinary(1000)", maxLength: 1000, nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    revoked_at = table.Column<long>(type: "bigint", nullable: true),
                    last_used_at = table.Column<long>(type: "bigint", nullable: true),
                    last_used_from = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_client_key", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_confirmation",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    session_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    audience = table.Column<string>(type: "nvarchar(30)", maxLength: 30, nullable: false, collation: "Latin1_General_100_BIN2"),
                    purpose = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    subject_digest = table.Column<string>(type: "nvarchar(43)", maxLength: 43, nullable: false, collation: "Latin1_General_100_BIN2"),
                    text = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    asked_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    answered_at = table.Column<long>(type: "bigint", nullable: true),
                    factors = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    taken_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_confirmation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_consumed_assertion",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_consumed_assertion", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "identity_device_attempt",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    device_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    user_code = table.Column<string>(type: "nvarchar(8)", maxLength: 8, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    address = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    decided_at = table.Column<long>(type: "bigint", nullable: true),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    person_stamp = table.Column<long>(type: "bigint", nullable: true),
                    session_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    taken_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_device_attempt", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_directory_try",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    failed_tries = table.Column<int>(type: "int", nullable: false),
                    locked_until = table.Column<long>(type: "bigint", nullable: true),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_directory_try", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "identity_federated_identity",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    provider_id = table.Column<string>(type: "nvarchar(36)", maxLength: 36, nullable: false, collation: "Latin1_General_100_BIN2"),
                    issuer = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: false, collation: "Latin1_General_100_BIN2"),
                    subject = table.Column<string>(type: "nvarchar(255)", maxLength: 255, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_federated_identity", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "identity_former_owner",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_former_owner", x => new { x.account_id, x.person_id, x.until });
                });

            migrationBuilder.CreateTable(
                name: "identity_group",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    name_key = table.Column<string>(type: "nvarchar(140)", maxLength: 140, nullable: false, collation: "Latin1_General_100_BIN2"),
                    description = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    roles = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    removed_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_group", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_group_member",
                columns: table => new
                {
                    group_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_group_member", x => new { x.group_id, x.person_id });
                });

            migrationBuilder.CreateTable(
                name: "identity_held_role",
                columns: table => new
                {
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    role = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    group_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    since = table.Column<long>(type: "bigint", nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_held_role", x => new { x.person_id, x.role, x.group_id, x.since });
                });

            migrationBuilder.CreateTable(
                name: "identity_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "identity_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "identity_invitation",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    code_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    email = table.Column<string>(type: "nvarchar(254)", maxLength: 254, nullable: true, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    roles = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    person_stamp = table.Column<long>(type: "bigint", nullable: true),
                    invited_by = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    totp_secret = table.Column<byte[]>(type: "varbinary(100)", maxLength: 100, nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    accepted_at = table.Column<long>(type: "bigint", nullable: true),
                    revoked_at = table.Column<long>(type: "bigint", nullable: true),
                    failed_tries = table.Column<int>(type: "int", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_invitation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "identity_leak",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(1)", maxLength: 1, nullable: false, collation: "Latin1_General_100_BIN2"),
                    token_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: false, collation: "Latin1_General_100_BIN2"),
                    secret_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    owner_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    successor_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: true, collation: "Latin1_General_100_BIN2"),
                    source = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    url = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    places = table.Column<int>(type: "int", nullable: false),
                    reported_at = table.Column<long>(type: "bigint", nullable: false),
                    verified_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: true, collation: "Latin1_General_100_BIN2"),
                    dead_at = table.Column<long>(type: "bigint", nullable: true),
                    spent_at = table.Column<long>(type: "bigint", nullable: true),
                    told_at = table.Column<long>(type: "bigint", nullable: true),
                    closed_at = table.Column<long>(type: "bigint", nullable: true),
                    closed_by = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2"),
                    closed_because = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: true, collation: "Latin1_General_100_BIN2"),
                    comment = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_leak", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_leak_place",
                columns: table => new
                {
                    incident_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    digest = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    reporter = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    source = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: true, collation: "Latin1_General_100_BIN2"),
                    url = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    found_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_leak_place", x => new { x.incident_id, x.digest });
                });

            migrationBuilder.CreateTable(
                name: "identity_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "identity_logout_token",
                columns: table => new
                {
                    key = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_logout_token", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "identity_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_passkey",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    credential_id = table.Column<byte[]>(type: "varbinary(512)", maxLength: 512, nullable: false),
                    public_key = table.Column<byte[]>(type: "varbinary(2000)", maxLength: 2000, nullable: false),
                    sign_count = table.Column<long>(type: "bigint", nullable: false),
                    transports = table.Column<string>(type: "nvarchar(130)", maxLength: 130, nullable: false, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    is_backup_eligible = table.Column<bool>(type: "bit", nullable: false),
                    is_backed_up = table.Column<bool>(type: "bit", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    last_used_at = table.Column<long>(type: "bigint", nullable: true),
                    confirms_from = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_passkey", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_person",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    email = table.Column<string>(type: "nvarchar(254)", maxLength: 254, nullable: false, collation: "Latin1_General_100_BIN2"),
                    email_key = table.Column<string>(type: "nvarchar(254)", maxLength: 254, nullable: true, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    password_hash = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: true, collation: "Latin1_General_100_BIN2"),
                    password_set_at = table.Column<long>(type: "bigint", nullable: true),
                    disabled_at = table.Column<long>(type: "bigint", nullable: true),
                    failed_tries = table.Column<int>(type: "int", nullable: false),
                    locked_until = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    last_sign_in_at = table.Column<long>(type: "bigint", nullable: true),
                    stamp = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_person", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_preferences",
                columns: table => new
                {
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    theme = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: true, collation: "Latin1_General_100_BIN2"),
                    density = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: true, collation: "Latin1_General_100_BIN2"),
                    zone = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: true, collation: "Latin1_General_100_BIN2"),
                    in_utc = table.Column<bool>(type: "bit", nullable: false),
                    keys_off = table.Column<bool>(type: "bit", nullable: false),
                    changed_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_preferences", x => x.person_id);
                });

            migrationBuilder.CreateTable(
                name: "identity_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "identity_provider",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    issuer = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: false, collation: "Latin1_General_100_BIN2"),
                    client_id = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: false, collation: "Latin1_General_100_BIN2"),
                    client_secret = table.Column<byte[]>(type: "varbinary(1000)", maxLength: 1000, nullable: true),
                    scopes = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    groups_claim = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    roles = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    required_acr = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    required_amr = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    saml = table.Column<string>(type: "nvarchar(max)", nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_provider", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_recovery_code",
                columns: table => new
                {
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    used_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_recovery_code", x => new { x.person_id, x.sha256 });
                });

            migrationBuilder.CreateTable(
                name: "identity_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "identity_scope_request",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    scope = table.Column<string>(type: "nvarchar(50)", maxLength: 50, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    asked_by = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    asked_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    decided_by = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2"),
                    decided_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_scope_request", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_service_account",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    owner_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    made_by = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scopes = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    networks = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    disabled_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_service_account", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_session",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    secret_sha256 = table.Column<byte[]>(type: "varbinary(900)", nullable: false),
                    token_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: true, collation: "Latin1_General_100_BIN2"),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    factors = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    provider_id = table.Column<string>(type: "nvarchar(36)", maxLength: 36, nullable: true, collation: "Latin1_General_100_BIN2"),
                    provider_session = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: true),
                    opener_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    agent = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    idle = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_session", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_sign_in_attempt",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    state_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    browser_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    provider_id = table.Column<string>(type: "nvarchar(36)", maxLength: 36, nullable: false, collation: "Latin1_General_100_BIN2"),
                    return_url = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    answered_at = table.Column<long>(type: "bigint", nullable: true),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    person_stamp = table.Column<long>(type: "bigint", nullable: true),
                    totp_secret = table.Column<byte[]>(type: "varbinary(100)", maxLength: 100, nullable: true),
                    provider_session = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: true),
                    session_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    failed_tries = table.Column<int>(type: "int", nullable: false),
                    finished_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_sign_in_attempt", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "identity_token",
                columns: table => new
                {
                    id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: false, collation: "Latin1_General_100_BIN2"),
                    secret_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    person_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    is_client_secret = table.Column<bool>(type: "bit", nullable: false),
                    scopes = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    networks = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    successor_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: true, collation: "Latin1_General_100_BIN2"),
                    predecessor_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: true, collation: "Latin1_General_100_BIN2"),
                    revoked_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_token", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "identity_used_assertion",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    jti_sha256 = table.Column<byte[]>(type: "varbinary(32)", maxLength: 32, nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_used_assertion", x => new { x.account_id, x.jti_sha256 });
                });

            migrationBuilder.CreateTable(
                name: "identity_used_token",
                columns: table => new
                {
                    token_id = table.Column<string>(type: "nvarchar(12)", maxLength: 12, nullable: false, collation: "Latin1_General_100_BIN2"),
                    address = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    first_at = table.Column<long>(type: "bigint", nullable: false),
                    last_at = table.Column<long>(type: "bigint", nullable: false),
                    accepted = table.Column<long>(type: "bigint", nullable: false),
                    refused = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_used_token", x => new { x.token_id, x.address });
                });

            migrationBuilder.CreateTable(
                name: "identity_view",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    list = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    query = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    owner = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    is_shared = table.Column<bool>(type: "bit", nullable: false),
                    is_default = table.Column<bool>(type: "bit", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_identity_view", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "licensing_cell",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    hour = table.Column<int>(type: "int", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    meter = table.Column<string>(type: "nvarchar(63)", maxLength: 63, nullable: false, collation: "Latin1_General_100_BIN2"),
                    dimension_hash = table.Column<long>(type: "bigint", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    meter_version = table.Column<int>(type: "int", nullable: false),
                    environment = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    dimensions = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    quantity = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cell", x => new { x.cluster_id, x.hour, x.epoch, x.revision, x.meter, x.dimension_hash });
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    clone_suspected = table.Column<bool>(type: "bit", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    enrolled_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    keys = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster_epoch",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    issued_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster_epoch", x => new { x.cluster_id, x.epoch });
                });

            migrationBuilder.CreateTable(
                name: "licensing_cluster_ledger",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    coverage = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    results = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    received_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_cluster_ledger", x => x.cluster_id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_customer",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    region = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    held_since = table.Column<long>(type: "bigint", nullable: true),
                    hold_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_customer", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_due_receipt",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_due_receipt", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "licensing_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "licensing_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "licensing_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "licensing_meter",
                columns: table => new
                {
                    key = table.Column<string>(type: "nvarchar(63)", maxLength: 63, nullable: false, collation: "Latin1_General_100_BIN2"),
                    meter_version = table.Column<int>(type: "int", nullable: false),
                    unit = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scale = table.Column<int>(type: "int", nullable: false),
                    aggregation = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    description = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_meter", x => new { x.key, x.meter_version });
                });

            migrationBuilder.CreateTable(
                name: "licensing_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_parked_cell",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    hour = table.Column<int>(type: "int", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    meter = table.Column<string>(type: "nvarchar(63)", maxLength: 63, nullable: false, collation: "Latin1_General_100_BIN2"),
                    dimension_hash = table.Column<long>(type: "bigint", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    meter_version = table.Column<int>(type: "int", nullable: false),
                    environment = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    dimensions = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    quantity = table.Column<string>(type: "nvarchar(30)", maxLength: 30, nullable: false, collation: "Latin1_General_100_BIN2"),
                    problem = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_parked_cell", x => new { x.cluster_id, x.hour, x.epoch, x.revision, x.meter, x.dimension_hash });
                });

            migrationBuilder.CreateTable(
                name: "licensing_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "licensing_quarantined_window",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    hour = table.Column<int>(type: "int", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    problem = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    detail = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    decided_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_quarantined_window", x => new { x.cluster_id, x.sha256 });
                });

            migrationBuilder.CreateTable(
                name: "licensing_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "licensing_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "licensing_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "licensing_waiting_window",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    due = table.Column<bool>(type: "bit", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_waiting_window", x => new { x.cluster_id, x.sha256 });
                });

            migrationBuilder.CreateTable(
                name: "licensing_window",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    hour = table.Column<int>(type: "int", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    verdict = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    complete = table.Column<bool>(type: "bit", nullable: false),
                    cells = table.Column<int>(type: "int", nullable: false),
                    collected_at = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    kid = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    signature = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_window", x => new { x.cluster_id, x.hour, x.epoch, x.revision });
                });

            migrationBuilder.CreateTable(
                name: "licensing_window_head",
                columns: table => new
                {
                    cluster_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    hour = table.Column<int>(type: "int", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    rank = table.Column<long>(type: "bigint", nullable: false),
                    epoch = table.Column<long>(type: "bigint", nullable: false),
                    revision = table.Column<long>(type: "bigint", nullable: false),
                    sha256 = table.Column<string>(type: "nvarchar(71)", maxLength: 71, nullable: false, collation: "Latin1_General_100_BIN2"),
                    complete = table.Column<bool>(type: "bit", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_licensing_window_head", x => new { x.cluster_id, x.hour });
                });

            migrationBuilder.CreateTable(
                name: "notifications_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "notifications_contact",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    email = table.Column<string>(type: "nvarchar(254)", maxLength: 254, nullable: false, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_contact", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_customer",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    name = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_customer", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_delivery",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    dedup_key = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    channel = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    recipient = table.Column<string>(type: "nvarchar(254)", maxLength: 254, nullable: false, collation: "Latin1_General_100_BIN2"),
                    subject = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    severity = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    since = table.Column<long>(type: "bigint", nullable: false),
                    next_at = table.Column<long>(type: "bigint", nullable: true),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    error = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_delivery", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_endpoint",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    kind = table.Column<string>(type: "nvarchar(20)", maxLength: 20, nullable: false, collation: "Latin1_General_100_BIN2"),
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    address = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    secret = table.Column<byte[]>(type: "varbinary(200)", maxLength: 200, nullable: false),
                    old_secret = table.Column<byte[]>(type: "varbinary(200)", maxLength: 200, nullable: true),
                    old_secret_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    is_disabled = table.Column<bool>(type: "bit", nullable: false),
                    why = table.Column<string>(type: "nvarchar(300)", maxLength: 300, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_endpoint", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "notifications_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "notifications_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "notifications_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "notifications_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "notifications_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "notifications_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "portal_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "portal_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "portal_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "portal_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "portal_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "portal_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "portal_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "portal_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "portal_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "portal_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "portal_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_portal_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "remoteaccess_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_remoteaccess_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "updates_audit_producer",
                columns: table => new
                {
                    producer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_audit_producer", x => x.producer);
                });

            migrationBuilder.CreateTable(
                name: "updates_idempotency",
                columns: table => new
                {
                    principal = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    route = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    request_sha256 = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    status = table.Column<int>(type: "int", nullable: false),
                    content_type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    location = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: true, collation: "Latin1_General_100_BIN2"),
                    body = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_idempotency", x => new { x.principal, x.route, x.key });
                });

            migrationBuilder.CreateTable(
                name: "updates_inbox",
                columns: table => new
                {
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    applied_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_inbox", x => new { x.consumer, x.message_id });
                });

            migrationBuilder.CreateTable(
                name: "updates_job_run",
                columns: table => new
                {
                    job = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    scheduled_at = table.Column<long>(type: "bigint", nullable: false),
                    replica = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true),
                    outcome = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_job_run", x => new { x.job, x.scheduled_at });
                });

            migrationBuilder.CreateTable(
                name: "updates_lease",
                columns: table => new
                {
                    name = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    holder = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_lease", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "updates_outbox",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_outbox", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "updates_parked_message",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    consumer = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    message_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    type = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    key = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    payload = table.Column<byte[]>(type: "varbinary(max)", nullable: false),
                    attachment = table.Column<byte[]>(type: "varbinary(max)", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: false),
                    first_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    last_failed_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    first_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    last_error = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    next_attempt_at = table.Column<long>(type: "bigint", nullable: false),
                    given_up_at = table.Column<long>(type: "bigint", nullable: true),
                    given_up_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    given_up_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_parked_message", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "updates_projection",
                columns: table => new
                {
                    kind = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    id = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    body = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_projection", x => new { x.kind, x.id });
                });

            migrationBuilder.CreateTable(
                name: "updates_replica",
                columns: table => new
                {
                    instance = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    version = table.Column<string>(type: "nvarchar(60)", maxLength: 60, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    seen_at = table.Column<long>(type: "bigint", nullable: false),
                    stopped_at = table.Column<long>(type: "bigint", nullable: true),
                    disk_free = table.Column<long>(type: "bigint", nullable: true),
                    disk_total = table.Column<long>(type: "bigint", nullable: true),
                    certificate_ends_at = table.Column<long>(type: "bigint", nullable: true),
                    work_per_second = table.Column<double>(type: "float", nullable: true),
                    work_p99_ms = table.Column<double>(type: "float", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_replica", x => x.instance);
                });

            migrationBuilder.CreateTable(
                name: "updates_task",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    kind = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    summary = table.Column<string>(type: "nvarchar(400)", maxLength: 400, nullable: false, collation: "Latin1_General_100_BIN2"),
                    started_by = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    actor = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    retry_of = table.Column<byte[]>(type: "binary(16)", nullable: true),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    total = table.Column<int>(type: "int", nullable: false),
                    succeeded = table.Column<int>(type: "int", nullable: false),
                    failed = table.Column<int>(type: "int", nullable: false),
                    refused = table.Column<int>(type: "int", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_task", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "updates_task_item",
                columns: table => new
                {
                    task_id = table.Column<byte[]>(type: "binary(16)", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    target = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: false, collation: "Latin1_General_100_BIN2"),
                    state = table.Column<string>(type: "nvarchar(40)", maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    reason = table.Column<string>(type: "nvarchar(1000)", maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_updates_task_item", x => new { x.task_id, x.number });
                });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_customer_id_occurred_at",
                table: "audit_entry",
                columns: new[] { "customer_id", "occurred_at" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_is_read_occurred_at_id",
                table: "audit_entry",
                columns: new[] { "is_read", "occurred_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_occurred_at_id",
                table: "audit_entry",
                columns: new[] { "occurred_at", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_entry_producer_producer_seq",
                table: "audit_entry",
                columns: new[] { "producer", "producer_seq" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_audit_idempotency_created_at",
                table: "audit_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_inbox_applied_at",
                table: "audit_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_job_run_started_at",
                table: "audit_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_parked_message_consumer_message_id",
                table: "audit_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_audit_parked_message_given_up_at",
                table: "audit_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_parked_message_state_next_attempt_at",
                table: "audit_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_replica_seen_at",
                table: "audit_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_task_ended_at",
                table: "audit_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_task_state_id",
                table: "audit_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_audit_task_item_ended_at",
                table: "audit_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_audit_task_item_task_id_state_number",
                table: "audit_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_callhome_cluster_changed_at",
                table: "callhome_cluster",
                column: "changed_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_cluster_customer_id",
                table: "callhome_cluster",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_desired_revision_changed_at",
                table: "callhome_desired_revision",
                column: "changed_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_enrollment_token_customer_id_created_at",
                table: "callhome_enrollment_token",
                columns: new[] { "customer_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "IX_callhome_enrollment_token_expires_at",
                table: "callhome_enrollment_token",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_enrollment_token_readmits_cluster",
                table: "callhome_enrollment_token",
                column: "readmits_cluster");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_idempotency_created_at",
                table: "callhome_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_inbox_applied_at",
                table: "callhome_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_job_run_started_at",
                table: "callhome_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_parked_message_consumer_message_id",
                table: "callhome_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_callhome_parked_message_given_up_at",
                table: "callhome_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_parked_message_state_next_attempt_at",
                table: "callhome_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_callhome_replica_seen_at",
                table: "callhome_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_task_ended_at",
                table: "callhome_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_task_state_id",
                table: "callhome_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_callhome_task_item_ended_at",
                table: "callhome_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_callhome_task_item_task_id_state_number",
                table: "callhome_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_callhome_used_nonce_expires_at",
                table: "callhome_used_nonce",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_cluster_customer_id",
                table: "fleet_cluster",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_event_cluster_id_at",
                table: "fleet_event",
                columns: new[] { "cluster_id", "at" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_event_received_at",
                table: "fleet_event",
                column: "received_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_health_deadline_at",
                table: "fleet_health_deadline",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_history_from_at",
                table: "fleet_history",
                column: "from_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_idempotency_created_at",
                table: "fleet_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_inbox_applied_at",
                table: "fleet_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_incident_began_at",
                table: "fleet_incident",
                column: "began_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_incident_change",
                table: "fleet_incident",
                column: "change");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_incident_ended_at",
                table: "fleet_incident",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_intake_replica_at",
                table: "fleet_intake_replica",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_inventory_change_received_at",
                table: "fleet_inventory_change",
                column: "received_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_job_run_started_at",
                table: "fleet_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_liveness_state",
                table: "fleet_liveness",
                column: "state");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_overview_badness_sort_name_cluster_id",
                table: "fleet_overview",
                columns: new[] { "badness", "sort_name", "cluster_id" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_overview_change",
                table: "fleet_overview",
                column: "change");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_overview_customer_id_badness",
                table: "fleet_overview",
                columns: new[] { "customer_id", "badness" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_parked_message_consumer_message_id",
                table: "fleet_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fleet_parked_message_given_up_at",
                table: "fleet_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_parked_message_state_next_attempt_at",
                table: "fleet_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_replica_seen_at",
                table: "fleet_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_rule_change_at",
                table: "fleet_rule_change",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_rule_change_cluster_id_at",
                table: "fleet_rule_change",
                columns: new[] { "cluster_id", "at" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_task_ended_at",
                table: "fleet_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_task_state_id",
                table: "fleet_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_task_item_ended_at",
                table: "fleet_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_task_item_task_id_state_number",
                table: "fleet_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_identity_authenticator_person_id",
                table: "identity_authenticator",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_challenge_expires_at",
                table: "identity_challenge",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_challenge_name_sha256",
                table: "identity_challenge",
                column: "name_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_client_key_account_id",
                table: "identity_client_key",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_client_key_expires_at",
                table: "identity_client_key",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_confirmation_expires_at",
                table: "identity_confirmation",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_confirmation_person_id",
                table: "identity_confirmation",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_consumed_assertion_expires_at",
                table: "identity_consumed_assertion",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_device_attempt_device_sha256",
                table: "identity_device_attempt",
                column: "device_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_device_attempt_expires_at",
                table: "identity_device_attempt",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_device_attempt_user_code",
                table: "identity_device_attempt",
                column: "user_code",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_directory_try_expires_at",
                table: "identity_directory_try",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_federated_identity_person_id",
                table: "identity_federated_identity",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_federated_identity_provider_id",
                table: "identity_federated_identity",
                column: "provider_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_group_customer_id",
                table: "identity_group",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_group_name_key",
                table: "identity_group",
                column: "name_key",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_idempotency_created_at",
                table: "identity_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_inbox_applied_at",
                table: "identity_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_invitation_code_sha256",
                table: "identity_invitation",
                column: "code_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_invitation_created_at",
                table: "identity_invitation",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_invitation_expires_at",
                table: "identity_invitation",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_invitation_invited_by",
                table: "identity_invitation",
                column: "invited_by");

            migrationBuilder.CreateIndex(
                name: "IX_identity_job_run_started_at",
                table: "identity_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_leak_closed_at",
                table: "identity_leak",
                column: "closed_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_leak_reported_at",
                table: "identity_leak",
                column: "reported_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_leak_token_id_kind_secret_sha256",
                table: "identity_leak",
                columns: new[] { "token_id", "kind", "secret_sha256" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_leak_place_found_at",
                table: "identity_leak_place",
                column: "found_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_logout_token_expires_at",
                table: "identity_logout_token",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_parked_message_consumer_message_id",
                table: "identity_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_parked_message_given_up_at",
                table: "identity_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_parked_message_state_next_attempt_at",
                table: "identity_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_identity_passkey_credential_id",
                table: "identity_passkey",
                column: "credential_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_passkey_person_id",
                table: "identity_passkey",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_person_customer_id",
                table: "identity_person",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_person_email_key",
                table: "identity_person",
                column: "email_key",
                unique: true,
                filter: "[email_key] IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_identity_provider_customer_id",
                table: "identity_provider",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_replica_seen_at",
                table: "identity_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_scope_request_account_id",
                table: "identity_scope_request",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_scope_request_expires_at",
                table: "identity_scope_request",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_service_account_created_at",
                table: "identity_service_account",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_service_account_name",
                table: "identity_service_account",
                column: "name");

            migrationBuilder.CreateIndex(
                name: "IX_identity_session_expires_at",
                table: "identity_session",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_session_person_id",
                table: "identity_session",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_session_provider_session",
                table: "identity_session",
                column: "provider_session");

            migrationBuilder.CreateIndex(
                name: "IX_identity_session_secret_sha256",
                table: "identity_session",
                column: "secret_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_sign_in_attempt_browser_sha256",
                table: "identity_sign_in_attempt",
                column: "browser_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_sign_in_attempt_expires_at",
                table: "identity_sign_in_attempt",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_sign_in_attempt_state_sha256",
                table: "identity_sign_in_attempt",
                column: "state_sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_identity_task_ended_at",
                table: "identity_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_task_state_id",
                table: "identity_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_identity_task_item_ended_at",
                table: "identity_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_task_item_task_id_state_number",
                table: "identity_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_identity_token_account_id",
                table: "identity_token",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_token_created_at",
                table: "identity_token",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_token_expires_at",
                table: "identity_token",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_token_person_id",
                table: "identity_token",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "IX_identity_used_assertion_expires_at",
                table: "identity_used_assertion",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_used_token_last_at",
                table: "identity_used_token",
                column: "last_at");

            migrationBuilder.CreateIndex(
                name: "IX_identity_view_owner_list_name",
                table: "identity_view",
                columns: new[] { "owner", "list", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_cluster_customer_id",
                table: "licensing_cluster",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_customer_name",
                table: "licensing_customer",
                column: "name");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_idempotency_created_at",
                table: "licensing_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_inbox_applied_at",
                table: "licensing_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_job_run_started_at",
                table: "licensing_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_parked_cell_meter_meter_version",
                table: "licensing_parked_cell",
                columns: new[] { "meter", "meter_version" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_parked_message_consumer_message_id",
                table: "licensing_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_licensing_parked_message_given_up_at",
                table: "licensing_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_parked_message_state_next_attempt_at",
                table: "licensing_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_quarantined_window_customer_id_hour",
                table: "licensing_quarantined_window",
                columns: new[] { "customer_id", "hour" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_quarantined_window_decided_at",
                table: "licensing_quarantined_window",
                column: "decided_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_replica_seen_at",
                table: "licensing_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_task_ended_at",
                table: "licensing_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_task_state_id",
                table: "licensing_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_task_item_ended_at",
                table: "licensing_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_task_item_task_id_state_number",
                table: "licensing_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_licensing_waiting_window_due",
                table: "licensing_waiting_window",
                column: "due");

            migrationBuilder.CreateIndex(
                name: "IX_licensing_window_head_customer_id_hour",
                table: "licensing_window_head",
                columns: new[] { "customer_id", "hour" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_contact_customer_id_kind",
                table: "notifications_contact",
                columns: new[] { "customer_id", "kind" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_delivery_created_at",
                table: "notifications_delivery",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_delivery_ended_at",
                table: "notifications_delivery",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_delivery_recipient_created_at",
                table: "notifications_delivery",
                columns: new[] { "recipient", "created_at" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_delivery_state_next_at",
                table: "notifications_delivery",
                columns: new[] { "state", "next_at" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_endpoint_customer_id",
                table: "notifications_endpoint",
                column: "customer_id");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_idempotency_created_at",
                table: "notifications_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_inbox_applied_at",
                table: "notifications_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_job_run_started_at",
                table: "notifications_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_parked_message_consumer_message_id",
                table: "notifications_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_parked_message_given_up_at",
                table: "notifications_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_parked_message_state_next_attempt_at",
                table: "notifications_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_replica_seen_at",
                table: "notifications_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_task_ended_at",
                table: "notifications_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_task_state_id",
                table: "notifications_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_task_item_ended_at",
                table: "notifications_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_task_item_task_id_state_number",
                table: "notifications_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_portal_idempotency_created_at",
                table: "portal_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_inbox_applied_at",
                table: "portal_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_job_run_started_at",
                table: "portal_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_parked_message_consumer_message_id",
                table: "portal_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_portal_parked_message_given_up_at",
                table: "portal_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_parked_message_state_next_attempt_at",
                table: "portal_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_portal_replica_seen_at",
                table: "portal_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_task_ended_at",
                table: "portal_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_task_state_id",
                table: "portal_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_portal_task_item_ended_at",
                table: "portal_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_portal_task_item_task_id_state_number",
                table: "portal_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_idempotency_created_at",
                table: "remoteaccess_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_inbox_applied_at",
                table: "remoteaccess_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_job_run_started_at",
                table: "remoteaccess_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_parked_message_consumer_message_id",
                table: "remoteaccess_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_parked_message_given_up_at",
                table: "remoteaccess_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_parked_message_state_next_attempt_at",
                table: "remoteaccess_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_replica_seen_at",
                table: "remoteaccess_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_task_ended_at",
                table: "remoteaccess_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_task_state_id",
                table: "remoteaccess_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_task_item_ended_at",
                table: "remoteaccess_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_remoteaccess_task_item_task_id_state_number",
                table: "remoteaccess_task_item",
                columns: new[] { "task_id", "state", "number" });

            migrationBuilder.CreateIndex(
                name: "IX_updates_idempotency_created_at",
                table: "updates_idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_inbox_applied_at",
                table: "updates_inbox",
                column: "applied_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_job_run_started_at",
                table: "updates_job_run",
                column: "started_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_parked_message_consumer_message_id",
                table: "updates_parked_message",
                columns: new[] { "consumer", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_updates_parked_message_given_up_at",
                table: "updates_parked_message",
                column: "given_up_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_parked_message_state_next_attempt_at",
                table: "updates_parked_message",
                columns: new[] { "state", "next_attempt_at" });

            migrationBuilder.CreateIndex(
                name: "IX_updates_replica_seen_at",
                table: "updates_replica",
                column: "seen_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_task_ended_at",
                table: "updates_task",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_task_state_id",
                table: "updates_task",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_updates_task_item_ended_at",
                table: "updates_task_item",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "IX_updates_task_item_task_id_state_number",
                table: "updates_task_item",
                columns: new[] { "task_id", "state", "number" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit_audit_producer");

            migrationBuilder.DropTable(
                name: "audit_entry");

            migrationBuilder.DropTable(
                name: "audit_idempotency");

            migrationBuilder.DropTable(
                name: "audit_inbox");

            migrationBuilder.DropTable(
                name: "audit_job_run");

            migrationBuilder.DropTable(
                name: "audit_lease");

            migrationBuilder.DropTable(
                name: "audit_outbox");

            migrationBuilder.DropTable(
                name: "audit_parked_message");

            migrationBuilder.DropTable(
                name: "audit_projection");

            migrationBuilder.DropTable(
                name: "audit_replica");

            migrationBuilder.DropTable(
                name: "audit_task");

            migrationBuilder.DropTable(
                name: "audit_task_item");

            migrationBuilder.DropTable(
                name: "callhome_audit_producer");

            migrationBuilder.DropTable(
                name: "callhome_cluster");

            migrationBuilder.DropTable(
                name: "callhome_cluster_key");

            migrationBuilder.DropTable(
                name: "callhome_customer");

            migrationBuilder.DropTable(
                name: "callhome_desired_revision");

            migrationBuilder.DropTable(
                name: "callhome_desired_section");

            migrationBuilder.DropTable(
                name: "callhome_enrollment_token");

            migrationBuilder.DropTable(
                name: "callhome_epoch");

            migrationBuilder.DropTable(
                name: "callhome_idempotency");

            migrationBuilder.DropTable(
                name: "callhome_inbox");

            migrationBuilder.DropTable(
                name: "callhome_intake");

            migrationBuilder.DropTable(
                name: "callhome_job_run");

            migrationBuilder.DropTable(
                name: "callhome_lease");

            migrationBuilder.DropTable(
                name: "callhome_outbox");

            migrationBuilder.DropTable(
                name: "callhome_parked_message");

            migrationBuilder.DropTable(
                name: "callhome_projection");

            migrationBuilder.DropTable(
                name: "callhome_replica");

            migrationBuilder.DropTable(
                name: "callhome_task");

            migrationBuilder.DropTable(
                name: "callhome_task_item");

            migrationBuilder.DropTable(
                name: "callhome_used_nonce");

            migrationBuilder.DropTable(
                name: "fleet_audit_producer");

            migrationBuilder.DropTable(
                name: "fleet_change_counter");

            migrationBuilder.DropTable(
                name: "fleet_cluster");

            migrationBuilder.DropTable(
                name: "fleet_collector_version");

            migrationBuilder.DropTable(
                name: "fleet_customer");

            migrationBuilder.DropTable(
                name: "fleet_event");

            migrationBuilder.DropTable(
                name: "fleet_health_deadline");

            migrationBuilder.DropTable(
                name: "fleet_history");

            migrationBuilder.DropTable(
                name: "fleet_idempotency");

            migrationBuilder.DropTable(
                name: "fleet_inbox");

            migrationBuilder.DropTable(
                name: "fleet_incident");

            migrationBuilder.DropTable(
                name: "fleet_intake_clock");

            migrationBuilder.DropTable(
                name: "fleet_intake_replica");

            migrationBuilder.DropTable(
                name: "fleet_inventory");

            migrationBuilder.DropTable(
                name: "fleet_inventory_change");

            migrationBuilder.DropTable(
                name: "fleet_job_run");

            migrationBuilder.DropTable(
                name: "fleet_last_contact");

            migrationBuilder.DropTable(
                name: "fleet_last_health");

            migrationBuilder.DropTable(
                name: "fleet_last_usage");

            migrationBuilder.DropTable(
                name: "fleet_lease");

            migrationBuilder.DropTable(
                name: "fleet_liveness");

            migrationBuilder.DropTable(
                name: "fleet_outbox");

            migrationBuilder.DropTable(
                name: "fleet_overview");

            migrationBuilder.DropTable(
                name: "fleet_parked_message");

            migrationBuilder.DropTable(
                name: "fleet_projection");

            migrationBuilder.DropTable(
                name: "fleet_replica");

            migrationBuilder.DropTable(
                name: "fleet_rule_change");

            migrationBuilder.DropTable(
                name: "fleet_task");

            migrationBuilder.DropTable(
                name: "fleet_task_item");

            migrationBuilder.DropTable(
                name: "identity_audit_producer");

            migrationBuilder.DropTable(
                name: "identity_authenticator");

            migrationBuilder.DropTable(
                name: "identity_challenge");

            migrationBuilder.DropTable(
                name: "identity_client_key");

            migrationBuilder.DropTable(
                name: "identity_confirmation");

            migrationBuilder.DropTable(
                name: "identity_consumed_assertion");

            migrationBuilder.DropTable(
                name: "identity_device_attempt");

            migrationBuilder.DropTable(
                name: "identity_directory_try");

            migrationBuilder.DropTable(
                name: "identity_federated_identity");

            migrationBuilder.DropTable(
                name: "identity_former_owner");

            migrationBuilder.DropTable(
                name: "identity_group");

            migrationBuilder.DropTable(
                name: "identity_group_member");

            migrationBuilder.DropTable(
                name: "identity_held_role");

            migrationBuilder.DropTable(
                name: "identity_idempotency");

            migrationBuilder.DropTable(
                name: "identity_inbox");

            migrationBuilder.DropTable(
                name: "identity_invitation");

            migrationBuilder.DropTable(
                name: "identity_job_run");

            migrationBuilder.DropTable(
                name: "identity_leak");

            migrationBuilder.DropTable(
                name: "identity_leak_place");

            migrationBuilder.DropTable(
                name: "identity_lease");

            migrationBuilder.DropTable(
                name: "identity_logout_token");

            migrationBuilder.DropTable(
                name: "identity_outbox");

            migrationBuilder.DropTable(
                name: "identity_parked_message");

            migrationBuilder.DropTable(
                name: "identity_passkey");

            migrationBuilder.DropTable(
                name: "identity_person");

            migrationBuilder.DropTable(
                name: "identity_preferences");

            migrationBuilder.DropTable(
                name: "identity_projection");

            migrationBuilder.DropTable(
                name: "identity_provider");

            migrationBuilder.DropTable(
                name: "identity_recovery_code");

            migrationBuilder.DropTable(
                name: "identity_replica");

            migrationBuilder.DropTable(
                name: "identity_scope_request");

            migrationBuilder.DropTable(
                name: "identity_service_account");

            migrationBuilder.DropTable(
                name: "identity_session");

            migrationBuilder.DropTable(
                name: "identity_sign_in_attempt");

            migrationBuilder.DropTable(
                name: "identity_task");

            migrationBuilder.DropTable(
                name: "identity_task_item");

            migrationBuilder.DropTable(
                name: "identity_token");

            migrationBuilder.DropTable(
                name: "identity_used_assertion");

            migrationBuilder.DropTable(
                name: "identity_used_token");

            migrationBuilder.DropTable(
                name: "identity_view");

            migrationBuilder.DropTable(
                name: "licensing_audit_producer");

            migrationBuilder.DropTable(
                name: "licensing_cell");

            migrationBuilder.DropTable(
                name: "licensing_cluster");

            migrationBuilder.DropTable(
                name: "licensing_cluster_epoch");

            migrationBuilder.DropTable(
                name: "licensing_cluster_ledger");

            migrationBuilder.DropTable(
                name: "licensing_customer");

            migrationBuilder.DropTable(
                name: "licensing_due_receipt");

            migrationBuilder.DropTable(
                name: "licensing_idempotency");

            migrationBuilder.DropTable(
                name: "licensing_inbox");

            migrationBuilder.DropTable(
                name: "licensing_job_run");

            migrationBuilder.DropTable(
                name: "licensing_lease");

            migrationBuilder.DropTable(
                name: "licensing_meter");

            migrationBuilder.DropTable(
                name: "licensing_outbox");

            migrationBuilder.DropTable(
                name: "licensing_parked_cell");

            migrationBuilder.DropTable(
                name: "licensing_parked_message");

            migrationBuilder.DropTable(
                name: "licensing_projection");

            migrationBuilder.DropTable(
                name: "licensing_quarantined_window");

            migrationBuilder.DropTable(
                name: "licensing_replica");

            migrationBuilder.DropTable(
                name: "licensing_task");

            migrationBuilder.DropTable(
                name: "licensing_task_item");

            migrationBuilder.DropTable(
                name: "licensing_waiting_window");

            migrationBuilder.DropTable(
                name: "licensing_window");

            migrationBuilder.DropTable(
                name: "licensing_window_head");

            migrationBuilder.DropTable(
                name: "notifications_audit_producer");

            migrationBuilder.DropTable(
                name: "notifications_contact");

            migrationBuilder.DropTable(
                name: "notifications_customer");

            migrationBuilder.DropTable(
                name: "notifications_delivery");

            migrationBuilder.DropTable(
                name: "notifications_endpoint");

            migrationBuilder.DropTable(
                name: "notifications_idempotency");

            migrationBuilder.DropTable(
                name: "notifications_inbox");

            migrationBuilder.DropTable(
                name: "notifications_job_run");

            migrationBuilder.DropTable(
                name: "notifications_lease");

            migrationBuilder.DropTable(
                name: "notifications_outbox");

            migrationBuilder.DropTable(
                name: "notifications_parked_message");

            migrationBuilder.DropTable(
                name: "notifications_projection");

            migrationBuilder.DropTable(
                name: "notifications_replica");

            migrationBuilder.DropTable(
                name: "notifications_task");

            migrationBuilder.DropTable(
                name: "notifications_task_item");

            migrationBuilder.DropTable(
                name: "portal_audit_producer");

            migrationBuilder.DropTable(
                name: "portal_idempotency");

            migrationBuilder.DropTable(
                name: "portal_inbox");

            migrationBuilder.DropTable(
                name: "portal_job_run");

            migrationBuilder.DropTable(
                name: "portal_lease");

            migrationBuilder.DropTable(
                name: "portal_outbox");

            migrationBuilder.DropTable(
                name: "portal_parked_message");

            migrationBuilder.DropTable(
                name: "portal_projection");

            migrationBuilder.DropTable(
                name: "portal_replica");

            migrationBuilder.DropTable(
                name: "portal_task");

            migrationBuilder.DropTable(
                name: "portal_task_item");

            migrationBuilder.DropTable(
                name: "remoteaccess_audit_producer");

            migrationBuilder.DropTable(
                name: "remoteaccess_idempotency");

            migrationBuilder.DropTable(
                name: "remoteaccess_inbox");

            migrationBuilder.DropTable(
                name: "remoteaccess_job_run");

            migrationBuilder.DropTable(
                name: "remoteaccess_lease");

            migrationBuilder.DropTable(
                name: "remoteaccess_outbox");

            migrationBuilder.DropTable(
                name: "remoteaccess_parked_message");

            migrationBuilder.DropTable(
                name: "remoteaccess_projection");

            migrationBuilder.DropTable(
                name: "remoteaccess_replica");

            migrationBuilder.DropTable(
                name: "remoteaccess_task");

            migrationBuilder.DropTable(
                name: "remoteaccess_task_item");

            migrationBuilder.DropTable(
                name: "updates_audit_producer");

            migrationBuilder.DropTable(
                name: "updates_idempotency");

            migrationBuilder.DropTable(
                name: "updates_inbox");

            migrationBuilder.DropTable(
                name: "updates_job_run");

            migrationBuilder.DropTable(
                name: "updates_lease");

            migrationBuilder.DropTable(
                name: "updates_outbox");

            migrationBuilder.DropTable(
                name: "updates_parked_message");

            migrationBuilder.DropTable(
                name: "updates_projection");

            migrationBuilder.DropTable(
                name: "updates_replica");

            migrationBuilder.DropTable(
                name: "updates_task");

            migrationBuilder.DropTable(
                name: "updates_task_item");
        }
    }
}
