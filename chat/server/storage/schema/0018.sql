-- Tokens that somebody has copied are found out.

-- Tokens that were replaced by a login with them, by their SHA-256. One that is presented again was copied: the device is
-- signed out. They are kept as long as a device may be away.
CREATE TABLE used_tokens (
    digest      BLOB    NOT NULL PRIMARY KEY,
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    time        INTEGER NOT NULL,                -- when it was replaced
    FOREIGN KEY (account, device) REFERENCES devices (account, device) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX used_tokens_by_device ON used_tokens (account, device);
CREATE INDEX used_tokens_by_time ON used_tokens (time);

-- What the owner of an account is told at the next login: on which device a used token was presented, from where and when.
CREATE TABLE token_alerts (
    account     INTEGER NOT NULL REFERENCES accounts (id),
    device      TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    time        INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) WITHOUT ROWID;
