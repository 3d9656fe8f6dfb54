CREATE INDEX IF NOT EXISTS evidence.names_in_any_case ON names (tenant, lower(identifier));
