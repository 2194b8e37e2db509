CREATE TABLE kernel_events (
	id BIGSERIAL NOT NULL,
	at VARCHAR(27) NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	user_id VARCHAR(64) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	resource_type VARCHAR(32) NOT NULL,
	resource_id VARCHAR(64) NOT NULL,
	resource_name VARCHAR(255) NOT NULL,
	step VARCHAR(96) NOT NULL,
	outcome VARCHAR(16) NOT NULL,
	duration_ms FLOAT,
	detail TEXT,
	trace_id VARCHAR(32),
	PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE kernel_events_rest PARTITION OF kernel_events DEFAULT;
CREATE INDEX kernel_events_by_name ON kernel_events (resource_name, id);
CREATE INDEX kernel_events_by_request ON kernel_events (request_id, id);
CREATE INDEX kernel_events_by_resource ON kernel_events (resource_id, at);
CREATE INDEX kernel_events_by_time ON kernel_events (at);
CREATE INDEX kernel_events_by_trace ON kernel_events (trace_id, id) WHERE trace_id is not null;
CREATE TABLE kernel_hosts (
	name VARCHAR(255) NOT NULL,
	id VARCHAR(36) NOT NULL,
	revision BIGINT NOT NULL,
	applied_revision BIGINT NOT NULL,
	seen_at FLOAT NOT NULL,
	started_at VARCHAR(27) NOT NULL,
	facts TEXT NOT NULL,
	troubles TEXT DEFAULT '{}' NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE kernel_idempotency (
	id VARCHAR(64) NOT NULL,
	request VARCHAR(64) NOT NULL,
	answer TEXT NOT NULL,
	created_at VARCHAR(27) NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX kernel_idempotency_by_time ON kernel_idempotency (created_at);
CREATE TABLE kernel_quotas (
	service VARCHAR(32) NOT NULL,
	project_id VARCHAR(64) NOT NULL,
	resource VARCHAR(64) NOT NULL,
	"limit" INTEGER NOT NULL,
	PRIMARY KEY (service, project_id, resource)
);
CREATE TABLE kernel_work (
	kind VARCHAR(32) NOT NULL,
	key VARCHAR(80) NOT NULL,
	due_at FLOAT NOT NULL,
	lease_until FLOAT NOT NULL,
	owner VARCHAR(64) NOT NULL,
	pokes INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	since FLOAT NOT NULL,
	request_id VARCHAR(64) NOT NULL,
	last_error TEXT NOT NULL,
	PRIMARY KEY (kind, key)
);
CREATE INDEX kernel_work_ripe ON kernel_work (due_at);
