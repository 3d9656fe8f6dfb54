-- The first answer to each Idempotency-Key, kept for 24 hours; no status while it is being made.
CREATE TABLE authority.idempotency_keys (
    tenant      text COLLATE "C" NOT NULL,
    client      text COLLATE "C" NOT NULL,
    subject     text COLLATE "C" NOT NULL,
    route       text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    request     text COLLATE "C" NOT NULL,
    reserved_at timestamptz NOT NULL,
    status      bigint,
    headers     text COLLATE "C",
    body        bytea,
    PRIMARY KEY (tenant, client, subject, route, key)
);
CREATE INDEX idempotency_keys_by_age ON authority.idempotency_keys (tenant, reserved_at);

ALTER TABLE authority.idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE authority.idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON authority.idempotency_keys
    USING (tenant = current_setting('stella.tenant', true));

GRANT SELECT, INSERT, UPDATE, DELETE ON authority.idempotency_keys TO stella_service;
