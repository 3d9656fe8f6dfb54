-- When a document came again from its source, with another time: the publisher had gone back to it, or
-- had it still. Which revision is the newest is known from that too (record 0011).
CREATE TABLE evidence.sightings (
    tenant      text COLLATE "C" NOT NULL,
    digest      text COLLATE "C" NOT NULL,
    publisher   text COLLATE "C" NOT NULL,
    stream      text COLLATE "C" NOT NULL,
    fetched_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, digest, publisher, stream, fetched_at),
    FOREIGN KEY (tenant, digest, publisher, stream)
        REFERENCES evidence.provenance (tenant, digest, publisher, stream)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence.sightings
    FOR EACH STATEMENT EXECUTE FUNCTION evidence.refuse_change();
ALTER TABLE evidence.sightings ENABLE ROW LEVEL SECURITY;
ALTER TABLE evidence.sightings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON evidence.sightings USING (tenant = current_setting('stella.tenant', true));
GRANT SELECT, INSERT ON evidence.sightings TO stella_service;
