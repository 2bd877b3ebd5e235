-- What this server alone knows, made at random when it is first asked for and kept.

-- Keys by what they are for: "decoys" makes the salts that names without an account are shown, which have to stay the
-- same for ever.
CREATE TABLE secrets (
    name        TEXT    NOT NULL PRIMARY KEY,
    secret      BLOB    NOT NULL
) WITHOUT ROWID;
