-- As on PostgreSQL, where it matters.
CREATE INDEX evidence.log_entries_of_subject ON log_entries (subject, tenant, log);
DROP INDEX evidence.log_entries_by_subject;
