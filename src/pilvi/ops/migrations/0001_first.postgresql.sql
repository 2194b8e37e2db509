CREATE TABLE ops_audit_verdicts (
	name VARCHAR(64) NOT NULL,
	checked_at VARCHAR(27) NOT NULL,
	objects BIGINT NOT NULL,
	violations INTEGER NOT NULL,
	since VARCHAR(27),
	took_ms FLOAT NOT NULL,
	suspects TEXT NOT NULL,
	examples TEXT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE ops_history (
	step_s INTEGER NOT NULL,
	at BIGINT NOT NULL,
	figures TEXT NOT NULL,
	PRIMARY KEY (step_s, at)
);
