-- What a document names is compared with it, and taken away where it is another's.
CREATE INDEX IF NOT EXISTS names_of_document ON evidence.names (tenant, digest);
