-- Scores as they were given: append-only by rights and by triggers.
CREATE TABLE riskengine.risk_score_results (
    tenant            text COLLATE "C" NOT NULL,
    score_id          text COLLATE "C" NOT NULL,
    finding_id        text COLLATE "C" NOT NULL,
    sbom              text COLLATE "C" NOT NULL,
    vulnerability     text COLLATE "C" NOT NULL,
    purl              text COLLATE "C" NOT NULL,
    profile_id        text COLLATE "C" NOT NULL,
    score_bps         bigint,               -- null where no weighted signal is present
    band              text COLLATE "C" NOT NULL,
    rank              bigint NOT NULL,      -- 0 is unknown, then the highest score first
    component_pointer text COLLATE "C" NOT NULL,
    policy            text COLLATE "C" NOT NULL,
    inputs            text COLLATE "C" NOT NULL,
    result            text COLLATE "C" NOT NULL,
    content_digest    text COLLATE "C" NOT NULL,
    evaluated_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant, score_id)
);
CREATE INDEX risk_score_results_ranked ON riskengine.risk_score_results (tenant, rank, score_id);
CREATE INDEX risk_score_results_of_sbom ON riskengine.risk_score_results
    (tenant, sbom, rank, score_id);

-- Which score became the latest of a finding, and when: an earlier one may do so again.
CREATE TABLE riskengine.evaluations (
    tenant       text COLLATE "C" NOT NULL,
    finding_id   text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    score_id     text COLLATE "C" NOT NULL,
    evaluated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, finding_id, position),
    FOREIGN KEY (tenant, score_id) REFERENCES riskengine.risk_score_results (tenant, score_id)
);
CREATE INDEX evaluations_of_score ON riskengine.evaluations (tenant, score_id);

-- Run as its owner, the view would pass row-level security.
CREATE VIEW riskengine.risk_scores_latest WITH (security_invoker = true) AS
    SELECT r.* FROM riskengine.risk_score_results r
    JOIN riskengine.evaluations e ON e.tenant = r.tenant AND e.score_id = r.score_id
    WHERE NOT EXISTS (
        SELECT 1 FROM riskengine.evaluations later
        WHERE later.tenant = e.tenant AND later.finding_id = e.finding_id
        AND later.position > e.position);

CREATE FUNCTION riskengine.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stored scores never change';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON riskengine.risk_score_results
    FOR EACH STATEMENT EXECUTE FUNCTION riskengine.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON riskengine.evaluations
    FOR EACH STATEMENT EXECUTE FUNCTION riskengine.refuse_change();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['risk_score_results', 'evaluations'] LOOP
        EXECUTE format('ALTER TABLE riskengine.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE riskengine.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON riskengine.%I '
            'USING (tenant = current_setting(''stella.tenant'', true))', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA riskengine TO stella_service;
GRANT SELECT ON ALL TABLES IN SCHEMA riskengine TO stella_service;
GRANT INSERT ON riskengine.risk_score_results, riskengine.evaluations TO stella_service;
