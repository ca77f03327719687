IF OBJECT_ID(N'[schema_history]') IS NULL
BEGIN
    CREATE TABLE [schema_history] (
        [MigrationId] nvarchar(150) NOT NULL,
        [ProductVersion] nvarchar(32) NOT NULL,
        CONSTRAINT [PK_schema_history] PRIMARY KEY ([MigrationId])
    );
END;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_audit_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_entry] (
        [id] binary(16) NOT NULL,
        [occurred_at] bigint NOT NULL,
        [recorded_at] bigint NOT NULL,
        [log] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [cluster_id] binary(16) NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [is_read] bit NOT NULL,
        [outcome] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor_kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor_id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [target_type] nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [target_id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [producer_seq] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_entry] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_audit_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_audit_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_audit_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_audit_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_audit_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_audit_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_audit_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_audit_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [audit_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_audit_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_callhome_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_cluster] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [suspended_by_staff] bit NOT NULL,
        [clone_suspected] bit NOT NULL,
        [epoch] bigint NOT NULL,
        [epoch_issued_at] bigint NOT NULL,
        [install_fingerprint] varbinary(max) NOT NULL,
        [trusted_first_contact] bit NOT NULL,
        [enrolled_at] bigint NOT NULL,
        [agent_version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [admission] bigint NOT NULL,
        [access_generation] bigint NOT NULL,
        [changed_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_callhome_cluster] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_cluster_key] (
        [cluster_id] binary(16) NOT NULL,
        [kid] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [use] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [spki] varbinary(max) NOT NULL,
        [not_before] bigint NOT NULL,
        [not_after] bigint NULL,
        [admission] bigint NOT NULL,
        [first_used_at] bigint NULL,
        CONSTRAINT [PK_callhome_cluster_key] PRIMARY KEY ([cluster_id], [kid])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_customer] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_callhome_customer] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_desired_revision] (
        [cluster_id] binary(16) NOT NULL,
        [revision] bigint NOT NULL,
        [changed_at] bigint NOT NULL,
        CONSTRAINT [PK_callhome_desired_revision] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_desired_section] (
        [cluster_id] binary(16) NOT NULL,
        [section] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [not_after] bigint NULL,
        [body] varbinary(max) NOT NULL,
        CONSTRAINT [PK_callhome_desired_section] PRIMARY KEY ([cluster_id], [section])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_enrollment_token] (
        [id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [secret_sha256] varbinary(max) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [cluster_name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [readmits_cluster] binary(16) NULL,
        [networks] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [anchors_sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [revoked_at] bigint NULL,
        [used_at] bigint NULL,
        [used_by] binary(16) NULL,
        [used_key] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_callhome_enrollment_token] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_epoch] (
        [cluster_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [issued_at] bigint NOT NULL,
        [reason] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [quarantined] bit NOT NULL,
        [confirmed_at] bigint NULL,
        CONSTRAINT [PK_callhome_epoch] PRIMARY KEY ([cluster_id], [epoch])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_callhome_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_callhome_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_intake] (
        [cluster_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [ack] bigint NOT NULL,
        [state] varbinary(max) NOT NULL,
        [last_seen_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_callhome_intake] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_callhome_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_callhome_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_callhome_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_callhome_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_callhome_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_callhome_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_callhome_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_callhome_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [callhome_used_nonce] (
        [nonce] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_callhome_used_nonce] PRIMARY KEY ([nonce])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_fleet_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_change_counter] (
        [id] int NOT NULL,
        [last] bigint NOT NULL,
        CONSTRAINT [PK_fleet_change_counter] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_cluster] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [clone_suspected] bit NOT NULL,
        [enrolled_at] bigint NOT NULL,
        [inventory_asked_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_fleet_cluster] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_collector_version] (
        [cluster_id] binary(16) NOT NULL,
        [release] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [os] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [collectors] bigint NOT NULL,
        CONSTRAINT [PK_fleet_collector_version] PRIMARY KEY ([cluster_id], [release], [os])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_customer] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [region] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_fleet_customer] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_event] (
        [cluster_id] binary(16) NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [severity] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [text] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [node] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [at] bigint NOT NULL,
        [received_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_event] PRIMARY KEY ([cluster_id], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_health_deadline] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_health_deadline] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_history] (
        [cluster_id] binary(16) NOT NULL,
        [from_at] bigint NOT NULL,
        [part] bigint NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [samples] int NOT NULL,
        [data] varbinary(max) NOT NULL,
        CONSTRAINT [PK_fleet_history] PRIMARY KEY ([cluster_id], [from_at], [part])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_incident] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [began_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [cause] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [clusters] int NOT NULL,
        [change] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_fleet_incident] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_intake_clock] (
        [id] int NOT NULL,
        [judged_at] bigint NOT NULL,
        [stalled_since] bigint NULL,
        [floor_at] bigint NOT NULL,
        [hold_until] bigint NULL,
        [released_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_intake_clock] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_intake_replica] (
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_intake_replica] PRIMARY KEY ([replica])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_inventory] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [rank] bigint NOT NULL,
        [at] bigint NOT NULL,
        [received_at] bigint NOT NULL,
        [product_version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [agent_version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [body] varbinary(max) NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_fleet_inventory] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_inventory_change] (
        [cluster_id] binary(16) NOT NULL,
        [rank] bigint NOT NULL,
        [ordinal] int NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [at] bigint NOT NULL,
        [received_at] bigint NOT NULL,
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [subject] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [before] nvarchar(200) COLLATE Latin1_General_100_BIN2 NULL,
        [after] nvarchar(200) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_fleet_inventory_change] PRIMARY KEY ([cluster_id], [rank], [ordinal])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_fleet_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_last_contact] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [received_at] bigint NOT NULL,
        [next_seconds] int NOT NULL,
        [late_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_last_contact] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_last_health] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [version] bigint NOT NULL,
        [rank] bigint NOT NULL,
        [at] bigint NOT NULL,
        [received_at] bigint NOT NULL,
        [status] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [status_since] bigint NOT NULL,
        [worst_reason] nvarchar(300) COLLATE Latin1_General_100_BIN2 NULL,
        [product_version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [nodes_up] int NOT NULL,
        [nodes_all] int NOT NULL,
        [broken] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [rejudge_at] bigint NULL,
        [usage_from] bigint NULL,
        [rules] varbinary(max) NOT NULL,
        [samples_from] bigint NOT NULL,
        [samples] varbinary(max) NOT NULL,
        [body] varbinary(max) NOT NULL,
        CONSTRAINT [PK_fleet_last_health] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_last_usage] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [received_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_last_usage] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_fleet_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_liveness] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [since] bigint NOT NULL,
        CONSTRAINT [PK_fleet_liveness] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_fleet_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_overview] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sort_name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [short_id] nvarchar(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [region] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [clone_suspected] bit NOT NULL,
        [enrolled_at] bigint NOT NULL,
        [liveness] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [liveness_since] bigint NOT NULL,
        [health] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [health_since] bigint NULL,
        [worst_reason] nvarchar(300) COLLATE Latin1_General_100_BIN2 NULL,
        [version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [agent_version] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [nodes_up] int NOT NULL,
        [nodes_all] int NOT NULL,
        [broken] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [badness] int NOT NULL,
        [change] bigint NOT NULL,
        [changed_at] bigint NOT NULL,
        CONSTRAINT [PK_fleet_overview] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_fleet_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_fleet_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_fleet_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_rule_change] (
        [id] binary(16) NOT NULL,
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [at] bigint NOT NULL,
        [rule] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [before] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [after] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_fleet_rule_change] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_fleet_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [fleet_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_fleet_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_identity_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_authenticator] (
        [id] binary(16) NOT NULL,
        [person_id] binary(16) NOT NULL,
        [secret] varbinary(100) NOT NULL,
        [last_step] bigint NOT NULL,
        [created_at] bigint NOT NULL,
        [confirmed_at] bigint NULL,
        [last_used_at] bigint NULL,
        [confirms_from] bigint NOT NULL,
        CONSTRAINT [PK_identity_authenticator] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_challenge] (
        [id] binary(16) NOT NULL,
        [name_sha256] varbinary(32) NOT NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [person_id] binary(16) NULL,
        [place] binary(16) NULL,
        [audience] nvarchar(30) COLLATE Latin1_General_100_BIN2 NULL,
        [purpose] nvarchar(40) COLLATE Latin1_General_100_BIN2 NULL,
        [subject_digest] nvarchar(43) COLLATE Latin1_General_100_BIN2 NULL,
        [name] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        [state] nvarchar(4000) COLLATE Latin1_General_100_BIN2 NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_challenge] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_client_key] (
        [id] binary(16) NOT NULL,
        [account_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [kid] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [algorithm] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [spki] varbinary(1000) NOT NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [revoked_at] bigint NULL,
        [last_used_at] bigint NULL,
        [last_used_from] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_identity_client_key] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_confirmation] (
        [id] binary(16) NOT NULL,
        [person_id] binary(16) NOT NULL,
        [session_id] binary(16) NOT NULL,
        [audience] nvarchar(30) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [purpose] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [subject_digest] nvarchar(43) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [text] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [asked_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [answered_at] bigint NULL,
        [factors] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [taken_at] bigint NULL,
        CONSTRAINT [PK_identity_confirmation] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_consumed_assertion] (
        [key] varbinary(32) NOT NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_consumed_assertion] PRIMARY KEY ([key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_device_attempt] (
        [id] binary(16) NOT NULL,
        [device_sha256] varbinary(32) NOT NULL,
        [user_code] nvarchar(8) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [agent] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [address] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [decided_at] bigint NULL,
        [person_id] binary(16) NULL,
        [person_stamp] bigint NULL,
        [session_id] binary(16) NULL,
        [taken_at] bigint NULL,
        CONSTRAINT [PK_identity_device_attempt] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_directory_try] (
        [key] varbinary(32) NOT NULL,
        [failed_tries] int NOT NULL,
        [locked_until] bigint NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_directory_try] PRIMARY KEY ([key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_federated_identity] (
        [key] varbinary(32) NOT NULL,
        [person_id] binary(16) NOT NULL,
        [provider_id] nvarchar(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [issuer] nvarchar(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [subject] nvarchar(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_federated_identity] PRIMARY KEY ([key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_former_owner] (
        [account_id] binary(16) NOT NULL,
        [person_id] binary(16) NOT NULL,
        [until] bigint NOT NULL,
        CONSTRAINT [PK_identity_former_owner] PRIMARY KEY ([account_id], [person_id], [until])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_group] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [name_key] nvarchar(140) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [description] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [roles] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [removed_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_group] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_group_member] (
        [group_id] binary(16) NOT NULL,
        [person_id] binary(16) NOT NULL,
        CONSTRAINT [PK_identity_group_member] PRIMARY KEY ([group_id], [person_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_held_role] (
        [person_id] binary(16) NOT NULL,
        [role] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [group_id] binary(16) NOT NULL,
        [since] bigint NOT NULL,
        [until] bigint NULL,
        CONSTRAINT [PK_identity_held_role] PRIMARY KEY ([person_id], [role], [group_id], [since])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_invitation] (
        [id] binary(16) NOT NULL,
        [code_sha256] varbinary(32) NOT NULL,
        [email] nvarchar(254) COLLATE Latin1_General_100_BIN2 NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [roles] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [person_id] binary(16) NULL,
        [person_stamp] bigint NULL,
        [invited_by] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [totp_secret] varbinary(100) NOT NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [accepted_at] bigint NULL,
        [revoked_at] bigint NULL,
        [failed_tries] int NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_invitation] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_identity_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_leak] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(1) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [token_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [secret_sha256] varbinary(32) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [customer_id] binary(16) NULL,
        [cluster_id] binary(16) NULL,
        [owner_id] binary(16) NULL,
        [successor_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NULL,
        [source] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [url] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [places] int NOT NULL,
        [reported_at] bigint NOT NULL,
        [verified_at] bigint NULL,
        [outcome] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [dead_at] bigint NULL,
        [spent_at] bigint NULL,
        [told_at] bigint NULL,
        [closed_at] bigint NULL,
        [closed_by] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        [closed_because] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [comment] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_leak] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_leak_place] (
        [incident_id] binary(16) NOT NULL,
        [digest] varbinary(32) NOT NULL,
        [reporter] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [source] nvarchar(40) COLLATE Latin1_General_100_BIN2 NULL,
        [url] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NULL,
        [found_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_leak_place] PRIMARY KEY ([incident_id], [digest])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_logout_token] (
        [key] varbinary(32) NOT NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_logout_token] PRIMARY KEY ([key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_identity_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_identity_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_passkey] (
        [id] binary(16) NOT NULL,
        [person_id] binary(16) NOT NULL,
        [credential_id] varbinary(512) NOT NULL,
        [public_key] varbinary(2000) NOT NULL,
        [sign_count] bigint NOT NULL,
        [transports] nvarchar(130) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [name] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [is_backup_eligible] bit NOT NULL,
        [is_backed_up] bit NOT NULL,
        [created_at] bigint NOT NULL,
        [last_used_at] bigint NULL,
        [confirms_from] bigint NOT NULL,
        CONSTRAINT [PK_identity_passkey] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_person] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [email] nvarchar(254) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [email_key] nvarchar(254) COLLATE Latin1_General_100_BIN2 NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [password_hash] nvarchar(200) COLLATE Latin1_General_100_BIN2 NULL,
        [password_set_at] bigint NULL,
        [disabled_at] bigint NULL,
        [failed_tries] int NOT NULL,
        [locked_until] bigint NULL,
        [created_at] bigint NOT NULL,
        [last_sign_in_at] bigint NULL,
        [stamp] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_person] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_preferences] (
        [person_id] binary(16) NOT NULL,
        [theme] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [density] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [zone] nvarchar(64) COLLATE Latin1_General_100_BIN2 NULL,
        [in_utc] bit NOT NULL,
        [keys_off] bit NOT NULL,
        [changed_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_preferences] PRIMARY KEY ([person_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_identity_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_provider] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [issuer] nvarchar(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [client_id] nvarchar(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [client_secret] varbinary(1000) NULL,
        [scopes] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [groups_claim] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [roles] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [required_acr] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [required_amr] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [saml] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_provider] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_recovery_code] (
        [person_id] binary(16) NOT NULL,
        [sha256] varbinary(32) NOT NULL,
        [created_at] bigint NOT NULL,
        [used_at] bigint NULL,
        CONSTRAINT [PK_identity_recovery_code] PRIMARY KEY ([person_id], [sha256])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_identity_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_scope_request] (
        [id] binary(16) NOT NULL,
        [account_id] binary(16) NOT NULL,
        [scope] nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [asked_by] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [asked_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [state] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [decided_by] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        [decided_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_scope_request] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_service_account] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [owner_id] binary(16) NOT NULL,
        [made_by] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scopes] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [networks] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [disabled_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_service_account] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_session] (
        [id] binary(16) NOT NULL,
        [secret_sha256] varbinary(900) NOT NULL,
        [token_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NULL,
        [person_id] binary(16) NULL,
        [factors] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [provider_id] nvarchar(36) COLLATE Latin1_General_100_BIN2 NULL,
        [provider_session] varbinary(32) NULL,
        [opener_id] binary(16) NULL,
        [agent] nvarchar(300) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [idle] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_identity_session] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_sign_in_attempt] (
        [id] binary(16) NOT NULL,
        [state_sha256] varbinary(32) NOT NULL,
        [browser_sha256] varbinary(32) NOT NULL,
        [provider_id] nvarchar(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [return_url] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [answered_at] bigint NULL,
        [person_id] binary(16) NULL,
        [person_stamp] bigint NULL,
        [totp_secret] varbinary(100) NULL,
        [provider_session] varbinary(32) NULL,
        [session_ends_at] bigint NULL,
        [failed_tries] int NOT NULL,
        [finished_at] bigint NULL,
        CONSTRAINT [PK_identity_sign_in_attempt] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_identity_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_identity_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_token] (
        [id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [secret_sha256] varbinary(max) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [person_id] binary(16) NULL,
        [account_id] binary(16) NULL,
        [is_client_secret] bit NOT NULL,
        [scopes] nvarchar(2000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [networks] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [expires_at] bigint NOT NULL,
        [successor_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NULL,
        [predecessor_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NULL,
        [revoked_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_token] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_used_assertion] (
        [account_id] binary(16) NOT NULL,
        [jti_sha256] varbinary(32) NOT NULL,
        [expires_at] bigint NOT NULL,
        CONSTRAINT [PK_identity_used_assertion] PRIMARY KEY ([account_id], [jti_sha256])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_used_token] (
        [token_id] nvarchar(12) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [address] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [first_at] bigint NOT NULL,
        [last_at] bigint NOT NULL,
        [accepted] bigint NOT NULL,
        [refused] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_used_token] PRIMARY KEY ([token_id], [address])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [identity_view] (
        [id] binary(16) NOT NULL,
        [list] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [query] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [owner] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [is_shared] bit NOT NULL,
        [is_default] bit NOT NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_identity_view] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_licensing_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_cell] (
        [cluster_id] binary(16) NOT NULL,
        [hour] int NOT NULL,
        [epoch] bigint NOT NULL,
        [revision] bigint NOT NULL,
        [meter] nvarchar(63) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [dimension_hash] bigint NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [meter_version] int NOT NULL,
        [environment] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [dimensions] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [quantity] bigint NOT NULL,
        CONSTRAINT [PK_licensing_cell] PRIMARY KEY ([cluster_id], [hour], [epoch], [revision], [meter], [dimension_hash])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_cluster] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [clone_suspected] bit NOT NULL,
        [epoch] bigint NOT NULL,
        [enrolled_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [keys] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_cluster] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_cluster_epoch] (
        [cluster_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [issued_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_cluster_epoch] PRIMARY KEY ([cluster_id], [epoch])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_cluster_ledger] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [coverage] varbinary(max) NOT NULL,
        [results] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [received_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_cluster_ledger] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_customer] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [region] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [held_since] bigint NULL,
        [hold_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_customer] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_due_receipt] (
        [id] binary(16) NOT NULL,
        [cluster_id] binary(16) NOT NULL,
        CONSTRAINT [PK_licensing_due_receipt] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_licensing_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_meter] (
        [key] nvarchar(63) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [meter_version] int NOT NULL,
        [unit] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scale] int NOT NULL,
        [aggregation] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [description] nvarchar(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_meter] PRIMARY KEY ([key], [meter_version])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_licensing_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_parked_cell] (
        [cluster_id] binary(16) NOT NULL,
        [hour] int NOT NULL,
        [epoch] bigint NOT NULL,
        [revision] bigint NOT NULL,
        [meter] nvarchar(63) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [dimension_hash] bigint NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [meter_version] int NOT NULL,
        [environment] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [dimensions] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [quantity] nvarchar(30) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [problem] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_licensing_parked_cell] PRIMARY KEY ([cluster_id], [hour], [epoch], [revision], [meter], [dimension_hash])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_licensing_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_licensing_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_quarantined_window] (
        [cluster_id] binary(16) NOT NULL,
        [sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [hour] int NOT NULL,
        [epoch] bigint NOT NULL,
        [revision] bigint NOT NULL,
        [problem] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [detail] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [received_at] bigint NOT NULL,
        [body] varbinary(max) NOT NULL,
        [decided_at] bigint NULL,
        CONSTRAINT [PK_licensing_quarantined_window] PRIMARY KEY ([cluster_id], [sha256])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_licensing_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_licensing_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_licensing_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_waiting_window] (
        [cluster_id] binary(16) NOT NULL,
        [sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [seq] bigint NOT NULL,
        [reason] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [due] bit NOT NULL,
        [received_at] bigint NOT NULL,
        [body] varbinary(max) NOT NULL,
        CONSTRAINT [PK_licensing_waiting_window] PRIMARY KEY ([cluster_id], [sha256])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_window] (
        [cluster_id] binary(16) NOT NULL,
        [hour] int NOT NULL,
        [epoch] bigint NOT NULL,
        [revision] bigint NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [verdict] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [complete] bit NOT NULL,
        [cells] int NOT NULL,
        [collected_at] bigint NOT NULL,
        [received_at] bigint NOT NULL,
        [kid] nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [signature] varbinary(max) NOT NULL,
        [payload] varbinary(max) NOT NULL,
        CONSTRAINT [PK_licensing_window] PRIMARY KEY ([cluster_id], [hour], [epoch], [revision])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [licensing_window_head] (
        [cluster_id] binary(16) NOT NULL,
        [hour] int NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [rank] bigint NOT NULL,
        [epoch] bigint NOT NULL,
        [revision] bigint NOT NULL,
        [sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [complete] bit NOT NULL,
        [received_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_window_head] PRIMARY KEY ([cluster_id], [hour])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_notifications_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_contact] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [email] nvarchar(254) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_notifications_contact] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_customer] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_notifications_customer] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_delivery] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NULL,
        [dedup_key] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [channel] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [recipient] nvarchar(254) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [subject] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [severity] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [body] varbinary(max) NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [attempts] int NOT NULL,
        [created_at] bigint NOT NULL,
        [since] bigint NOT NULL,
        [next_at] bigint NULL,
        [ended_at] bigint NULL,
        [error] nvarchar(300) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_notifications_delivery] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_endpoint] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [address] nvarchar(500) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [secret] varbinary(200) NOT NULL,
        [old_secret] varbinary(200) NULL,
        [old_secret_ends_at] bigint NULL,
        [is_disabled] bit NOT NULL,
        [why] nvarchar(300) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_notifications_endpoint] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_notifications_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_notifications_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_notifications_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_notifications_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_notifications_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_notifications_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_notifications_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_notifications_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_notifications_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [notifications_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_notifications_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_portal_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_portal_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_portal_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_portal_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_portal_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_portal_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_portal_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_portal_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_portal_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_portal_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [portal_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_portal_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_remoteaccess_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_remoteaccess_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_remoteaccess_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_remoteaccess_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_remoteaccess_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_remoteaccess_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_remoteaccess_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_remoteaccess_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_remoteaccess_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_remoteaccess_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [remoteaccess_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_remoteaccess_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_audit_producer] (
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sequence] bigint NOT NULL,
        CONSTRAINT [PK_updates_audit_producer] PRIMARY KEY ([producer])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_idempotency] (
        [principal] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [route] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [request_sha256] varbinary(max) NOT NULL,
        [status] int NOT NULL,
        [content_type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [location] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [body] varbinary(max) NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_updates_idempotency] PRIMARY KEY ([principal], [route], [key])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_inbox] (
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [applied_at] bigint NOT NULL,
        CONSTRAINT [PK_updates_inbox] PRIMARY KEY ([consumer], [message_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_job_run] (
        [job] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [scheduled_at] bigint NOT NULL,
        [replica] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        [outcome] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_updates_job_run] PRIMARY KEY ([job], [scheduled_at])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_lease] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [holder] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [until] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_updates_lease] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_outbox] (
        [id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [created_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_updates_outbox] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_parked_message] (
        [id] binary(16) NOT NULL,
        [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [message_id] binary(16) NOT NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [key] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [payload] varbinary(max) NOT NULL,
        [attachment] varbinary(max) NULL,
        [sent_at] bigint NOT NULL,
        [first_failed_at] bigint NOT NULL,
        [last_failed_at] bigint NOT NULL,
        [attempts] int NOT NULL,
        [first_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_error] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [next_attempt_at] bigint NOT NULL,
        [given_up_at] bigint NULL,
        [given_up_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [given_up_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        CONSTRAINT [PK_updates_parked_message] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_projection] (
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] bigint NOT NULL,
        [body] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_updates_projection] PRIMARY KEY ([kind], [id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_replica] (
        [instance] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [version] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_at] bigint NOT NULL,
        [seen_at] bigint NOT NULL,
        [stopped_at] bigint NULL,
        [disk_free] bigint NULL,
        [disk_total] bigint NULL,
        [certificate_ends_at] bigint NULL,
        [work_per_second] float NULL,
        [work_p99_ms] float NULL,
        CONSTRAINT [PK_updates_replica] PRIMARY KEY ([instance])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_task] (
        [id] binary(16) NOT NULL,
        [kind] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [summary] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [started_by] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [retry_of] binary(16) NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [total] int NOT NULL,
        [succeeded] int NOT NULL,
        [failed] int NOT NULL,
        [refused] int NOT NULL,
        [started_at] bigint NOT NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_updates_task] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE TABLE [updates_task_item] (
        [task_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [target] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [label] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL,
        [ended_at] bigint NULL,
        CONSTRAINT [PK_updates_task_item] PRIMARY KEY ([task_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_entry_customer_id_occurred_at] ON [audit_entry] ([customer_id], [occurred_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_entry_is_read_occurred_at_id] ON [audit_entry] ([is_read], [occurred_at], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_entry_occurred_at_id] ON [audit_entry] ([occurred_at], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_entry_producer_producer_seq] ON [audit_entry] ([producer], [producer_seq]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_idempotency_created_at] ON [audit_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_inbox_applied_at] ON [audit_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_job_run_started_at] ON [audit_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_parked_message_consumer_message_id] ON [audit_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_parked_message_given_up_at] ON [audit_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_parked_message_state_next_attempt_at] ON [audit_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_replica_seen_at] ON [audit_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_task_ended_at] ON [audit_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_task_state_id] ON [audit_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_task_item_ended_at] ON [audit_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_audit_task_item_task_id_state_number] ON [audit_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_cluster_changed_at] ON [callhome_cluster] ([changed_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_cluster_customer_id] ON [callhome_cluster] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_desired_revision_changed_at] ON [callhome_desired_revision] ([changed_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_enrollment_token_customer_id_created_at] ON [callhome_enrollment_token] ([customer_id], [created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_enrollment_token_expires_at] ON [callhome_enrollment_token] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_enrollment_token_readmits_cluster] ON [callhome_enrollment_token] ([readmits_cluster]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_idempotency_created_at] ON [callhome_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_inbox_applied_at] ON [callhome_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_job_run_started_at] ON [callhome_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_callhome_parked_message_consumer_message_id] ON [callhome_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_parked_message_given_up_at] ON [callhome_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_parked_message_state_next_attempt_at] ON [callhome_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_replica_seen_at] ON [callhome_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_task_ended_at] ON [callhome_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_task_state_id] ON [callhome_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_task_item_ended_at] ON [callhome_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_task_item_task_id_state_number] ON [callhome_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_callhome_used_nonce_expires_at] ON [callhome_used_nonce] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_cluster_customer_id] ON [fleet_cluster] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_event_cluster_id_at] ON [fleet_event] ([cluster_id], [at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_event_received_at] ON [fleet_event] ([received_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_health_deadline_at] ON [fleet_health_deadline] ([at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_history_from_at] ON [fleet_history] ([from_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_idempotency_created_at] ON [fleet_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_inbox_applied_at] ON [fleet_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_incident_began_at] ON [fleet_incident] ([began_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_incident_change] ON [fleet_incident] ([change]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_incident_ended_at] ON [fleet_incident] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_intake_replica_at] ON [fleet_intake_replica] ([at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_inventory_change_received_at] ON [fleet_inventory_change] ([received_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_job_run_started_at] ON [fleet_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_liveness_state] ON [fleet_liveness] ([state]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_overview_badness_sort_name_cluster_id] ON [fleet_overview] ([badness], [sort_name], [cluster_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_overview_change] ON [fleet_overview] ([change]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_overview_customer_id_badness] ON [fleet_overview] ([customer_id], [badness]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_fleet_parked_message_consumer_message_id] ON [fleet_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_parked_message_given_up_at] ON [fleet_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_parked_message_state_next_attempt_at] ON [fleet_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_replica_seen_at] ON [fleet_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_rule_change_at] ON [fleet_rule_change] ([at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_rule_change_cluster_id_at] ON [fleet_rule_change] ([cluster_id], [at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_task_ended_at] ON [fleet_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_task_state_id] ON [fleet_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_task_item_ended_at] ON [fleet_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_fleet_task_item_task_id_state_number] ON [fleet_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_authenticator_person_id] ON [identity_authenticator] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_challenge_expires_at] ON [identity_challenge] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_challenge_name_sha256] ON [identity_challenge] ([name_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_client_key_account_id] ON [identity_client_key] ([account_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_client_key_expires_at] ON [identity_client_key] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_confirmation_expires_at] ON [identity_confirmation] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_confirmation_person_id] ON [identity_confirmation] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_consumed_assertion_expires_at] ON [identity_consumed_assertion] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_device_attempt_device_sha256] ON [identity_device_attempt] ([device_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_device_attempt_expires_at] ON [identity_device_attempt] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_device_attempt_user_code] ON [identity_device_attempt] ([user_code]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_directory_try_expires_at] ON [identity_directory_try] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_federated_identity_person_id] ON [identity_federated_identity] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_federated_identity_provider_id] ON [identity_federated_identity] ([provider_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_group_customer_id] ON [identity_group] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_group_name_key] ON [identity_group] ([name_key]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_idempotency_created_at] ON [identity_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_inbox_applied_at] ON [identity_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_invitation_code_sha256] ON [identity_invitation] ([code_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_invitation_created_at] ON [identity_invitation] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_invitation_expires_at] ON [identity_invitation] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_invitation_invited_by] ON [identity_invitation] ([invited_by]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_job_run_started_at] ON [identity_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_leak_closed_at] ON [identity_leak] ([closed_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_leak_reported_at] ON [identity_leak] ([reported_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_leak_token_id_kind_secret_sha256] ON [identity_leak] ([token_id], [kind], [secret_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_leak_place_found_at] ON [identity_leak_place] ([found_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_logout_token_expires_at] ON [identity_logout_token] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_parked_message_consumer_message_id] ON [identity_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_parked_message_given_up_at] ON [identity_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_parked_message_state_next_attempt_at] ON [identity_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_passkey_credential_id] ON [identity_passkey] ([credential_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_passkey_person_id] ON [identity_passkey] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_person_customer_id] ON [identity_person] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    EXEC(N'CREATE UNIQUE INDEX [IX_identity_person_email_key] ON [identity_person] ([email_key]) WHERE [email_key] IS NOT NULL');
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_provider_customer_id] ON [identity_provider] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_replica_seen_at] ON [identity_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_scope_request_account_id] ON [identity_scope_request] ([account_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_scope_request_expires_at] ON [identity_scope_request] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_service_account_created_at] ON [identity_service_account] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_service_account_name] ON [identity_service_account] ([name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_session_expires_at] ON [identity_session] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_session_person_id] ON [identity_session] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_session_provider_session] ON [identity_session] ([provider_session]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_session_secret_sha256] ON [identity_session] ([secret_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_sign_in_attempt_browser_sha256] ON [identity_sign_in_attempt] ([browser_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_sign_in_attempt_expires_at] ON [identity_sign_in_attempt] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_sign_in_attempt_state_sha256] ON [identity_sign_in_attempt] ([state_sha256]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_task_ended_at] ON [identity_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_task_state_id] ON [identity_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_task_item_ended_at] ON [identity_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_task_item_task_id_state_number] ON [identity_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_token_account_id] ON [identity_token] ([account_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_token_created_at] ON [identity_token] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_token_expires_at] ON [identity_token] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_token_person_id] ON [identity_token] ([person_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_used_assertion_expires_at] ON [identity_used_assertion] ([expires_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_identity_used_token_last_at] ON [identity_used_token] ([last_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_identity_view_owner_list_name] ON [identity_view] ([owner], [list], [name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_cluster_customer_id] ON [licensing_cluster] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_customer_name] ON [licensing_customer] ([name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_idempotency_created_at] ON [licensing_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_inbox_applied_at] ON [licensing_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_job_run_started_at] ON [licensing_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_parked_cell_meter_meter_version] ON [licensing_parked_cell] ([meter], [meter_version]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_licensing_parked_message_consumer_message_id] ON [licensing_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_parked_message_given_up_at] ON [licensing_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_parked_message_state_next_attempt_at] ON [licensing_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_quarantined_window_customer_id_hour] ON [licensing_quarantined_window] ([customer_id], [hour]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_quarantined_window_decided_at] ON [licensing_quarantined_window] ([decided_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_replica_seen_at] ON [licensing_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_task_ended_at] ON [licensing_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_task_state_id] ON [licensing_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_task_item_ended_at] ON [licensing_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_task_item_task_id_state_number] ON [licensing_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_waiting_window_due] ON [licensing_waiting_window] ([due]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_licensing_window_head_customer_id_hour] ON [licensing_window_head] ([customer_id], [hour]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_contact_customer_id_kind] ON [notifications_contact] ([customer_id], [kind]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_delivery_created_at] ON [notifications_delivery] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_delivery_ended_at] ON [notifications_delivery] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_delivery_recipient_created_at] ON [notifications_delivery] ([recipient], [created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_delivery_state_next_at] ON [notifications_delivery] ([state], [next_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_endpoint_customer_id] ON [notifications_endpoint] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_idempotency_created_at] ON [notifications_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_inbox_applied_at] ON [notifications_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_job_run_started_at] ON [notifications_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_notifications_parked_message_consumer_message_id] ON [notifications_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_parked_message_given_up_at] ON [notifications_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_parked_message_state_next_attempt_at] ON [notifications_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_replica_seen_at] ON [notifications_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_task_ended_at] ON [notifications_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_task_state_id] ON [notifications_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_task_item_ended_at] ON [notifications_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_notifications_task_item_task_id_state_number] ON [notifications_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_idempotency_created_at] ON [portal_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_inbox_applied_at] ON [portal_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_job_run_started_at] ON [portal_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_portal_parked_message_consumer_message_id] ON [portal_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_parked_message_given_up_at] ON [portal_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_parked_message_state_next_attempt_at] ON [portal_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_replica_seen_at] ON [portal_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_task_ended_at] ON [portal_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_task_state_id] ON [portal_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_task_item_ended_at] ON [portal_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_portal_task_item_task_id_state_number] ON [portal_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_idempotency_created_at] ON [remoteaccess_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_inbox_applied_at] ON [remoteaccess_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_job_run_started_at] ON [remoteaccess_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_remoteaccess_parked_message_consumer_message_id] ON [remoteaccess_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_parked_message_given_up_at] ON [remoteaccess_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_parked_message_state_next_attempt_at] ON [remoteaccess_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_replica_seen_at] ON [remoteaccess_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_task_ended_at] ON [remoteaccess_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_task_state_id] ON [remoteaccess_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_task_item_ended_at] ON [remoteaccess_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_remoteaccess_task_item_task_id_state_number] ON [remoteaccess_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_idempotency_created_at] ON [updates_idempotency] ([created_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_inbox_applied_at] ON [updates_inbox] ([applied_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_job_run_started_at] ON [updates_job_run] ([started_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE UNIQUE INDEX [IX_updates_parked_message_consumer_message_id] ON [updates_parked_message] ([consumer], [message_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_parked_message_given_up_at] ON [updates_parked_message] ([given_up_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_parked_message_state_next_attempt_at] ON [updates_parked_message] ([state], [next_attempt_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_replica_seen_at] ON [updates_replica] ([seen_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_task_ended_at] ON [updates_task] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_task_state_id] ON [updates_task] ([state], [id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_task_item_ended_at] ON [updates_task_item] ([ended_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    CREATE INDEX [IX_updates_task_item_task_id_state_number] ON [updates_task_item] ([task_id], [state], [number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'Initial'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'Initial', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log] (
        [name] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [id] binary(16) NOT NULL,
        [origin] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_audit_log] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log_checkpoint] (
        [log_id] binary(16) NOT NULL,
        [size] bigint NOT NULL,
        [signed_at] bigint NOT NULL,
        [note] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_log_checkpoint] PRIMARY KEY ([log_id], [size])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log_head] (
        [log_id] binary(16) NOT NULL,
        [size] bigint NOT NULL,
        [root] varbinary(32) NOT NULL,
        [range] varbinary(2016) NOT NULL,
        [recorded_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_audit_log_head] PRIMARY KEY ([log_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log_leaf] (
        [log_id] binary(16) NOT NULL,
        [position] bigint NOT NULL,
        [hash] varbinary(32) NOT NULL,
        [event_id] binary(16) NOT NULL,
        [event_hash] varbinary(32) NOT NULL,
        [content] varbinary(max) NOT NULL,
        CONSTRAINT [PK_audit_log_leaf] PRIMARY KEY ([log_id], [position])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log_personal] (
        [log_id] binary(16) NOT NULL,
        [position] bigint NOT NULL,
        [field] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [salt] varbinary(32) NOT NULL,
        [value] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_log_personal] PRIMARY KEY ([log_id], [position], [field])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE TABLE [audit_log_tile] (
        [log_id] binary(16) NOT NULL,
        [level] int NOT NULL,
        [position] bigint NOT NULL,
        [hashes] varbinary(max) NOT NULL,
        [root] varbinary(32) NOT NULL,
        CONSTRAINT [PK_audit_log_tile] PRIMARY KEY ([log_id], [level], [position])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE INDEX [IX_audit_log_customer_id] ON [audit_log] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_log_id] ON [audit_log] ([id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_log_origin] ON [audit_log] ([origin]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_log_leaf_log_id_event_id] ON [audit_log_leaf] ([log_id], [event_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditLogs'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditLogs', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    DROP INDEX [IX_audit_entry_customer_id_occurred_at] ON [audit_entry];
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    DROP INDEX [IX_audit_entry_is_read_occurred_at_id] ON [audit_entry];
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    DROP INDEX [IX_audit_entry_producer_producer_seq] ON [audit_entry];
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    EXEC sp_rename N'[audit_entry]', N'audit_entry_foundation', 'OBJECT';
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    IF OBJECT_ID('audit_entry_append_only') IS NOT NULL
    BEGIN
        DROP TRIGGER [audit_entry_append_only];
        EXEC('CREATE TRIGGER [audit_entry_foundation_append_only] ON [audit_entry_foundation] INSTEAD OF UPDATE, DELETE AS THROW 51000, ''audit_entry_foundation is append-only'', 1;');
    END;
    IF OBJECT_ID('audit_entry_no_truncate') IS NOT NULL EXEC sp_rename 'audit_entry_no_truncate', 'audit_entry_foundation_no_truncate';
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE TABLE [audit_index] (
        [log_id] binary(16) NOT NULL,
        [position] bigint NOT NULL,
        [event_id] binary(16) NOT NULL,
        [occurred_at] bigint NOT NULL,
        [recorded_at] bigint NOT NULL,
        [log] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [cluster_id] binary(16) NULL,
        [type] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [is_read] bit NOT NULL,
        [outcome] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor_kind] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [actor_id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [target_type] nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [target_id] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL,
        [producer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [producer_seq] bigint NOT NULL,
        [imported] bit NOT NULL,
        CONSTRAINT [PK_audit_index] PRIMARY KEY ([log_id], [position])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE TABLE [audit_progress] (
        [name] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [place] bigint NOT NULL,
        [id] binary(16) NOT NULL,
        [done] bit NOT NULL,
        CONSTRAINT [PK_audit_progress] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE INDEX [IX_audit_index_customer_id_occurred_at_log_id_position] ON [audit_index] ([customer_id], [occurred_at], [log_id], [position]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE INDEX [IX_audit_index_is_read_occurred_at_log_id_position] ON [audit_index] ([is_read], [occurred_at], [log_id], [position]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE INDEX [IX_audit_index_occurred_at_log_id_position] ON [audit_index] ([occurred_at], [log_id], [position]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    CREATE INDEX [IX_audit_index_producer_producer_seq] ON [audit_index] ([producer], [producer_seq]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditIndex'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditIndex', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditAnchor'
)
BEGIN
    CREATE TABLE [audit_epoch_slots] (
        [epoch] bigint NOT NULL,
        [content] varbinary(max) NOT NULL,
        CONSTRAINT [PK_audit_epoch_slots] PRIMARY KEY ([epoch])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditAnchor'
)
BEGIN
    CREATE TABLE [audit_log_slot] (
        [slot] bigint NOT NULL,
        [log_id] binary(16) NOT NULL,
        CONSTRAINT [PK_audit_log_slot] PRIMARY KEY ([slot])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditAnchor'
)
BEGIN
    CREATE UNIQUE INDEX [IX_audit_log_slot_log_id] ON [audit_log_slot] ([log_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditAnchor'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditAnchor', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE TABLE [audit_cosignature] (
        [log_id] binary(16) NOT NULL,
        [size] bigint NOT NULL,
        [cluster_id] binary(16) NOT NULL,
        [line] nvarchar(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_cosignature] PRIMARY KEY ([log_id], [size], [cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE TABLE [audit_witness] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [cluster_version] bigint NOT NULL,
        [public_key] varbinary(32) NULL,
        [is_active] bit NOT NULL,
        [is_enlisted] bit NOT NULL,
        [may_be_asked] bit NOT NULL,
        [has_seat] bit NOT NULL,
        [asked_at] bigint NOT NULL,
        [due_at] bigint NOT NULL,
        [answered_at] bigint NULL,
        [item_rank] bigint NOT NULL,
        [retries] int NOT NULL,
        [anchor_asked] bigint NOT NULL,
        [anchor_size] bigint NOT NULL,
        [anchor_refusal] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [customer_size] bigint NOT NULL,
        [customer_refusal] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_audit_witness] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE INDEX [IX_audit_cosignature_log_id_cluster_id_size] ON [audit_cosignature] ([log_id], [cluster_id], [size]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE INDEX [IX_audit_witness_customer_id] ON [audit_witness] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE INDEX [IX_audit_witness_has_seat_may_be_asked_answered_at] ON [audit_witness] ([has_seat], [may_be_asked], [answered_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    CREATE INDEX [IX_audit_witness_may_be_asked_due_at] ON [audit_witness] ([may_be_asked], [due_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditWitnesses'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditWitnesses', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditGaps'
)
BEGIN
    CREATE TABLE [audit_numbers_read] (
        [log_id] binary(16) NOT NULL,
        [position] bigint NOT NULL,
        CONSTRAINT [PK_audit_numbers_read] PRIMARY KEY ([log_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditGaps'
)
BEGIN
    CREATE TABLE [audit_producer] (
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reached] bigint NOT NULL,
        [known] bigint NULL,
        [untold_since] bigint NULL,
        [holes] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        CONSTRAINT [PK_audit_producer] PRIMARY KEY ([name])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditGaps'
)
BEGIN
    CREATE INDEX [IX_audit_producer_known] ON [audit_producer] ([known]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditGaps'
)
BEGIN
    CREATE INDEX [IX_audit_producer_untold_since] ON [audit_producer] ([untold_since]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditGaps'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditGaps', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditPrune'
)
BEGIN
    CREATE TABLE [audit_log_minimum] (
        [log_id] binary(16) NOT NULL,
        [minimum] bigint NOT NULL,
        [position] bigint NOT NULL,
        [event_id] binary(16) NOT NULL,
        [published_at] bigint NOT NULL,
        CONSTRAINT [PK_audit_log_minimum] PRIMARY KEY ([log_id], [minimum])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditPrune'
)
BEGIN
    CREATE TABLE [audit_log_pruned] (
        [log_id] binary(16) NOT NULL,
        [event_id] binary(16) NOT NULL,
        [position] bigint NOT NULL,
        [event_hash] varbinary(32) NOT NULL,
        CONSTRAINT [PK_audit_log_pruned] PRIMARY KEY ([log_id], [event_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditPrune'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditPrune', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditExports'
)
BEGIN
    ALTER TABLE [notifications_delivery] ADD [report] nvarchar(40) COLLATE Latin1_General_100_BIN2 NULL;
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditExports'
)
BEGIN
    CREATE TABLE [audit_export] (
        [id] binary(16) NOT NULL,
        [log_id] binary(16) NOT NULL,
        [origin] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [customer_id] binary(16) NULL,
        [endpoint_id] binary(16) NOT NULL,
        [format] nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [first_index] bigint NOT NULL,
        [next_index] bigint NOT NULL,
        [last_hash] varbinary(32) NULL,
        [batch_id] binary(16) NULL,
        [batch_end] bigint NULL,
        [batch_hash] varbinary(32) NULL,
        [batch_at] bigint NOT NULL,
        [sent_at] bigint NULL,
        [problem] nvarchar(400) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_audit_export] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditExports'
)
BEGIN
    CREATE INDEX [IX_audit_export_batch_id] ON [audit_export] ([batch_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditExports'
)
BEGIN
    CREATE INDEX [IX_audit_export_customer_id] ON [audit_export] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditExports'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditExports', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE TABLE [audit_cluster_log] (
        [cluster_id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [origin] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [size] bigint NOT NULL,
        [root] varbinary(32) NOT NULL,
        [range] varbinary(2016) NOT NULL,
        [note] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [begun_at] bigint NOT NULL,
        [confirmed_at] bigint NOT NULL,
        [matched] bigint NOT NULL,
        [due_at] bigint NULL,
        [refusal] nvarchar(20) COLLATE Latin1_General_100_BIN2 NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_audit_cluster_log] PRIMARY KEY ([cluster_id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE TABLE [audit_cluster_log_entry] (
        [cluster_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [position] bigint NOT NULL,
        [taken_at] bigint NOT NULL,
        [content] varbinary(max) NOT NULL,
        CONSTRAINT [PK_audit_cluster_log_entry] PRIMARY KEY ([cluster_id], [epoch], [position])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE TABLE [audit_unmatched] (
        [cluster_id] binary(16) NOT NULL,
        [epoch] bigint NOT NULL,
        [side] nvarchar(10) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reference] nvarchar(150) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [found] bit NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [at] bigint NOT NULL,
        CONSTRAINT [PK_audit_unmatched] PRIMARY KEY ([cluster_id], [epoch], [side], [reference], [found])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE INDEX [IX_audit_index_cluster_id_type] ON [audit_index] ([cluster_id], [type]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE INDEX [IX_audit_cluster_log_customer_id] ON [audit_cluster_log] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE INDEX [IX_audit_cluster_log_due_at] ON [audit_cluster_log] ([due_at]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    CREATE INDEX [IX_audit_unmatched_customer_id] ON [audit_unmatched] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'AuditClusterLogs'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'AuditClusterLogs', N'(version)');
END;

COMMIT;
GO

BEGIN TRANSACTION;
IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_billing_account] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [currency] nvarchar(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [tax_region] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [invoice_reference] nvarchar(100) COLLATE Latin1_General_100_BIN2 NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_billing_account] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_contract] (
        [id] binary(16) NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [account_id] binary(16) NOT NULL,
        [number] nvarchar(60) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [currency] nvarchar(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [from_hour] int NOT NULL,
        [to_hour] int NOT NULL,
        [last_number] int NOT NULL,
        [termination_reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_contract] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_contract_version] (
        [contract_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [customer_id] binary(16) NOT NULL,
        [kind] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [from_hour] int NOT NULL,
        [to_hour] int NOT NULL,
        [price_book_id] binary(16) NOT NULL,
        [plan_id] binary(16) NOT NULL,
        [plan_version] int NOT NULL,
        [terms] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [reason] nvarchar(500) COLLATE Latin1_General_100_BIN2 NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_contract_version] PRIMARY KEY ([contract_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_plan] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_number] int NOT NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_plan] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_plan_version] (
        [plan_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [content] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [created_at] bigint NOT NULL,
        CONSTRAINT [PK_licensing_plan_version] PRIMARY KEY ([plan_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_price_book] (
        [id] binary(16) NOT NULL,
        [name] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [currency] nvarchar(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [last_number] int NOT NULL,
        [created_at] bigint NOT NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_price_book] PRIMARY KEY ([id])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE TABLE [licensing_price_book_version] (
        [book_id] binary(16) NOT NULL,
        [number] int NOT NULL,
        [state] nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [from_hour] int NOT NULL,
        [content] nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [sha256] nvarchar(71) COLLATE Latin1_General_100_BIN2 NOT NULL,
        [rates] int NOT NULL,
        [created_at] bigint NOT NULL,
        [published_at] bigint NULL,
        [version] bigint NOT NULL,
        CONSTRAINT [PK_licensing_price_book_version] PRIMARY KEY ([book_id], [number])
    );
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_billing_account_customer_id] ON [licensing_billing_account] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_billing_account_name] ON [licensing_billing_account] ([name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_contract_account_id] ON [licensing_contract] ([account_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_contract_customer_id] ON [licensing_contract] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE UNIQUE INDEX [IX_licensing_contract_number] ON [licensing_contract] ([number]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_contract_version_customer_id] ON [licensing_contract_version] ([customer_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_contract_version_price_book_id] ON [licensing_contract_version] ([price_book_id]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE UNIQUE INDEX [IX_licensing_plan_name] ON [licensing_plan] ([name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    CREATE INDEX [IX_licensing_price_book_name] ON [licensing_price_book] ([name]);
END;

IF NOT EXISTS (
    SELECT * FROM [schema_history]
    WHERE [MigrationId] = N'CommercialModel'
)
BEGIN
    INSERT INTO [schema_history] ([MigrationId], [ProductVersion])
    VALUES (N'CommercialModel', N'(version)');
END;

COMMIT;
GO

