CREATE TABLE evidence.raw_documents (
    tenant      TEXT NOT NULL,
    digest      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    bytes       BLOB,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT;

CREATE TABLE evidence.provenance (
    tenant           TEXT NOT NULL,
    digest           TEXT NOT NULL,
    publisher        TEXT NOT NULL,
    stream           TEXT NOT NULL,
    kind             TEXT NOT NULL,
    upstream_id      TEXT NOT NULL,
    document_version TEXT,
    revision_at      INTEGER NOT NULL,
    fetched_at       INTEGER NOT NULL,
    received_at      INTEGER NOT NULL,
    record           TEXT NOT NULL,
    PRIMARY KEY (tenant, digest, publisher, stream),
    FOREIGN KEY (tenant, digest) REFERENCES raw_documents (tenant, digest)
) STRICT;

CREATE INDEX evidence.provenance_revisions ON provenance (tenant, kind, publisher, upstream_id, revision_at DESC, fetched_at DESC, digest DESC);

CREATE TABLE evidence.names (
    tenant     TEXT NOT NULL,
    identifier TEXT NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (tenant, identifier, digest)
) STRICT;

CREATE TABLE evidence.packages (
    tenant        TEXT NOT NULL,
    ecosystem     TEXT NOT NULL,
    package       TEXT NOT NULL,
    digest        TEXT NOT NULL,
    position      INTEGER NOT NULL,
    pointer       TEXT NOT NULL,
    informational TEXT,
    affected      TEXT NOT NULL,
    PRIMARY KEY (tenant, ecosystem, package, digest, position)
) STRICT;

CREATE INDEX evidence.packages_of_document ON packages (tenant, digest);

CREATE TABLE evidence.components (
    tenant    TEXT NOT NULL,
    ecosystem TEXT NOT NULL,
    package   TEXT NOT NULL,
    sbom      TEXT NOT NULL,
    reference TEXT NOT NULL,
    bom_ref   TEXT,
    pointer   TEXT NOT NULL,
    purl      TEXT NOT NULL,
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    PRIMARY KEY (tenant, ecosystem, package, sbom, reference)
) STRICT;

CREATE INDEX evidence.components_of_sbom ON components (tenant, sbom);

CREATE TABLE evidence.heads (
    tenant      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    publisher   TEXT NOT NULL,
    upstream_id TEXT NOT NULL,
    digest      TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, publisher, upstream_id)
) STRICT;

CREATE INDEX evidence.heads_of_document ON heads (tenant, digest);

CREATE TABLE evidence.findings (
    tenant           TEXT NOT NULL,
    id               TEXT NOT NULL,
    sbom             TEXT NOT NULL,
    bom_ref          TEXT,
    pointer          TEXT NOT NULL,
    purl             TEXT NOT NULL,
    name             TEXT NOT NULL,
    version          TEXT NOT NULL,
    publisher        TEXT NOT NULL,
    upstream_id      TEXT NOT NULL,
    advisory         TEXT NOT NULL,
    advisory_pointer TEXT NOT NULL,
    verdict          TEXT NOT NULL,
    rule             TEXT NOT NULL,
    range            TEXT NOT NULL,
    fixed_versions   TEXT NOT NULL,
    informational    TEXT,
    summary          TEXT,
    identifiers      TEXT NOT NULL,
    derivation       INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX evidence.findings_of_sbom ON findings (tenant, sbom, id);

CREATE INDEX evidence.findings_of_advisory ON findings (tenant, publisher, upstream_id);

CREATE INDEX evidence.findings_of_document ON findings (tenant, advisory);

CREATE TABLE evidence.derivations_due (
    tenant      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    publisher   TEXT NOT NULL,
    upstream_id TEXT NOT NULL,
    digest      TEXT NOT NULL,
    due_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, publisher, upstream_id, digest)
) STRICT;

-- Append-only: `INSERT OR REPLACE` deletes first, which `recursive_triggers` makes visible.
CREATE TRIGGER evidence.raw_documents_no_update BEFORE UPDATE ON raw_documents
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.raw_documents_no_delete BEFORE DELETE ON raw_documents
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.provenance_no_update BEFORE UPDATE ON provenance
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
CREATE TRIGGER evidence.provenance_no_delete BEFORE DELETE ON provenance
BEGIN
    SELECT RAISE(ABORT, 'ERR_AOC_008: stored evidence never changes');
END;
