CREATE TABLE authority.tenants (
    id           TEXT PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    suspended_at INTEGER
) STRICT;

CREATE TABLE authority.tenant_settings (
    tenant   TEXT PRIMARY KEY REFERENCES tenants (id),
    body     TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE authority.clients (
    id         TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE authority.client_keys (
    client_id  TEXT NOT NULL REFERENCES clients (id),
    kid        TEXT NOT NULL,
    x          TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, kid)
) STRICT;

CREATE TABLE authority.client_roles (
    client_id TEXT NOT NULL REFERENCES clients (id),
    tenant    TEXT NOT NULL REFERENCES tenants (id),
    role      TEXT NOT NULL,
    PRIMARY KEY (client_id, tenant, role)
) STRICT;

CREATE TABLE authority.signing_keys (
    kid        TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authority.one_active_key ON signing_keys (purpose) WHERE state = 'active';
