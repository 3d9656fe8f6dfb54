-- People write the ids of vulnerabilities in any case. The collation is "C": only ASCII is lowered,
-- as on SQLite. The previous binary looks names up as they were published, and serves on.
CREATE INDEX IF NOT EXISTS names_in_any_case ON evidence.names (tenant, lower(identifier));
