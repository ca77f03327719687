-- insert if absent
SET NOCOUNT ON;
DECLARE @rows TABLE (mc_ordinal int NOT NULL, [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL, [message_id] binary(16) NOT NULL, [applied_at] bigint NULL, PRIMARY KEY ([consumer], [message_id]));
INSERT INTO @rows SELECT j.mc_ordinal, j.[consumer], CONVERT(binary(16), j.[message_id], 2), j.[applied_at] FROM OPENJSON(@json) WITH (mc_ordinal int '$[0]', [consumer] nvarchar(max) '$[1]', [message_id] varchar(max) '$[2]', [applied_at] bigint '$[3]') AS j;
DECLARE @written TABLE (mc_ordinal int NOT NULL);
DECLARE @absent TABLE (mc_ordinal int NOT NULL PRIMARY KEY);
INSERT INTO @absent SELECT s.mc_ordinal FROM @rows AS s WHERE NOT EXISTS (SELECT 1 FROM [fleet_inbox] AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) WHERE t.[consumer] = s.[consumer] AND t.[message_id] = s.[message_id]) OPTION (LOOP JOIN, FORCE ORDER);
INSERT INTO [fleet_inbox] ([consumer], [message_id], [applied_at]) SELECT [consumer], [message_id], [applied_at] FROM @rows WHERE mc_ordinal IN (SELECT mc_ordinal FROM @absent);
SELECT mc_ordinal FROM @written UNION ALL SELECT mc_ordinal FROM @absent;

-- upsert
SET NOCOUNT ON;
DECLARE @rows TABLE (mc_ordinal int NOT NULL, [cluster_id] binary(16) NOT NULL, [customer_id] binary(16) NULL, [rank] bigint NULL, [at] bigint NULL, [status] nvarchar(10) COLLATE Latin1_General_100_BIN2 NULL, [body] varbinary(max) NULL, PRIMARY KEY ([cluster_id]));
INSERT INTO @rows SELECT j.mc_ordinal, CONVERT(binary(16), j.[cluster_id], 2), CONVERT(binary(16), j.[customer_id], 2), j.[rank], j.[at], j.[status], CONVERT(varbinary(max), j.[body], 2) FROM OPENJSON(@json) WITH (mc_ordinal int '$[0]', [cluster_id] varchar(max) '$[1]', [customer_id] varchar(max) '$[2]', [rank] bigint '$[3]', [at] bigint '$[4]', [status] nvarchar(max) '$[5]', [body] varchar(max) '$[6]') AS j;
DECLARE @written TABLE (mc_ordinal int NOT NULL);
DECLARE @absent TABLE (mc_ordinal int NOT NULL PRIMARY KEY);
UPDATE t SET t.[customer_id] = s.[customer_id], t.[rank] = s.[rank], t.[at] = s.[at], t.[status] = s.[status], t.[body] = s.[body] OUTPUT s.mc_ordinal INTO @written
FROM @rows AS s INNER LOOP JOIN [fleet_last_health] AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) ON t.[cluster_id] = s.[cluster_id] OPTION (FORCE ORDER);
INSERT INTO @absent SELECT s.mc_ordinal FROM @rows AS s WHERE NOT EXISTS (SELECT 1 FROM [fleet_last_health] AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) WHERE t.[cluster_id] = s.[cluster_id]) OPTION (LOOP JOIN, FORCE ORDER);
INSERT INTO [fleet_last_health] ([cluster_id], [customer_id], [rank], [at], [status], [body]) SELECT [cluster_id], [customer_id], [rank], [at], [status], [body] FROM @rows WHERE mc_ordinal IN (SELECT mc_ordinal FROM @absent);
SELECT mc_ordinal FROM @written UNION ALL SELECT mc_ordinal FROM @absent;

