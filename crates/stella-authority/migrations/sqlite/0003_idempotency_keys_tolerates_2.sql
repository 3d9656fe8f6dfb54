CREATE TABLE authority.idempotency_keys (
    tenant      TEXT NOT NULL,
    client      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    request     TEXT NOT NULL,
    reserved_at INTEGER NOT NULL,
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    PRIMARY KEY (tenant, client, subject, route, key)
) STRICT;

CREATE INDEX authority.idempotency_keys_by_age ON idempotency_keys (tenant, reserved_at);
