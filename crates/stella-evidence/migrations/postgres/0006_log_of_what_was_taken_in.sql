-- The keys that sign the log's checkpoints.
CREATE TABLE evidence.signing_keys (
    kid        text COLLATE "C" PRIMARY KEY,
    purpose    text COLLATE "C" NOT NULL,
    state      text COLLATE "C" NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    x          text COLLATE "C" NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_active_key ON evidence.signing_keys (purpose) WHERE state = 'active';

-- The logs of a schema (record 0007). An entry is added in the transaction of what it tells of; its
-- id orders those that wait and is no position: it has gaps, and is given before the commit.
CREATE TABLE evidence.log_entries (
    tenant      text COLLATE "C" NOT NULL,
    log         text COLLATE "C" NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    subject     text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, log, id)
);
CREATE INDEX log_entries_by_subject ON evidence.log_entries (tenant, log, subject);
-- What the sealer made of it after the commit: its position, and the hash that chains it.
CREATE TABLE evidence.sealed (
    tenant   text COLLATE "C" NOT NULL,
    log      text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    id       bigint NOT NULL,
    hash     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, log, position),
    UNIQUE (tenant, log, id)
);
-- Where each log ends, with the signature of that. Whoever seals it holds this row.
CREATE TABLE evidence.log_heads (
    tenant   text COLLATE "C" NOT NULL,
    log      text COLLATE "C" NOT NULL,
    size     bigint NOT NULL,
    last     text COLLATE "C",
    subtrees text COLLATE "C" NOT NULL,
    envelope text COLLATE "C",
    PRIMARY KEY (tenant, log)
);
-- A header without payload: the sealer must see every tenant's, so no row-level security.
CREATE TABLE evidence.unsealed (
    tenant text COLLATE "C" NOT NULL,
    log    text COLLATE "C" NOT NULL,
    id     bigint NOT NULL,
    since  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, log, id)
);
CREATE FUNCTION evidence.await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO evidence.unsealed (tenant, log, id) VALUES (NEW.tenant, NEW.log, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER await_seal AFTER INSERT ON evidence.log_entries
    FOR EACH ROW EXECUTE FUNCTION evidence.await_seal();

-- What was kept before is logged too, in the order in which it came. Row-level security binds the
-- owner as well, who is of no tenant.
ALTER TABLE evidence.provenance NO FORCE ROW LEVEL SECURITY;
ALTER TABLE evidence.raw_documents NO FORCE ROW LEVEL SECURITY;
INSERT INTO evidence.log_entries (tenant, log, subject, recorded_at, entry)
SELECT p.tenant, 'changes', p.digest, p.received_at, json_build_object(
    'type', p.kind || '.observation.updated@1', 'kind', p.kind, 'size', r.size,
    'publisher', p.publisher, 'stream', p.stream, 'upstreamId', p.upstream_id)::text
FROM evidence.provenance p
JOIN evidence.raw_documents r ON r.tenant = p.tenant AND r.digest = p.digest
ORDER BY p.tenant, p.received_at, p.digest, p.publisher, p.stream;
ALTER TABLE evidence.provenance FORCE ROW LEVEL SECURITY;
ALTER TABLE evidence.raw_documents FORCE ROW LEVEL SECURITY;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['log_entries', 'sealed', 'log_heads'] LOOP
        EXECUTE format('ALTER TABLE evidence.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE evidence.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON evidence.%I '
            'USING (tenant = current_setting(''stella.tenant'', true))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['log_entries', 'sealed'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE '
            'ON evidence.%I FOR EACH STATEMENT EXECUTE FUNCTION evidence.refuse_change()', name);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON evidence.log_entries, evidence.sealed TO stella_service;
GRANT SELECT, INSERT, UPDATE ON evidence.log_heads, evidence.signing_keys TO stella_service;
GRANT SELECT, INSERT, DELETE ON evidence.unsealed TO stella_service;
