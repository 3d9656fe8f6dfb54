CREATE TABLE replay.snapshots (
    tenant     TEXT NOT NULL,
    id         TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE replay.manifests (
    tenant      TEXT NOT NULL,
    digest      TEXT NOT NULL,
    score_id    TEXT NOT NULL,
    snapshot_id TEXT NOT NULL,
    observed    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest),
    UNIQUE (tenant, score_id),
    FOREIGN KEY (tenant, snapshot_id) REFERENCES snapshots (tenant, id)
) STRICT;

CREATE TRIGGER replay.snapshots_no_update BEFORE UPDATE ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'stored manifests and snapshots never change');
END;
CREATE TRIGGER replay.snapshots_no_delete BEFORE DELETE ON snapshots
BEGIN
    SELECT RAISE(ABORT, 'stored manifests and snapshots never change');
END;
CREATE TRIGGER replay.manifests_no_update BEFORE UPDATE ON manifests
BEGIN
    SELECT RAISE(ABORT, 'stored manifests and snapshots never change');
END;
CREATE TRIGGER replay.manifests_no_delete BEFORE DELETE ON manifests
BEGIN
    SELECT RAISE(ABORT, 'stored manifests and snapshots never change');
END;
