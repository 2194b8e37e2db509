CREATE TABLE identity_access_rules (
	id VARCHAR(64) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	service VARCHAR(64) NOT NULL,
	method VARCHAR(16) NOT NULL,
	path VARCHAR(128) NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_access_rules_same UNIQUE (user_id, service, method, path)
);
CREATE TABLE identity_application_credentials (
	id VARCHAR(64) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description TEXT NOT NULL,
	secret_hash VARCHAR(255) NOT NULL,
	role_ids TEXT NOT NULL,
	unrestricted BOOLEAN NOT NULL,
	expires_at VARCHAR(27),
	access_rule_ids TEXT,
	parent_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_application_credentials_name UNIQUE (user_id, name)
);
CREATE INDEX identity_application_credentials_parent ON identity_application_credentials (parent_id);
CREATE INDEX identity_application_credentials_project ON identity_application_credentials (project_id);
CREATE TABLE identity_credentials (
	id VARCHAR(64) NOT NULL,
	type VARCHAR(255) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64),
	encrypted_blob TEXT NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_credentials_user ON identity_credentials (user_id, type);
CREATE TABLE identity_directory_entries (
	id VARCHAR(64) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	kind VARCHAR(8) NOT NULL,
	local_id VARCHAR(255) NOT NULL,
	dn TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_directory_entries_local UNIQUE (domain_id, kind, local_id)
);
CREATE TABLE identity_domain_configs (
	domain_id VARCHAR(64) NOT NULL,
	config TEXT NOT NULL,
	PRIMARY KEY (domain_id)
);
CREATE TABLE identity_endpoint_groups (
	id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description TEXT NOT NULL,
	filters TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_endpoint_policies (
	endpoint_id VARCHAR(64) NOT NULL,
	service_id VARCHAR(64) NOT NULL,
	region_id VARCHAR(255) NOT NULL,
	policy_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (endpoint_id, service_id, region_id)
);
CREATE TABLE identity_endpoints (
	id VARCHAR(64) NOT NULL,
	interface VARCHAR(8) NOT NULL,
	url TEXT NOT NULL,
	service_id VARCHAR(64) NOT NULL,
	region_id VARCHAR(255),
	enabled BOOLEAN NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_endpoints_service ON identity_endpoints (service_id);
CREATE TABLE identity_epochs (
	id INTEGER NOT NULL,
	epoch BIGINT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_federated_users (
	idp_id VARCHAR(64) NOT NULL,
	protocol_id VARCHAR(64) NOT NULL,
	unique_id VARCHAR(255) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (idp_id, protocol_id, unique_id)
);
CREATE INDEX identity_federated_users_user ON identity_federated_users (user_id);
CREATE TABLE identity_groups (
	id VARCHAR(64) NOT NULL,
	name VARCHAR(64) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	description TEXT NOT NULL,
	extra TEXT NOT NULL,
	origin VARCHAR(64) NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_groups_name UNIQUE (domain_id, name, origin)
);
CREATE TABLE identity_identity_providers (
	id VARCHAR(64) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	enabled BOOLEAN NOT NULL,
	description TEXT,
	authorization_ttl INTEGER,
	remote_ids TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_implied_roles (
	prior_id VARCHAR(64) NOT NULL,
	implied_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (prior_id, implied_id)
);
CREATE TABLE identity_keys (
	purpose VARCHAR(16) NOT NULL,
	number INTEGER NOT NULL,
	secret VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (purpose, number)
);
CREATE TABLE identity_lasting_memberships (
	user_id VARCHAR(64) NOT NULL,
	idp_id VARCHAR(64) NOT NULL,
	group_id VARCHAR(64) NOT NULL,
	ends_at FLOAT NOT NULL,
	PRIMARY KEY (user_id, idp_id, group_id)
);
CREATE INDEX identity_lasting_memberships_group ON identity_lasting_memberships (group_id);
CREATE TABLE identity_limits (
	id VARCHAR(64) NOT NULL,
	registered_limit_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64),
	domain_id VARCHAR(64),
	resource_limit INTEGER NOT NULL,
	description TEXT,
	PRIMARY KEY (id)
);
CREATE INDEX identity_limits_project ON identity_limits (project_id);
CREATE INDEX identity_limits_registered ON identity_limits (registered_limit_id);
CREATE TABLE identity_mappings (
	id VARCHAR(64) NOT NULL,
	schema_version VARCHAR(8) NOT NULL,
	rules TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_memberships (
	user_id VARCHAR(64) NOT NULL,
	group_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (user_id, group_id)
);
CREATE INDEX identity_memberships_group ON identity_memberships (group_id);
CREATE TABLE identity_oauth_consumers (
	id VARCHAR(64) NOT NULL,
	description TEXT NOT NULL,
	encrypted_secret TEXT NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_oauth_nonces (
	consumer_id VARCHAR(64) NOT NULL,
	nonce VARCHAR(64) NOT NULL,
	forget_at FLOAT NOT NULL,
	PRIMARY KEY (consumer_id, nonce)
);
CREATE INDEX identity_oauth_nonces_end ON identity_oauth_nonces (forget_at);
CREATE TABLE identity_oauth_tokens (
	id VARCHAR(64) NOT NULL,
	consumer_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	encrypted_secret TEXT NOT NULL,
	expires_at FLOAT NOT NULL,
	is_access BOOLEAN NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	role_ids TEXT NOT NULL,
	verifier_hash VARCHAR(80) NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_oauth_tokens_consumer ON identity_oauth_tokens (consumer_id);
CREATE INDEX identity_oauth_tokens_project ON identity_oauth_tokens (project_id);
CREATE INDEX identity_oauth_tokens_user ON identity_oauth_tokens (user_id);
CREATE TABLE identity_old_passwords (
	user_id VARCHAR(64) NOT NULL,
	changed_at VARCHAR(27) NOT NULL,
	password_hash VARCHAR(255) NOT NULL,
	PRIMARY KEY (user_id, changed_at)
);
CREATE TABLE identity_policies (
	id VARCHAR(64) NOT NULL,
	type VARCHAR(255) NOT NULL,
	blob TEXT NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_project_endpoint_groups (
	project_id VARCHAR(64) NOT NULL,
	group_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (project_id, group_id)
);
CREATE TABLE identity_project_endpoints (
	project_id VARCHAR(64) NOT NULL,
	endpoint_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (project_id, endpoint_id)
);
CREATE TABLE identity_projects (
	id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	parent_id VARCHAR(64) NOT NULL,
	is_domain BOOLEAN NOT NULL,
	enabled BOOLEAN NOT NULL,
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	options TEXT NOT NULL,
	extra TEXT NOT NULL,
	tokens_after BIGINT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_projects_name UNIQUE (domain_id, name)
);
CREATE INDEX identity_projects_parent ON identity_projects (parent_id);
CREATE TABLE identity_protocols (
	idp_id VARCHAR(64) NOT NULL,
	id VARCHAR(64) NOT NULL,
	mapping_id VARCHAR(64) NOT NULL,
	remote_id_attribute VARCHAR(64),
	PRIMARY KEY (idp_id, id)
);
CREATE TABLE identity_regions (
	id VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	parent_region_id VARCHAR(255),
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_registered_limits (
	id VARCHAR(64) NOT NULL,
	service_id VARCHAR(64) NOT NULL,
	region_id VARCHAR(255),
	resource_name VARCHAR(255) NOT NULL,
	default_limit INTEGER NOT NULL,
	description TEXT,
	PRIMARY KEY (id)
);
CREATE INDEX identity_registered_limits_resource ON identity_registered_limits (service_id, resource_name);
CREATE TABLE identity_remote_ids (
	remote_id VARCHAR(255) NOT NULL,
	idp_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (remote_id)
);
CREATE TABLE identity_revocations (
	audit_id VARCHAR(32) NOT NULL,
	forget_at FLOAT NOT NULL,
	PRIMARY KEY (audit_id)
);
CREATE INDEX identity_revocations_by_end ON identity_revocations (forget_at);
CREATE TABLE identity_role_assignments (
	actor_id VARCHAR(64) NOT NULL,
	actor_type VARCHAR(8) NOT NULL,
	target_type VARCHAR(8) NOT NULL,
	target_id VARCHAR(64) NOT NULL,
	role_id VARCHAR(64) NOT NULL,
	inherited BOOLEAN NOT NULL,
	PRIMARY KEY (actor_id, actor_type, target_type, target_id, role_id, inherited)
);
CREATE INDEX identity_role_assignments_role ON identity_role_assignments (role_id);
CREATE INDEX identity_role_assignments_target ON identity_role_assignments (target_id);
CREATE TABLE identity_roles (
	id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	description TEXT NOT NULL,
	options TEXT NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_roles_name UNIQUE (domain_id, name)
);
CREATE TABLE identity_service_providers (
	id VARCHAR(64) NOT NULL,
	auth_url VARCHAR(256) NOT NULL,
	sp_url VARCHAR(256) NOT NULL,
	enabled BOOLEAN NOT NULL,
	description TEXT,
	relay_state_prefix VARCHAR(256) NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_services (
	id VARCHAR(64) NOT NULL,
	type VARCHAR(255) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description TEXT NOT NULL,
	enabled BOOLEAN NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE identity_trusts (
	id VARCHAR(64) NOT NULL,
	trustor_user_id VARCHAR(64) NOT NULL,
	trustee_user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64),
	impersonation BOOLEAN NOT NULL,
	role_ids TEXT NOT NULL,
	expires_at VARCHAR(27),
	remaining_uses INTEGER,
	redelegated_trust_id VARCHAR(64),
	redelegation_count INTEGER NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	extra TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_trusts_parent ON identity_trusts (redelegated_trust_id);
CREATE INDEX identity_trusts_trustee ON identity_trusts (trustee_user_id);
CREATE INDEX identity_trusts_trustor ON identity_trusts (trustor_user_id);
CREATE TABLE identity_used_passcodes (
	credential_id VARCHAR(64) NOT NULL,
	step BIGINT NOT NULL,
	PRIMARY KEY (credential_id, step)
);
CREATE TABLE identity_users (
	id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	domain_id VARCHAR(64) NOT NULL,
	enabled BOOLEAN NOT NULL,
	default_project_id VARCHAR(64),
	password_hash VARCHAR(255),
	password_changed_at VARCHAR(27),
	password_expires_at VARCHAR(27),
	failures INTEGER NOT NULL,
	failed_at FLOAT NOT NULL,
	tokens_after BIGINT NOT NULL,
	active_at FLOAT NOT NULL,
	options TEXT NOT NULL,
	extra TEXT NOT NULL,
	origin VARCHAR(64) NOT NULL,
	federated TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT identity_users_name UNIQUE (domain_id, name, origin)
);
CREATE INDEX identity_users_default_project ON identity_users (default_project_id);
