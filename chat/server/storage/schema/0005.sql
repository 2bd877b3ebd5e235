-- Accounts that their owners have deleted.

-- The row stays, with nothing but its name: what the account wrote still has an author, and nobody else can take the
-- name and pass for who had it.
ALTER TABLE accounts ADD COLUMN deleted INTEGER;

-- Accounts whose every word is being taken out of the log, a few rows at a time; `upto` is the last id of the log that
-- was looked at. The row is gone when it is done, so a kill in between loses nothing.
CREATE TABLE erasures (
    account     INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id),
    upto        INTEGER NOT NULL DEFAULT 0
);
