CREATE TABLE placement_allocations (
	consumer_uuid VARCHAR(36) NOT NULL,
	provider_uuid VARCHAR(36) NOT NULL,
	resource_class VARCHAR(255) NOT NULL,
	used INTEGER NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (consumer_uuid, provider_uuid, resource_class)
);
CREATE INDEX placement_allocations_provider ON placement_allocations (provider_uuid);
CREATE TABLE placement_consumers (
	uuid VARCHAR(36) NOT NULL,
	generation INTEGER NOT NULL,
	project_id VARCHAR(255) NOT NULL,
	user_id VARCHAR(255) NOT NULL,
	consumer_type VARCHAR(255),
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (uuid)
);
CREATE INDEX placement_consumers_project ON placement_consumers (project_id, user_id);
CREATE TABLE placement_inventories (
	provider_uuid VARCHAR(36) NOT NULL,
	resource_class VARCHAR(255) NOT NULL,
	total INTEGER NOT NULL,
	reserved INTEGER NOT NULL,
	min_unit INTEGER NOT NULL,
	max_unit INTEGER NOT NULL,
	step_size INTEGER NOT NULL,
	allocation_ratio FLOAT NOT NULL,
	used BIGINT NOT NULL,
	free BIGINT NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (provider_uuid, resource_class)
);
CREATE INDEX placement_inventories_free ON placement_inventories (resource_class, free);
CREATE TABLE placement_provider_aggregates (
	provider_uuid VARCHAR(36) NOT NULL,
	aggregate_uuid VARCHAR(36) NOT NULL,
	PRIMARY KEY (provider_uuid, aggregate_uuid)
);
CREATE INDEX placement_provider_aggregates_aggregate ON placement_provider_aggregates (aggregate_uuid);
CREATE TABLE placement_provider_traits (
	provider_uuid VARCHAR(36) NOT NULL,
	trait VARCHAR(255) NOT NULL,
	PRIMARY KEY (provider_uuid, trait)
);
CREATE INDEX placement_provider_traits_trait ON placement_provider_traits (trait);
CREATE TABLE placement_providers (
	uuid VARCHAR(36) NOT NULL,
	name VARCHAR(200) NOT NULL,
	generation INTEGER NOT NULL,
	parent_uuid VARCHAR(36),
	root_uuid VARCHAR(36) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (uuid),
	CONSTRAINT placement_providers_name UNIQUE (name)
);
CREATE INDEX placement_providers_parent ON placement_providers (parent_uuid);
CREATE INDEX placement_providers_root ON placement_providers (root_uuid);
CREATE TABLE placement_resource_classes (
	name VARCHAR(255) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE placement_traits (
	name VARCHAR(255) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (name)
);
