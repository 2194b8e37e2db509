CREATE TABLE network_address_scopes (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	ip_version INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_address_scopes_by_project ON network_address_scopes (project_id);
CREATE TABLE network_cursors (
	name VARCHAR(80) NOT NULL,
	next BIGINT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE network_default_security_groups (
	project_id VARCHAR(64) NOT NULL,
	security_group_id VARCHAR(36) NOT NULL,
	PRIMARY KEY (project_id),
	UNIQUE (security_group_id)
);
CREATE TABLE network_floating_ips (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	floating_network_id VARCHAR(36) NOT NULL,
	floating_ip_address VARCHAR(45) NOT NULL,
	floating_port_id VARCHAR(36) NOT NULL,
	port_id VARCHAR(36),
	fixed_ip_address VARCHAR(45),
	router_id VARCHAR(36),
	status VARCHAR(16) NOT NULL,
	dns_name VARCHAR(255) NOT NULL,
	dns_domain VARCHAR(255) NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_floating_ips_by_network ON network_floating_ips (floating_network_id);
CREATE UNIQUE INDEX network_floating_ips_by_port ON network_floating_ips (port_id, fixed_ip_address);
CREATE INDEX network_floating_ips_by_project ON network_floating_ips (project_id);
CREATE INDEX network_floating_ips_by_router ON network_floating_ips (router_id);
CREATE TABLE network_ip_allocations (
	subnet_id VARCHAR(36) NOT NULL,
	ip VARCHAR(45) NOT NULL,
	port_id VARCHAR(36) NOT NULL,
	network_id VARCHAR(36) NOT NULL,
	PRIMARY KEY (subnet_id, ip)
);
CREATE INDEX network_ip_allocations_by_ip ON network_ip_allocations (ip);
CREATE INDEX network_ip_allocations_by_port ON network_ip_allocations (port_id);
CREATE TABLE network_networks (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	admin_state_up BOOLEAN NOT NULL,
	mtu INTEGER NOT NULL,
	external BOOLEAN NOT NULL,
	is_default BOOLEAN NOT NULL,
	port_security_enabled BOOLEAN NOT NULL,
	network_type VARCHAR(16) NOT NULL,
	physical_network VARCHAR(64),
	segmentation_id INTEGER,
	zone INTEGER NOT NULL,
	dns_domain VARCHAR(255) NOT NULL,
	availability_zone_hints TEXT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (zone)
);
CREATE INDEX network_networks_by_name ON network_networks (name);
CREATE INDEX network_networks_by_project ON network_networks (project_id);
CREATE UNIQUE INDEX network_networks_by_segment ON network_networks (network_type, segmentation_id);
CREATE TABLE network_ports (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	network_id VARCHAR(36) NOT NULL,
	mac VARCHAR(17) NOT NULL,
	admin_state_up BOOLEAN NOT NULL,
	status VARCHAR(16) NOT NULL,
	device_id VARCHAR(255) NOT NULL,
	device_owner VARCHAR(255) NOT NULL,
	host VARCHAR(255) NOT NULL,
	host_revision BIGINT NOT NULL,
	vnic_type VARCHAR(32) NOT NULL,
	profile TEXT NOT NULL,
	fixed_ips TEXT NOT NULL,
	security_groups TEXT NOT NULL,
	port_security_enabled BOOLEAN NOT NULL,
	allowed_address_pairs TEXT NOT NULL,
	extra_dhcp_opts TEXT NOT NULL,
	dns_name VARCHAR(255) NOT NULL,
	dns_domain VARCHAR(255) NOT NULL,
	nic_tag VARCHAR(64),
	attached BOOLEAN NOT NULL,
	made_by_compute BOOLEAN NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_ports_by_device ON network_ports (device_id);
CREATE INDEX network_ports_by_host ON network_ports (host);
CREATE UNIQUE INDEX network_ports_by_mac ON network_ports (network_id, mac);
CREATE INDEX network_ports_by_project ON network_ports (project_id);
CREATE TABLE network_rbac_policies (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	object_type VARCHAR(32) NOT NULL,
	object_id VARCHAR(36) NOT NULL,
	action VARCHAR(32) NOT NULL,
	target_project VARCHAR(64) NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_rbac_policies_by_project ON network_rbac_policies (project_id);
CREATE INDEX network_rbac_policies_by_target ON network_rbac_policies (object_type, target_project);
CREATE UNIQUE INDEX network_rbac_policies_once ON network_rbac_policies (object_id, object_type, action, target_project);
CREATE TABLE network_routers (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	admin_state_up BOOLEAN NOT NULL,
	status VARCHAR(16) NOT NULL,
	gateway_port_id VARCHAR(36),
	gateway_network_id VARCHAR(36),
	enable_snat BOOLEAN NOT NULL,
	routes TEXT NOT NULL,
	host VARCHAR(255) NOT NULL,
	availability_zone_hints TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_routers_by_gateway ON network_routers (gateway_network_id);
CREATE INDEX network_routers_by_host ON network_routers (host);
CREATE INDEX network_routers_by_project ON network_routers (project_id);
CREATE TABLE network_security_group_ports (
	security_group_id VARCHAR(36) NOT NULL,
	port_id VARCHAR(36) NOT NULL,
	PRIMARY KEY (security_group_id, port_id)
);
CREATE INDEX network_security_group_ports_by_port ON network_security_group_ports (port_id);
CREATE TABLE network_security_group_rules (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	security_group_id VARCHAR(36) NOT NULL,
	direction VARCHAR(8) NOT NULL,
	ethertype VARCHAR(4) NOT NULL,
	protocol VARCHAR(16),
	port_range_min INTEGER,
	port_range_max INTEGER,
	remote_ip_prefix VARCHAR(64),
	remote_group_id VARCHAR(36),
	PRIMARY KEY (id)
);
CREATE INDEX network_security_group_rules_by_group ON network_security_group_rules (security_group_id);
CREATE INDEX network_security_group_rules_by_project ON network_security_group_rules (project_id);
CREATE INDEX network_security_group_rules_by_remote ON network_security_group_rules (remote_group_id);
CREATE TABLE network_security_groups (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	stateful BOOLEAN NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_security_groups_by_project ON network_security_groups (project_id, name);
CREATE TABLE network_subnetpools (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	prefixes TEXT NOT NULL,
	ip_version INTEGER NOT NULL,
	default_prefixlen INTEGER NOT NULL,
	min_prefixlen INTEGER NOT NULL,
	max_prefixlen INTEGER NOT NULL,
	default_quota INTEGER,
	address_scope_id VARCHAR(36),
	is_default BOOLEAN NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_subnetpools_by_project ON network_subnetpools (project_id);
CREATE INDEX network_subnetpools_by_scope ON network_subnetpools (address_scope_id);
CREATE TABLE network_subnets (
	id VARCHAR(36) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	name VARCHAR(255) NOT NULL,
	description VARCHAR(255) NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	updated_at VARCHAR(27) NOT NULL,
	revision INTEGER NOT NULL,
	tags TEXT NOT NULL,
	network_id VARCHAR(36) NOT NULL,
	ip_version INTEGER NOT NULL,
	cidr VARCHAR(64) NOT NULL,
	gateway_ip VARCHAR(45),
	enable_dhcp BOOLEAN NOT NULL,
	ipv6_ra_mode VARCHAR(16),
	ipv6_address_mode VARCHAR(16),
	subnetpool_id VARCHAR(36),
	allocation_pools TEXT NOT NULL,
	dns_nameservers TEXT NOT NULL,
	host_routes TEXT NOT NULL,
	service_types TEXT NOT NULL,
	dns_publish_fixed_ip BOOLEAN NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX network_subnets_by_network ON network_subnets (network_id);
CREATE INDEX network_subnets_by_pool ON network_subnets (subnetpool_id);
CREATE INDEX network_subnets_by_project ON network_subnets (project_id);
