-- The audit log (record 0010), in the tables of any log of a schema (record 0007). An entry is added
-- in the transaction of what it tells of; its id orders those that wait and is no position: it has
-- gaps, and is given before the commit.
CREATE TABLE replay.log_entries (
    tenant      text COLLATE "C" NOT NULL,
    log         text COLLATE "C" NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    subject     text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    entry       text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, log, id)
);
CREATE INDEX log_entries_by_subject ON replay.log_entries (tenant, log, subject);
-- What the sealer made of it after the commit: its position, and the hash that chains it.
CREATE TABLE replay.sealed (
    tenant   text COLLATE "C" NOT NULL,
    log      text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    id       bigint NOT NULL,
    hash     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, log, position),
    UNIQUE (tenant, log, id)
);
-- Where each log ends, with the signature of that. Whoever seals it holds this row.
CREATE TABLE replay.log_heads (
    tenant   text COLLATE "C" NOT NULL,
    log      text COLLATE "C" NOT NULL,
    size     bigint NOT NULL,
    last     text COLLATE "C",
    subtrees text COLLATE "C" NOT NULL,
    envelope text COLLATE "C",
    PRIMARY KEY (tenant, log)
);
-- A header without payload: the sealer must see every tenant's, so no row-level security.
CREATE TABLE replay.unsealed (
    tenant text COLLATE "C" NOT NULL,
    log    text COLLATE "C" NOT NULL,
    id     bigint NOT NULL,
    since  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, log, id)
);
CREATE FUNCTION replay.await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO replay.unsealed (tenant, log, id) VALUES (NEW.tenant, NEW.log, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER await_seal AFTER INSERT ON replay.log_entries
    FOR EACH ROW EXECUTE FUNCTION replay.await_seal();

CREATE FUNCTION replay.refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was logged never changes';
END $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['log_entries', 'sealed', 'log_heads'] LOOP
        EXECUTE format('ALTER TABLE replay.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE replay.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON replay.%I '
            'USING (tenant = current_setting(''stella.tenant'', true))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['log_entries', 'sealed'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE '
            'ON replay.%I FOR EACH STATEMENT EXECUTE FUNCTION replay.refuse_log_change()', name);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON replay.log_entries, replay.sealed TO stella_service;
GRANT SELECT, INSERT, UPDATE ON replay.log_heads TO stella_service;
GRANT SELECT, INSERT, DELETE ON replay.unsealed TO stella_service;
