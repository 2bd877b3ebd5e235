-- Keys for end-to-end encryption, as they are published and handed out.

-- A device numbers the keys that it publishes; `numbered` is the highest number so far. What is published again after a
-- lost answer is not taken again: it may have been handed out meanwhile.
ALTER TABLE device_keys ADD COLUMN numbered INTEGER NOT NULL DEFAULT 0;

-- In place of the tables of 0001, which no version has written to: keys have numbers, and no words for ids.
DROP TABLE one_time_keys;
CREATE TABLE one_time_keys (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    public_key  BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    PRIMARY KEY (account, device, number),
    FOREIGN KEY (account, device) REFERENCES device_keys (account, device) ON DELETE CASCADE
) WITHOUT ROWID;

DROP TABLE fallback_keys;
CREATE TABLE fallback_keys (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    public_key  BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    used        INTEGER NOT NULL DEFAULT 0,      -- 1: handed out; the device makes a new one
    PRIMARY KEY (account, device),
    FOREIGN KEY (account, device) REFERENCES device_keys (account, device) ON DELETE CASCADE
) WITHOUT ROWID;

-- How much lies in an inbox, and how much of it is of one author, is counted before more is put there.
CREATE INDEX inbox_by_author ON inbox (account, device, author);
