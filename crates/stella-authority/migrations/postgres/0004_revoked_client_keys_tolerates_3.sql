-- A key that was taken from a client. Its row among the keys is gone, which binaries of before heed
-- too; this one stays, so that nobody who may write here, and no client create, makes it count again.
CREATE TABLE authority.revoked_client_keys (
    client_id  text COLLATE "C" NOT NULL REFERENCES authority.clients (id),
    kid        text COLLATE "C" NOT NULL,
    revoked_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, kid)
);

GRANT SELECT, INSERT ON authority.revoked_client_keys TO stella_service;
GRANT DELETE ON authority.client_keys, authority.client_roles TO stella_service;
