-- The first grant took in the table of migrations too: whoever serves only reads which there are.
REVOKE INSERT, UPDATE, DELETE ON evidence._migrations FROM stella_service;
