CREATE TABLE evidence.signing_keys (
    kid        TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX evidence.one_active_key ON signing_keys (purpose) WHERE state = 'active';

-- The logs of a schema (record 0007). Rows never go, so that no id comes twice.
CREATE TABLE evidence.log_entries (
    tenant      TEXT NOT NULL,
    log         TEXT NOT NULL,
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    entry       TEXT NOT NULL
) STRICT;
CREATE INDEX evidence.log_entries_by_subject ON log_entries (tenant, log, subject);
CREATE TABLE evidence.sealed (
    tenant   TEXT NOT NULL,
    log      TEXT NOT NULL,
    position INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    hash     TEXT NOT NULL,
    PRIMARY KEY (tenant, log, position),
    UNIQUE (tenant, log, id)
) STRICT;
CREATE TABLE evidence.log_heads (
    tenant   TEXT NOT NULL,
    log      TEXT NOT NULL,
    size     INTEGER NOT NULL,
    last     TEXT,
    subtrees TEXT NOT NULL,
    envelope TEXT,
    PRIMARY KEY (tenant, log)
) STRICT;
CREATE TABLE evidence.unsealed (
    tenant TEXT NOT NULL,
    log    TEXT NOT NULL,
    id     INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (tenant, log, id)
) STRICT;
CREATE TRIGGER evidence.log_entries_await_seal AFTER INSERT ON log_entries
BEGIN
    INSERT INTO unsealed (tenant, log, id, since)
    VALUES (NEW.tenant, NEW.log, NEW.id, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
END;

INSERT INTO evidence.log_entries (tenant, log, subject, recorded_at, entry)
SELECT p.tenant, 'changes', p.digest, p.received_at, json_object(
    'type', p.kind || '.observation.updated@1', 'kind', p.kind, 'size', r.size,
    'publisher', p.publisher, 'stream', p.stream, 'upstreamId', p.upstream_id)
FROM evidence.provenance p
JOIN evidence.raw_documents r ON r.tenant = p.tenant AND r.digest = p.digest
ORDER BY p.tenant, p.received_at, p.digest, p.publisher, p.stream;

CREATE TRIGGER evidence.log_entries_no_update BEFORE UPDATE ON log_entries
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.log_entries_no_delete BEFORE DELETE ON log_entries
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.sealed_no_update BEFORE UPDATE ON sealed
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.sealed_no_delete BEFORE DELETE ON sealed
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