-- upsert only if newer
SET NOCOUNT ON;
DECLARE @rows TABLE (mc_ordinal int NOT NULL, [cluster_id] binary(16) NOT NULL, [customer_id] binary(16) NULL, [rank] bigint NULL, [at] bigint NULL, [status] nvarchar(10) COLLATE Latin1_General_100_BIN2 NULL, [body] varbinary(max) NULL, PRIMARY KEY ([cluster_id]));
INSERT INTO @rows SELECT j.mc_ordinal, CONVERT(binary(16), j.[cluster_id], 2), CONVERT(binary(16), j.[customer_id], 2), j.[rank], j.[at], j.[status], CONVERT(varbinary(max), j.[body], 2) FROM OPENJSON(@json) WITH (mc_ordinal int '$[0]', [cluster_id] varchar(max) '$[1]', [customer_id] varchar(max) '$[2]', [rank] bigint '$[3]', [at] bigint '$[4]', [status] nvarchar(max) '$[5]', [body] varchar(max) '$[6]') AS j;
DECLARE @written TABLE (mc_ordinal int NOT NULL);
DECLARE @absent TABLE (mc_ordinal int NOT NULL PRIMARY KEY);
UPDATE t SET t.[customer_id] = s.[customer_id], t.[rank] = s.[rank], t.[at] = s.[at], t.[status] = s.[status], t.[body] = s.[body] OUTPUT s.mc_ordinal INTO @written
FROM @rows AS s INNER LOOP JOIN [fleet_last_health] AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) ON t.[cluster_id] = s.[cluster_id] WHERE s.[rank] > t.[rank] OPTION (FORCE ORDER);
INSERT INTO @absent SELECT s.mc_ordinal FROM @rows AS s WHERE NOT EXISTS (SELECT 1 FROM [fleet_last_health] AS t WITH (UPDLOCK, HOLDLOCK, ROWLOCK) WHERE t.[cluster_id] = s.[cluster_id]) OPTION (LOOP JOIN, FORCE ORDER);
INSERT INTO [fleet_last_health] ([cluster_id], [customer_id], [rank], [at], [status], [body]) SELECT [cluster_id], [customer_id], [rank], [at], [status], [body] FROM @rows WHERE mc_ordinal IN (SELECT mc_ordinal FROM @absent);
SELECT mc_ordinal FROM @written UNION ALL SELECT mc_ordinal FROM @absent;

-- read by key
SET NOCOUNT ON;
DECLARE @rows TABLE (mc_ordinal int NOT NULL, [consumer] nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL, [message_id] binary(16) NOT NULL, PRIMARY KEY ([consumer], [message_id], mc_ordinal));
INSERT INTO @rows SELECT j.mc_ordinal, j.[consumer], CONVERT(binary(16), j.[message_id], 2) FROM OPENJSON(@json) WITH (mc_ordinal int '$[0]', [consumer] nvarchar(max) '$[1]', [message_id] varchar(max) '$[2]') AS j;
SELECT s.mc_ordinal, t.[applied_at] FROM @rows AS s INNER LOOP JOIN [fleet_inbox] AS t ON t.[consumer] = s.[consumer] AND t.[message_id] = s.[message_id] OPTION (FORCE ORDER);

-- claim
WITH due AS (SELECT TOP (@limit) * FROM [fleet_outbox] WITH (UPDLOCK, READPAST, ROWLOCK) WHERE next_attempt_at <= @now OR next_attempt_at > @beyond ORDER BY id)
UPDATE due SET next_attempt_at = @until OUTPUT inserted.id, inserted.type, inserted.[key], inserted.payload, inserted.attachment, inserted.created_at, inserted.attempts, inserted.last_error;

-- append-only audit_log_slot
CREATE OR ALTER TRIGGER [audit_log_slot_append_only] ON [audit_log_slot] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log_slot is append-only', 1;
GO
ENABLE TRIGGER [audit_log_slot_append_only] ON [audit_log_slot];
GO
IF OBJECT_ID('audit_log_slot_no_truncate') IS NULL CREATE TABLE [audit_log_slot_no_truncate] ([slot] bigint NULL, FOREIGN KEY ([slot]) REFERENCES [audit_log_slot] ([slot]));

