-- The audit log (record 0010), in the tables of any log of a schema (record 0007). Rows never go, so
-- that no id comes twice.
CREATE TABLE authority.log_entries (
    tenant      TEXT NOT NULL,
    log         TEXT NOT NULL,
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    entry       TEXT NOT NULL
) STRICT;
CREATE INDEX authority.log_entries_by_subject ON log_entries (tenant, log, subject);
CREATE TABLE authority.sealed (
    tenant   TEXT NOT NULL,
    log      TEXT NOT NULL,
    position INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    hash     TEXT NOT NULL,
    PRIMARY KEY (tenant, log, position),
    UNIQUE (tenant, log, id)
) STRICT;
CREATE TABLE authority.log_heads (
    tenant   TEXT NOT NULL,
    log      TEXT NOT NULL,
    size     INTEGER NOT NULL,
    last     TEXT,
    subtrees TEXT NOT NULL,
    envelope TEXT,
    PRIMARY KEY (tenant, log)
) STRICT;
CREATE TABLE authority.unsealed (
    tenant TEXT NOT NULL,
    log    TEXT NOT NULL,
    id     INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (tenant, log, id)
) STRICT;
CREATE TRIGGER authority.log_entries_await_seal AFTER INSERT ON log_entries
BEGIN
    INSERT INTO unsealed (tenant, log, id, since)
    VALUES (NEW.tenant, NEW.log, NEW.id, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
END;

CREATE TRIGGER authority.log_entries_no_update BEFORE UPDATE ON log_entries
BEGIN
    SELECT RAISE(ABORT, 'what was logged never changes');
END;
CREATE TRIGGER authority.log_entries_no_delete BEFORE DELETE ON log_entries
BEGIN
    SELECT RAISE(ABORT, 'what was logged never changes');
END;
CREATE TRIGGER authority.sealed_no_update BEFORE UPDATE ON sealed
BEGIN
    SELECT RAISE(ABORT, 'what was logged never changes');
END;
CREATE TRIGGER authority.sealed_no_delete BEFORE DELETE ON sealed
BEGIN
    SELECT RAISE(ABORT, 'what was logged never changes');
END;
