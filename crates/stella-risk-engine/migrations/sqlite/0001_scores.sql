CREATE TABLE riskengine.risk_score_results (
    tenant            TEXT NOT NULL,
    score_id          TEXT NOT NULL,
    finding_id        TEXT NOT NULL,
    sbom              TEXT NOT NULL,
    vulnerability     TEXT NOT NULL,
    purl              TEXT NOT NULL,
    profile_id        TEXT NOT NULL,
    score_bps         INTEGER,
    band              TEXT NOT NULL,
    rank              INTEGER NOT NULL,
    component_pointer TEXT NOT NULL,
    policy            TEXT NOT NULL,
    inputs            TEXT NOT NULL,
    result            TEXT NOT NULL,
    content_digest    TEXT NOT NULL,
    evaluated_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, score_id)
) STRICT;

CREATE INDEX riskengine.risk_score_results_ranked ON risk_score_results (tenant, rank, score_id);

CREATE INDEX riskengine.risk_score_results_of_sbom ON risk_score_results (tenant, sbom, rank, score_id);

CREATE TABLE riskengine.evaluations (
    tenant       TEXT NOT NULL,
    finding_id   TEXT NOT NULL,
    position     INTEGER NOT NULL,
    score_id     TEXT NOT NULL,
    evaluated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, finding_id, position),
    FOREIGN KEY (tenant, score_id) REFERENCES risk_score_results (tenant, score_id)
) STRICT;

CREATE INDEX riskengine.evaluations_of_score ON evaluations (tenant, score_id);

CREATE VIEW riskengine.risk_scores_latest AS
    SELECT r.* FROM risk_score_results r
    JOIN evaluations e ON e.tenant = r.tenant AND e.score_id = r.score_id
    WHERE NOT EXISTS (
        SELECT 1 FROM evaluations later
        WHERE later.tenant = e.tenant AND later.finding_id = e.finding_id
        AND later.position > e.position);

-- Append-only: `INSERT OR REPLACE` deletes first, which `recursive_triggers` makes visible.
CREATE TRIGGER riskengine.risk_score_results_no_update BEFORE UPDATE ON risk_score_results
BEGIN
    SELECT RAISE(ABORT, 'stored scores never change');
END;
CREATE TRIGGER riskengine.risk_score_results_no_delete BEFORE DELETE ON risk_score_results
BEGIN
    SELECT RAISE(ABORT, 'stored scores never change');
END;
CREATE TRIGGER riskengine.evaluations_no_update BEFORE UPDATE ON evaluations
BEGIN
    SELECT RAISE(ABORT, 'stored scores never change');
END;
CREATE TRIGGER riskengine.evaluations_no_delete BEFORE DELETE ON evaluations
BEGIN
    SELECT RAISE(ABORT, 'stored scores never change');
END;
