-- Raw documents and their provenance: append-only by rights and by triggers.
CREATE TABLE evidence.raw_documents (
    tenant      text COLLATE "C" NOT NULL,
    digest      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    size        bigint NOT NULL,
    bytes       bytea,                -- null where the object store holds them
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, digest)
);

CREATE TABLE evidence.provenance (
    tenant           text COLLATE "C" NOT NULL,
    digest           text COLLATE "C" NOT NULL,
    publisher        text COLLATE "C" NOT NULL,
    stream           text COLLATE "C" NOT NULL,
    kind             text COLLATE "C" NOT NULL,
    upstream_id      text COLLATE "C" NOT NULL,
    document_version text COLLATE "C",
    revision_at      timestamptz NOT NULL,  -- the publisher's time of the revision, else fetched_at
    fetched_at       timestamptz NOT NULL,
    received_at      timestamptz NOT NULL,
    record           text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, digest, publisher, stream),
    FOREIGN KEY (tenant, digest) REFERENCES evidence.raw_documents (tenant, digest)
);
CREATE INDEX provenance_revisions ON evidence.provenance
    (tenant, kind, publisher, upstream_id, revision_at DESC, fetched_at DESC, digest DESC);

CREATE FUNCTION evidence.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ERR_AOC_008: stored evidence never changes';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence.raw_documents
    FOR EACH STATEMENT EXECUTE FUNCTION evidence.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence.provenance
    FOR EACH STATEMENT EXECUTE FUNCTION evidence.refuse_change();

-- Derived, rebuildable: what documents name.
CREATE TABLE evidence.names (
    tenant     text COLLATE "C" NOT NULL,
    identifier text COLLATE "C" NOT NULL,
    digest     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, identifier, digest)
);
CREATE TABLE evidence.packages (
    tenant        text COLLATE "C" NOT NULL,
    ecosystem     text COLLATE "C" NOT NULL,
    package       text COLLATE "C" NOT NULL,
    digest        text COLLATE "C" NOT NULL,
    position      bigint NOT NULL,
    pointer       text COLLATE "C" NOT NULL,
    informational text COLLATE "C",
    affected      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, ecosystem, package, digest, position)
);
CREATE INDEX packages_of_document ON evidence.packages (tenant, digest);
CREATE TABLE evidence.components (
    tenant    text COLLATE "C" NOT NULL,
    ecosystem text COLLATE "C" NOT NULL,
    package   text COLLATE "C" NOT NULL,
    sbom      text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    bom_ref   text COLLATE "C",
    pointer   text COLLATE "C" NOT NULL,
    purl      text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    version   text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, ecosystem, package, sbom, reference)
);
CREATE INDEX components_of_sbom ON evidence.components (tenant, sbom);

-- The newest revision of each document of a publisher, advisories' findings, and what is still
-- to be derived.
CREATE TABLE evidence.heads (
    tenant      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    publisher   text COLLATE "C" NOT NULL,
    upstream_id text COLLATE "C" NOT NULL,
    digest      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, publisher, upstream_id)
);
CREATE INDEX heads_of_document ON evidence.heads (tenant, digest);
CREATE TABLE evidence.findings (
    tenant           text COLLATE "C" NOT NULL,
    id               text COLLATE "C" NOT NULL,
    sbom             text COLLATE "C" NOT NULL,
    bom_ref          text COLLATE "C",
    pointer          text COLLATE "C" NOT NULL,
    purl             text COLLATE "C" NOT NULL,
    name             text COLLATE "C" NOT NULL,
    version          text COLLATE "C" NOT NULL,
    publisher        text COLLATE "C" NOT NULL,
    upstream_id      text COLLATE "C" NOT NULL,
    advisory         text COLLATE "C" NOT NULL,
    advisory_pointer text COLLATE "C" NOT NULL,
    verdict          text COLLATE "C" NOT NULL,
    rule             text COLLATE "C" NOT NULL,
    range            text COLLATE "C" NOT NULL,
    fixed_versions   text COLLATE "C" NOT NULL,
    informational    text COLLATE "C",
    summary          text COLLATE "C",
    identifiers      text COLLATE "C" NOT NULL,
    derivation       bigint NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX findings_of_sbom ON evidence.findings (tenant, sbom, id);
CREATE INDEX findings_of_advisory ON evidence.findings (tenant, publisher, upstream_id);
CREATE INDEX findings_of_document ON evidence.findings (tenant, advisory);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['raw_documents', 'provenance', 'names', 'packages', 'components',
                                'heads', 'findings'] LOOP
        EXECUTE format('ALTER TABLE evidence.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE evidence.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON evidence.%I '
            'USING (tenant = current_setting(''stella.tenant'', true))', name);
    END LOOP;
END $$;

-- A header without payload: the reconciler must see every tenant's, so no row-level security.
CREATE TABLE evidence.derivations_due (
    tenant      text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    publisher   text COLLATE "C" NOT NULL,
    upstream_id text COLLATE "C" NOT NULL,
    digest      text COLLATE "C" NOT NULL,
    due_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant, kind, publisher, upstream_id, digest)
);

GRANT USAGE ON SCHEMA evidence TO stella_service;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA evidence TO stella_service;
GRANT UPDATE, DELETE ON evidence.names, evidence.packages, evidence.components, evidence.heads,
    evidence.findings, evidence.derivations_due TO stella_service;
