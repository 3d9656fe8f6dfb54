-- The index of what lies in the object store: append-only by rights and by triggers.
CREATE TABLE replay.snapshots (
    tenant     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE TABLE replay.manifests (
    tenant      text COLLATE "C" NOT NULL,
    digest      text COLLATE "C" NOT NULL,
    score_id    text COLLATE "C" NOT NULL,
    snapshot_id text COLLATE "C" NOT NULL,
    observed    text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, digest),
    UNIQUE (tenant, score_id),
    FOREIGN KEY (tenant, snapshot_id) REFERENCES replay.snapshots (tenant, id)
);

CREATE FUNCTION replay.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stored manifests and snapshots never change';
END $$;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['snapshots', 'manifests'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON replay.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION replay.refuse_change()', name);
        EXECUTE format('ALTER TABLE replay.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE replay.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON replay.%I '
            'USING (tenant = current_setting(''stella.tenant'', true))', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA replay TO stella_service;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA replay TO stella_service;
