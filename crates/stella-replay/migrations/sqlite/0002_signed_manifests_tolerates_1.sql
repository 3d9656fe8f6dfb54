ALTER TABLE replay.manifests ADD COLUMN envelope TEXT;

CREATE TABLE replay.signing_keys (
    kid        TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX replay.one_active_key ON signing_keys (purpose) WHERE state = 'active';
