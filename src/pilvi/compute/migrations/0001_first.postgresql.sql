CREATE TABLE compute_console_tokens (
	token_hash VARCHAR(64) NOT NULL,
	server_id VARCHAR(36) NOT NULL,
	host VARCHAR(255) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	expires_at FLOAT NOT NULL,
	used BOOLEAN NOT NULL,
	PRIMARY KEY (token_hash)
);
CREATE INDEX compute_console_tokens_by_end ON compute_console_tokens (expires_at);
CREATE TABLE compute_flavors (
	id VARCHAR(255) NOT NULL,
	name VARCHAR(255) NOT NULL,
	ram INTEGER NOT NULL,
	vcpus INTEGER NOT NULL,
	disk INTEGER NOT NULL,
	ephemeral INTEGER NOT NULL,
	swap INTEGER NOT NULL,
	rxtx_factor FLOAT NOT NULL,
	is_public BOOLEAN NOT NULL,
	disabled BOOLEAN NOT NULL,
	description TEXT,
	created_at VARCHAR(27) NOT NULL,
	extra_specs TEXT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);
CREATE TABLE compute_instance_action_events (
	server_id VARCHAR(36) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	event VARCHAR(64) NOT NULL,
	start_time VARCHAR(27) NOT NULL,
	finish_time VARCHAR(27),
	result VARCHAR(16),
	traceback TEXT,
	host VARCHAR(255) NOT NULL,
	details TEXT,
	PRIMARY KEY (server_id, request_id, event)
);
CREATE TABLE compute_instance_actions (
	server_id VARCHAR(36) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	action VARCHAR(40) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	start_time VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	message TEXT,
	PRIMARY KEY (server_id, request_id)
);
CREATE TABLE compute_keypairs (
	user_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	id VARCHAR(36) NOT NULL,
	type VARCHAR(8) NOT NULL,
	public_key TEXT NOT NULL,
	fingerprint VARCHAR(64) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (user_id, name)
);
CREATE TABLE compute_servers (
	id VARCHAR(36) NOT NULL,
	name VARCHAR(255) NOT NULL,
	hostname VARCHAR(255) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	description VARCHAR(255),
	flavor TEXT NOT NULL,
	vcpus INTEGER NOT NULL,
	memory_mib INTEGER NOT NULL,
	image_id VARCHAR(36) NOT NULL,
	image TEXT NOT NULL,
	key_name VARCHAR(255),
	public_key TEXT,
	user_data TEXT,
	config_drive BOOLEAN NOT NULL,
	metadata TEXT NOT NULL,
	tags TEXT NOT NULL,
	admin_password VARCHAR(255) NOT NULL,
	access_ip_v4 VARCHAR(15) NOT NULL,
	access_ip_v6 VARCHAR(39) NOT NULL,
	disk_config VARCHAR(8) NOT NULL,
	availability_zone VARCHAR(255) NOT NULL,
	reservation_id VARCHAR(16) NOT NULL,
	launch_index INTEGER NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	launched_at VARCHAR(27),
	host VARCHAR(255),
	vm_state VARCHAR(24) NOT NULL,
	task_state VARCHAR(40),
	task_since FLOAT NOT NULL,
	power_state INTEGER NOT NULL,
	wanted_power VARCHAR(8) NOT NULL,
	generation INTEGER NOT NULL,
	seen_generation INTEGER NOT NULL,
	reboot_generation INTEGER NOT NULL,
	reboot_kind VARCHAR(4) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	locked_by VARCHAR(8),
	locked_reason VARCHAR(255),
	fault TEXT,
	snapshot_image_id VARCHAR(36),
	PRIMARY KEY (id)
);
CREATE INDEX compute_servers_by_host ON compute_servers (host);
CREATE INDEX compute_servers_by_project ON compute_servers (project_id, created_at, id);
CREATE INDEX compute_servers_by_snapshot ON compute_servers (snapshot_image_id);
CREATE INDEX compute_servers_by_time ON compute_servers (created_at, id);
CREATE TABLE compute_services (
	host VARCHAR(255) NOT NULL,
	disabled BOOLEAN NOT NULL,
	disabled_reason VARCHAR(255),
	forced_down BOOLEAN NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (host)
);
CREATE TABLE compute_flavor_access (
	flavor_id VARCHAR(255) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (flavor_id, project_id),
	FOREIGN KEY(flavor_id) REFERENCES compute_flavors (id) ON DELETE CASCADE
);
