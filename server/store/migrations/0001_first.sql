-- All times are nanoseconds since 1970, UTC.

CREATE TABLE events (
	seq       INTEGER PRIMARY KEY,
	at        INTEGER NOT NULL,
	part      INTEGER NOT NULL, -- 0 configuration, 1 breakers, 2 traffic: each is kept apart
	kind      TEXT NOT NULL,
	preset    TEXT NOT NULL,
	operation TEXT NOT NULL,
	value     REAL NOT NULL,
	metadata  TEXT NOT NULL,
	session   TEXT NOT NULL,
	user      TEXT NOT NULL
) STRICT;
CREATE INDEX events_part ON events (part, seq);
CREATE INDEX events_at ON events (at);

CREATE TABLE alerts (
	id   INTEGER PRIMARY KEY,
	at   INTEGER NOT NULL,
	body TEXT NOT NULL -- monitor.Alert as JSON
) STRICT;

CREATE TABLE runs (
	id   TEXT PRIMARY KEY,
	at   INTEGER NOT NULL,
	name TEXT NOT NULL,
	body TEXT NOT NULL
) STRICT;
CREATE INDEX runs_at ON runs (at);
CREATE INDEX runs_name ON runs (name, at);

CREATE TABLE versions (
	id     INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	who    TEXT NOT NULL,
	note   TEXT NOT NULL,
	config TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,
	who        TEXT NOT NULL,
	what       TEXT NOT NULL,
	target     TEXT NOT NULL,
	before     TEXT NOT NULL,
	after      TEXT NOT NULL,
	request_id TEXT NOT NULL,
	address    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_who ON audit (who, id);
CREATE INDEX audit_what ON audit (what, id);
CREATE INDEX audit_target ON audit (target, id);

-- The audit log can only grow, except that its old end is removed: up to this ID.
CREATE TABLE audit_end (id INTEGER NOT NULL) STRICT;
INSERT INTO audit_end VALUES (0);

CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be changed'); END;

CREATE TRIGGER audit_only_ends BEFORE DELETE ON audit WHEN OLD.id > (SELECT id FROM audit_end)
BEGIN SELECT RAISE(ABORT, 'the audit log cannot be shortened but at its old end'); END;
