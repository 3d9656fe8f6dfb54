-- When a document came again from its source, with another time: the publisher had gone back to it, or
-- had it still. Which revision is the newest is known from that too (record 0011).
CREATE TABLE evidence.sightings (
    tenant      TEXT NOT NULL,
    digest      TEXT NOT NULL,
    publisher   TEXT NOT NULL,
    stream      TEXT NOT NULL,
    fetched_at  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest, publisher, stream, fetched_at),
    FOREIGN KEY (tenant, digest, publisher, stream)
        REFERENCES provenance (tenant, digest, publisher, stream)
) STRICT;
CREATE TRIGGER evidence.sightings_no_update BEFORE UPDATE ON sightings
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.sightings_no_delete BEFORE DELETE ON sightings
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
INSERT INTO evidence.sqlite_stat1 (tbl, idx, stat) VALUES
    ('sightings', 'sqlite_autoindex_sightings_1', '1000000 1000000 3 3 2 1');
ANALYZE evidence.sqlite_schema;
