-- What operators decide: who is kept out of the whole server or silent on it, who gets in with a code, how long
-- conversations are kept.

-- Bans and mutes on the whole server, of an account (`network` is empty) or of a network in CIDR notation (`account` is
-- 0). One that has ended stays until it is lifted or replaced: whoever reads compares `until` with the clock. `by` is
-- the name of an administrator, or says that it was the operator.
CREATE TABLE sanctions (
    kind        TEXT    NOT NULL CHECK (kind IN ('banned', 'muted')),
    account     INTEGER NOT NULL,
    network     TEXT    NOT NULL,
    until       INTEGER,
    reason      TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (kind, account, network),
    CHECK ((account = 0) <> (network = ''))
) WITHOUT ROWID;

-- What lets somebody choose a password, once: for an account that an operator has made, or whose password is lost. Only
-- the SHA-256 of the code is here.
CREATE TABLE codes (
    account     INTEGER PRIMARY KEY REFERENCES accounts (id),
    digest      BLOB    NOT NULL,
    until       INTEGER NOT NULL
);

-- How long rows are kept, in milliseconds; NULL for ever. All pairs share one line, that of conversation 0.
CREATE TABLE retention (
    conversation INTEGER PRIMARY KEY,
    kept        INTEGER NOT NULL
);
