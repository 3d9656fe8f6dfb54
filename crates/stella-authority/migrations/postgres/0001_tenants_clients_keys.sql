-- Who belongs where is Authority's own knowledge: it is asked before a tenant is known, so
-- these tables carry no row-level security. A tenant's settings do.
CREATE TABLE authority.tenants (
    id           text COLLATE "C" PRIMARY KEY,
    created_at   timestamptz NOT NULL,
    suspended_at timestamptz
);

CREATE TABLE authority.tenant_settings (
    tenant   text COLLATE "C" PRIMARY KEY REFERENCES authority.tenants (id),
    body     text COLLATE "C" NOT NULL,
    revision bigint NOT NULL
);
ALTER TABLE authority.tenant_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE authority.tenant_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authority.tenant_settings
    USING (tenant = current_setting('stella.tenant', true));

CREATE TABLE authority.clients (
    id         text COLLATE "C" PRIMARY KEY,
    created_at timestamptz NOT NULL
);

CREATE TABLE authority.client_keys (
    client_id  text COLLATE "C" NOT NULL REFERENCES authority.clients (id),
    kid        text COLLATE "C" NOT NULL,
    x          text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, kid)
);

CREATE TABLE authority.client_roles (
    client_id text COLLATE "C" NOT NULL REFERENCES authority.clients (id),
    tenant    text COLLATE "C" NOT NULL REFERENCES authority.tenants (id),
    role      text COLLATE "C" NOT NULL,
    PRIMARY KEY (client_id, tenant, role)
);

CREATE TABLE authority.signing_keys (
    kid        text COLLATE "C" PRIMARY KEY,
    purpose    text COLLATE "C" NOT NULL,
    state      text COLLATE "C" NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          text COLLATE "C" NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_active_key ON authority.signing_keys (purpose) WHERE state = 'active';

GRANT USAGE ON SCHEMA authority TO stella_service;
GRANT SELECT ON ALL TABLES IN SCHEMA authority TO stella_service;
GRANT INSERT, UPDATE ON authority.tenants, authority.tenant_settings, authority.clients,
    authority.client_keys, authority.client_roles, authority.signing_keys TO stella_service;