-- append-only audit_cluster_log_entry
CREATE OR ALTER TRIGGER [audit_cluster_log_entry_append_only] ON [audit_cluster_log_entry] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_cluster_log_entry is append-only', 1;
GO
ENABLE TRIGGER [audit_cluster_log_entry_append_only] ON [audit_cluster_log_entry];
GO
IF OBJECT_ID('audit_cluster_log_entry_no_truncate') IS NULL CREATE TABLE [audit_cluster_log_entry_no_truncate] ([cluster_id] binary(16) NULL, [epoch] bigint NULL, [position] bigint NULL, FOREIGN KEY ([cluster_id], [epoch], [position]) REFERENCES [audit_cluster_log_entry] ([cluster_id], [epoch], [position]));

-- append-only audit_unmatched
CREATE OR ALTER TRIGGER [audit_unmatched_append_only] ON [audit_unmatched] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_unmatched is append-only', 1;
GO
ENABLE TRIGGER [audit_unmatched_append_only] ON [audit_unmatched];
GO
IF OBJECT_ID('audit_unmatched_no_truncate') IS NULL CREATE TABLE [audit_unmatched_no_truncate] ([cluster_id] binary(16) NULL, [epoch] bigint NULL, [side] nvarchar(10) COLLATE Latin1_General_100_BIN2 NULL, [reference] nvarchar(150) COLLATE Latin1_General_100_BIN2 NULL, [found] bit NULL, FOREIGN KEY ([cluster_id], [epoch], [side], [reference], [found]) REFERENCES [audit_unmatched] ([cluster_id], [epoch], [side], [reference], [found]));

-- append-only audit_entry_foundation
CREATE OR ALTER TRIGGER [audit_entry_foundation_append_only] ON [audit_entry_foundation] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_entry_foundation is append-only', 1;
GO
ENABLE TRIGGER [audit_entry_foundation_append_only] ON [audit_entry_foundation];
GO
IF OBJECT_ID('audit_entry_foundation_no_truncate') IS NULL CREATE TABLE [audit_entry_foundation_no_truncate] ([id] binary(16) NULL, FOREIGN KEY ([id]) REFERENCES [audit_entry_foundation] ([id]));

-- append-only audit_log
CREATE OR ALTER TRIGGER [audit_log_append_only] ON [audit_log] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log is append-only', 1;
GO
ENABLE TRIGGER [audit_log_append_only] ON [audit_log];
GO
IF OBJECT_ID('audit_log_no_truncate') IS NULL CREATE TABLE [audit_log_no_truncate] ([name] nvarchar(60) COLLATE Latin1_General_100_BIN2 NULL, FOREIGN KEY ([name]) REFERENCES [audit_log] ([name]));

-- append-only audit_log_checkpoint
CREATE OR ALTER TRIGGER [audit_log_checkpoint_append_only] ON [audit_log_checkpoint] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log_checkpoint is append-only', 1;
GO
ENABLE TRIGGER [audit_log_checkpoint_append_only] ON [audit_log_checkpoint];
GO
IF OBJECT_ID('audit_log_checkpoint_no_truncate') IS NULL CREATE TABLE [audit_log_checkpoint_no_truncate] ([log_id] binary(16) NULL, [size] bigint NULL, FOREIGN KEY ([log_id], [size]) REFERENCES [audit_log_checkpoint] ([log_id], [size]));

-- append-only audit_log_leaf
CREATE OR ALTER TRIGGER [audit_log_leaf_append_only] ON [audit_log_leaf] INSTEAD OF UPDATE, DELETE AS BEGIN SET NOCOUNT ON;
IF EXISTS (SELECT 1 FROM inserted) OR EXISTS (SELECT 1 FROM deleted d WHERE NOT EXISTS (SELECT 1 FROM [audit_log_minimum] m WHERE m.[log_id] = d.[log_id] AND m.[minimum] > d.[position])) THROW 51000, 'audit_log_leaf is append-only', 1;
DELETE l FROM [audit_log_leaf] l INNER JOIN deleted d ON l.[log_id] = d.[log_id] AND l.[position] = d.[position]; END;
GO
ENABLE TRIGGER [audit_log_leaf_append_only] ON [audit_log_leaf];
GO
IF OBJECT_ID('audit_log_leaf_no_truncate') IS NULL CREATE TABLE [audit_log_leaf_no_truncate] ([log_id] binary(16) NULL, [position] bigint NULL, FOREIGN KEY ([log_id], [position]) REFERENCES [audit_log_leaf] ([log_id], [position]));

