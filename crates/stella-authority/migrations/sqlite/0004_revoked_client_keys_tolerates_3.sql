CREATE TABLE authority.revoked_client_keys (
    client_id  TEXT NOT NULL REFERENCES clients (id),
    kid        TEXT NOT NULL,
    revoked_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, kid)
) STRICT;
CREATE TRIGGER authority.revoked_client_keys_update BEFORE UPDATE ON revoked_client_keys
BEGIN SELECT RAISE(ABORT, 'what was revoked stays so'); END;
CREATE TRIGGER authority.revoked_client_keys_delete BEFORE DELETE ON revoked_client_keys
BEGIN SELECT RAISE(ABORT, 'what was revoked stays so'); END;
