-- What a document names is compared with it, and taken away where it is another's.
CREATE INDEX IF NOT EXISTS evidence.names_of_document ON names (tenant, digest);
INSERT INTO evidence.sqlite_stat1 (tbl, idx, stat) VALUES
    ('names', 'names_of_document', '3000000 3000000 3');
ANALYZE evidence.sqlite_schema;
