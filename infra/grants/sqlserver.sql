-- What each role may do in an SQL Server database that missioncontrol migrate has made. Run as its owner, after every migrate:
--   sqlcmd -b -d DATABASE -i sqlserver.sql
-- The users mc_<role> must exist in the database, and the database must read by versions, once, before the first role starts:
--   ALTER DATABASE [DATABASE] SET READ_COMMITTED_SNAPSHOT ON;
-- Written by infra/dev docs.

-- identity
GRANT SELECT ON [schema_history] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_audit_producer] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_authenticator] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_challenge] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_client_key] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_confirmation] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_consumed_assertion] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_device_attempt] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_directory_try] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_federated_identity] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_former_owner] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_group] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_group_member] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_held_role] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_idempotency] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_inbox] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_invitation] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_job_run] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_leak] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_leak_place] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_lease] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_logout_token] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_outbox] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_parked_message] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_passkey] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_person] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_preferences] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_projection] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_provider] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_recovery_code] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_replica] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_scope_request] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_service_account] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_session] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_sign_in_attempt] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_task] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_task_item] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_token] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_used_assertion] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_used_token] TO [mc_identity];
GRANT SELECT, INSERT, UPDATE, DELETE ON [identity_view] TO [mc_identity];

-- audit
GRANT SELECT ON [schema_history] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_audit_producer] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_cluster_log] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_cluster_log_entry] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_cosignature] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_entry_foundation] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_epoch_slots] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_export] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_idempotency] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_inbox] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_index] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_job_run] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_lease] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_log] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_log_checkpoint] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_log_head] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_log_leaf] TO [mc_audit];
GRANT SELECT ON [audit_log_minimum] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_log_personal] TO [mc_audit];
GRANT SELECT ON [audit_log_pruned] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_log_slot] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_log_tile] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_numbers_read] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_outbox] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_parked_message] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_producer] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_progress] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_projection] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_replica] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_task] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_task_item] TO [mc_audit];
GRANT SELECT, INSERT ON [audit_unmatched] TO [mc_audit];
GRANT SELECT, INSERT, UPDATE, DELETE ON [audit_witness] TO [mc_audit];

-- callhome
GRANT SELECT ON [schema_history] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_audit_producer] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_cluster] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_cluster_key] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_customer] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_desired_revision] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_desired_section] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_enrollment_token] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_epoch] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_idempotency] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_inbox] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_intake] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_job_run] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_lease] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_outbox] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_parked_message] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_projection] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_replica] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_task] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_task_item] TO [mc_callhome];
GRANT SELECT, INSERT, UPDATE, DELETE ON [callhome_used_nonce] TO [mc_callhome];

-- licensing
GRANT SELECT ON [schema_history] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_audit_producer] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_cell] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_cluster] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_cluster_epoch] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_cluster_ledger] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_customer] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_due_receipt] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_idempotency] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_inbox] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_job_run] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_lease] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_license] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_license_cluster] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_meter] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_outbox] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_parked_cell] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_parked_message] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_projection] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_quarantined_window] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_replica] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_task] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_task_item] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_waiting_window] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_window] TO [mc_licensing];
GRANT SELECT, INSERT, UPDATE, DELETE ON [licensing_window_head] TO [mc_licensing];

-- fleet
GRANT SELECT ON [schema_history] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_audit_producer] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_change_counter] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_cluster] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_collector_version] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_customer] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_event] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_health_deadline] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_history] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_idempotency] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_inbox] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_incident] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_intake_clock] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_intake_replica] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_inventory] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_inventory_change] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_job_run] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_last_contact] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_last_health] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_last_usage] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_lease] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_liveness] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_outbox] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_overview] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_parked_message] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_projection] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_replica] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_rule_change] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_task] TO [mc_fleet];
GRANT SELECT, INSERT, UPDATE, DELETE ON [fleet_task_item] TO [mc_fleet];

-- updates
GRANT SELECT ON [schema_history] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_audit_producer] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_idempotency] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_inbox] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_job_run] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_lease] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_outbox] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_parked_message] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_projection] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_replica] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_task] TO [mc_updates];
GRANT SELECT, INSERT, UPDATE, DELETE ON [updates_task_item] TO [mc_updates];

-- remoteaccess
GRANT SELECT ON [schema_history] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_audit_producer] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_idempotency] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_inbox] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_job_run] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_lease] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_outbox] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_parked_message] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_projection] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_replica] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_task] TO [mc_remoteaccess];
GRANT SELECT, INSERT, UPDATE, DELETE ON [remoteaccess_task_item] TO [mc_remoteaccess];

-- notifications
GRANT SELECT ON [schema_history] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_audit_producer] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_contact] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_customer] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_delivery] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_endpoint] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_idempotency] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_inbox] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_job_run] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_lease] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_outbox] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_parked_message] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_projection] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_replica] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_task] TO [mc_notifications];
GRANT SELECT, INSERT, UPDATE, DELETE ON [notifications_task_item] TO [mc_notifications];

-- portal
GRANT SELECT ON [schema_history] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_audit_producer] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_idempotency] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_inbox] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_job_run] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_lease] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_outbox] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_parked_message] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_projection] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_replica] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_task] TO [mc_portal];
GRANT SELECT, INSERT, UPDATE, DELETE ON [portal_task_item] TO [mc_portal];
