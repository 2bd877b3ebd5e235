-- Codes that let somebody make an account where `registration` is `code`.

-- Codes that were made together.
CREATE TABLE invitation_batches (
    batch INTEGER PRIMARY KEY AUTOINCREMENT,
    made  INTEGER NOT NULL,
    until INTEGER NOT NULL,
    by    TEXT    NOT NULL                      -- who made them, as people may read it
);

-- Those that were not used yet: the SHA-256 of each.
CREATE TABLE invitation_codes (
    digest BLOB    PRIMARY KEY,
    batch  INTEGER NOT NULL REFERENCES invitation_batches (batch),
    until  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invitation_codes_of ON invitation_codes (batch);
