-- Where an account is known, so that the wrong passwords of others are not counted against its owner.

-- The networks that it has logged in from (an IPv4 address, or the /64 of an IPv6 one), the last 16 of them.
CREATE TABLE networks (
    account INTEGER NOT NULL REFERENCES accounts (id),
    network TEXT NOT NULL,
    seen    INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) WITHOUT ROWID;

-- The SHA-256 of the tokens that its devices have had, the last 64 of them; those that have ended log nobody in.
CREATE TABLE known_tokens (
    digest  BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts (id),
    device  TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX known_tokens_of ON known_tokens (account, created);

INSERT INTO known_tokens SELECT digest, account, device, created FROM tokens;
INSERT OR IGNORE INTO known_tokens SELECT before, account, device, created FROM tokens WHERE before IS NOT NULL;
