-- The subject first: beside a few rows PostgreSQL took an index that begins with tenant and log for as good as
-- the key for one entry of a log, and went through the whole log for each that was to be sealed.
CREATE INDEX log_entries_of_subject ON evidence.log_entries (subject, tenant, log);
DROP INDEX evidence.log_entries_by_subject;
