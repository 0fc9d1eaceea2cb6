-- Whom the client said that it acts for.
ALTER TABLE audit ADD COLUMN claimed_user TEXT NOT NULL DEFAULT '';
