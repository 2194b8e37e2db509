CREATE TABLE image_cached_images (
	image_id VARCHAR(36) NOT NULL,
	node VARCHAR(64) NOT NULL,
	status VARCHAR(8) NOT NULL,
	size BIGINT NOT NULL,
	hits BIGINT NOT NULL,
	queued_at FLOAT NOT NULL,
	last_accessed FLOAT NOT NULL,
	last_modified FLOAT NOT NULL,
	PRIMARY KEY (image_id)
);
CREATE TABLE image_images (
	id VARCHAR(36) NOT NULL,
	name VARCHAR(255),
	status VARCHAR(16) NOT NULL,
	visibility VARCHAR(16) NOT NULL,
	protected BOOLEAN NOT NULL,
	os_hidden BOOLEAN NOT NULL,
	owner VARCHAR(255),
	disk_format VARCHAR(20),
	container_format VARCHAR(20),
	size BIGINT,
	virtual_size BIGINT,
	min_disk BIGINT NOT NULL,
	min_ram BIGINT NOT NULL,
	checksum VARCHAR(32),
	os_hash_algo VARCHAR(64),
	os_hash_value VARCHAR(128),
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	tags TEXT NOT NULL,
	properties TEXT NOT NULL,
	locations TEXT NOT NULL,
	upload_id VARCHAR(36) NOT NULL,
	holder VARCHAR(16) NOT NULL,
	busy_until FLOAT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX image_images_by_name ON image_images (name);
CREATE INDEX image_images_by_owner ON image_images (owner, created_at);
CREATE INDEX image_images_by_time ON image_images (created_at, id);
CREATE TABLE image_members (
	image_id VARCHAR(36) NOT NULL,
	member_id VARCHAR(255) NOT NULL,
	status VARCHAR(16) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (image_id, member_id)
);
CREATE INDEX image_members_by_member ON image_members (member_id, status);
CREATE TABLE image_metadef_entries (
	namespace_id VARCHAR(36) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	name VARCHAR(255) NOT NULL,
	definition TEXT NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (namespace_id, kind, name)
);
CREATE TABLE image_metadef_namespaces (
	id VARCHAR(36) NOT NULL,
	namespace VARCHAR(80) NOT NULL,
	display_name VARCHAR(80),
	description TEXT,
	visibility VARCHAR(16) NOT NULL,
	protected BOOLEAN NOT NULL,
	owner VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (namespace)
);
CREATE TABLE image_metadef_resource_types (
	namespace_id VARCHAR(36) NOT NULL,
	name VARCHAR(80) NOT NULL,
	prefix VARCHAR(80),
	properties_target VARCHAR(80),
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (namespace_id, name)
);
CREATE INDEX image_metadef_resource_types_by_name ON image_metadef_resource_types (name);
CREATE TABLE image_tasks (
	id VARCHAR(36) NOT NULL,
	type VARCHAR(32) NOT NULL,
	status VARCHAR(16) NOT NULL,
	owner VARCHAR(255) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	image_id VARCHAR(36) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	input TEXT NOT NULL,
	result TEXT,
	message TEXT NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	expires_at VARCHAR(27),
	PRIMARY KEY (id)
);
CREATE INDEX image_tasks_by_end ON image_tasks (expires_at);
CREATE INDEX image_tasks_by_image ON image_tasks (image_id, created_at);
CREATE INDEX image_tasks_by_status ON image_tasks (status);