-- append-only audit_log_tile
CREATE OR ALTER TRIGGER [audit_log_tile_append_only] ON [audit_log_tile] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log_tile is append-only', 1;
GO
ENABLE TRIGGER [audit_log_tile_append_only] ON [audit_log_tile];
GO
IF OBJECT_ID('audit_log_tile_no_truncate') IS NULL CREATE TABLE [audit_log_tile_no_truncate] ([log_id] binary(16) NULL, [level] int NULL, [position] bigint NULL, FOREIGN KEY ([log_id], [level], [position]) REFERENCES [audit_log_tile] ([log_id], [level], [position]));

-- append-only audit_log_minimum
CREATE OR ALTER TRIGGER [audit_log_minimum_append_only] ON [audit_log_minimum] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log_minimum is append-only', 1;
GO
ENABLE TRIGGER [audit_log_minimum_append_only] ON [audit_log_minimum];
GO
CREATE OR ALTER TRIGGER [audit_log_minimum_said] ON [audit_log_minimum] AFTER INSERT AS BEGIN SET NOCOUNT ON;
IF EXISTS (SELECT 1 FROM inserted i WHERE NOT (i.[minimum] > 0 AND i.[minimum] % 256 = 0 AND i.[position] >= i.[minimum]
AND NOT EXISTS (SELECT 1 FROM [audit_log_minimum] m WHERE m.[log_id] = i.[log_id] AND m.[minimum] > i.[minimum])
AND EXISTS (SELECT 1 FROM [audit_log] g WHERE g.[id] = i.[log_id] AND g.[kind] IN ('customer', 'operator'))
AND EXISTS (SELECT 1 FROM [audit_log_checkpoint] c WHERE c.[log_id] = i.[log_id] AND c.[size] > i.[position])
AND EXISTS (SELECT 1 FROM [audit_log_leaf] l WHERE l.[log_id] = i.[log_id] AND l.[position] = i.[position] AND l.[event_id] = i.[event_id] AND ISJSON(CONVERT(varchar(max), l.[content])) = 1
AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.type') = 'audit.log-pruned' AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.changes[0].path') = '/minimum' AND JSON_VALUE(CONVERT(varchar(max), l.[content]), '$.changes[0].value') = CONVERT(varchar(20), i.[minimum])))) THROW 51000, 'audit_log_minimum is append-only', 1; END;
GO
ENABLE TRIGGER [audit_log_minimum_said] ON [audit_log_minimum];
GO
IF OBJECT_ID('audit_log_minimum_no_truncate') IS NULL CREATE TABLE [audit_log_minimum_no_truncate] ([log_id] binary(16) NULL, [minimum] bigint NULL, FOREIGN KEY ([log_id], [minimum]) REFERENCES [audit_log_minimum] ([log_id], [minimum]));

-- append-only audit_log_pruned
CREATE OR ALTER TRIGGER [audit_log_pruned_append_only] ON [audit_log_pruned] INSTEAD OF UPDATE, DELETE AS THROW 51000, 'audit_log_pruned is append-only', 1;
GO
ENABLE TRIGGER [audit_log_pruned_append_only] ON [audit_log_pruned];
GO
IF OBJECT_ID('audit_log_pruned_no_truncate') IS NULL CREATE TABLE [audit_log_pruned_no_truncate] ([log_id] binary(16) NULL, [event_id] binary(16) NULL, FOREIGN KEY ([log_id], [event_id]) REFERENCES [audit_log_pruned] ([log_id], [event_id]));

