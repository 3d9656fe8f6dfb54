-- Signed manifests: the envelope beside its manifest, and the keys of this service. Manifests of
-- before carry none. The previous binary names its columns, so it serves on.
ALTER TABLE replay.manifests ADD COLUMN envelope text COLLATE "C";

CREATE TABLE replay.signing_keys (
    kid        text COLLATE "C" PRIMARY KEY,
    purpose    text COLLATE "C" NOT NULL,
    state      text COLLATE "C" NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          text COLLATE "C" NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_active_key ON replay.signing_keys (purpose) WHERE state = 'active';

GRANT SELECT, INSERT, UPDATE ON replay.signing_keys TO stella_service;
