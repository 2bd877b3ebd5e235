-- The whole database: accounts, rooms, and the log of everything that was said.
--
-- Times are whole milliseconds since the Unix epoch, UTC. Names are kept three times: `shown` as its
-- owner wrote it, `folded` for comparing, and `skeleton` for what it looks like (Unicode TS 39; empty
-- for an ASCII name, whose fold is its look). Kinds, roles and ranks are stored as the words that
-- chat/protocol/values.py gives them, so that a dump can be read.
--
-- The version of the schema is `PRAGMA user_version`: the number of the last of these files that was
-- applied. A change is a new file with the next number; this one is never edited after a release.
--
-- Foreign keys stand where rows are made rarely. The log, the retry ids and the marks are written for
-- every message and have none: their conversation is looked up anyway before a seq is given, and
-- accounts are never deleted.


-- --- people ------------------------------------------------------------------------------------

-- Somebody who may log in. The last four columns are the verifier, kept instead of a password:
-- SCRAM-SHA-256 keys over bcrypt(password), with the bcrypt salt string as SCRAM salt (RFC 5802). All
-- four are NULL for an account without a password.
CREATE TABLE accounts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    shown       TEXT    NOT NULL,
    folded      TEXT    NOT NULL UNIQUE,
    skeleton    TEXT    NOT NULL DEFAULT '',
    realname    TEXT    NOT NULL DEFAULT '',
    rank        TEXT    NOT NULL DEFAULT 'member' CHECK (rank IN ('member', 'administrator')),
    created     INTEGER NOT NULL,
    seen        INTEGER NOT NULL,                -- when a session last began or ended
    settings    TEXT    NOT NULL DEFAULT '{}',   -- what the person set, one JSON object
    salt        BLOB,
    iterations  INTEGER,
    stored_key  BLOB,
    server_key  BLOB
);

-- No two names look alike. ASCII names have no skeleton; that none of them equals another's skeleton
-- is checked when an account is made.
CREATE UNIQUE INDEX accounts_by_look ON accounts (skeleton) WHERE skeleton <> '';

-- Whom a person does not want to hear: `account` does not see what `other` says.
CREATE TABLE blocks (
    account     INTEGER NOT NULL REFERENCES accounts (id),
    other       INTEGER NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (account, other)
) WITHOUT ROWID;

-- A name that logins carry ("phone"; "default" when none is given).
CREATE TABLE devices (
    account     INTEGER NOT NULL REFERENCES accounts (id),
    device      TEXT    NOT NULL,
    seen        INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) WITHOUT ROWID;

-- What logs a device in again without the password: at most one for each device. Only the SHA-256 of
-- the token is here, so that who reads this file cannot log in with it.
CREATE TABLE tokens (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    digest      BLOB    NOT NULL UNIQUE,
    created     INTEGER NOT NULL,
    PRIMARY KEY (account, device),
    FOREIGN KEY (account, device) REFERENCES devices (account, device) ON DELETE CASCADE
) WITHOUT ROWID;


-- --- conversations -----------------------------------------------------------------------------

-- A room or a pair of accounts, each with an append-only log of its own. AUTOINCREMENT, because an id
-- is part of every message's name and is never given twice: a room that is deleted and made again is
-- another conversation.
CREATE TABLE conversations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL CHECK (kind IN ('room', 'pair')),
    first_seq   INTEGER NOT NULL DEFAULT 1       -- what retention left: rows before it are gone
);

CREATE TABLE rooms (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (id),
    shown       TEXT    NOT NULL,
    folded      TEXT    NOT NULL,
    skeleton    TEXT    NOT NULL DEFAULT '',
    topic       TEXT    NOT NULL DEFAULT '',
    private     INTEGER NOT NULL DEFAULT 0,      -- 1: entered by invitation only
    from_start  INTEGER NOT NULL DEFAULT 1,      -- 1: newcomers read the history from its start
    slow        INTEGER NOT NULL DEFAULT 0,      -- seconds between two lines of one person
    sealed      INTEGER NOT NULL DEFAULT 0,      -- 1: only sealed messages, for ever
    created     INTEGER NOT NULL,
    deleted     INTEGER                          -- when the room was deleted; its name is free again
);

-- Names are unique among the rooms that live.
CREATE UNIQUE INDEX rooms_by_name ON rooms (folded) WHERE deleted IS NULL;
CREATE UNIQUE INDEX rooms_by_look ON rooms (skeleton) WHERE deleted IS NULL AND skeleton <> '';

-- The two accounts of a private conversation, the smaller id first; both are the same in a note to
-- oneself.
CREATE TABLE pairs (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (id),
    low         INTEGER NOT NULL REFERENCES accounts (id),
    high        INTEGER NOT NULL REFERENCES accounts (id),
    UNIQUE (low, high),
    CHECK (low <= high)
);

CREATE INDEX pairs_by_high ON pairs (high, low);

-- Who belongs to a room, present or not. `joined_seq` is the room's last seq before the row that made
-- the account a member; what is older never counts as unread.
CREATE TABLE members (
    conversation INTEGER NOT NULL REFERENCES rooms (conversation),
    account     INTEGER NOT NULL REFERENCES accounts (id),
    role        TEXT    NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'moderator', 'owner')),
    joined_seq  INTEGER NOT NULL,
    joined      INTEGER NOT NULL,
    entered     INTEGER NOT NULL,                -- when it last came in; decides where a login begins to talk
    notify      TEXT    NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'nothing')),
    PRIMARY KEY (conversation, account)
) WITHOUT ROWID;

CREATE INDEX members_by_account ON members (account, conversation);

-- Bans and mutes, until a time or (NULL) for ever. One that has ended stays until it is lifted or
-- replaced: whoever reads compares `until` with the clock.
CREATE TABLE restrictions (
    conversation INTEGER NOT NULL REFERENCES rooms (conversation),
    account     INTEGER NOT NULL REFERENCES accounts (id),
    kind        TEXT    NOT NULL CHECK (kind IN ('banned', 'muted')),
    until       INTEGER,
    by          INTEGER NOT NULL REFERENCES accounts (id),
    reason      TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (conversation, account, kind)
) WITHOUT ROWID;

-- Who may enter a private room once.
CREATE TABLE invitations (
    conversation INTEGER NOT NULL REFERENCES rooms (conversation),
    account     INTEGER NOT NULL REFERENCES accounts (id),
    by          INTEGER NOT NULL REFERENCES accounts (id),
    created     INTEGER NOT NULL,
    PRIMARY KEY (conversation, account)
) WITHOUT ROWID;


-- --- the log -----------------------------------------------------------------------------------

-- Every row of every conversation.
--
-- `id` is conversation << 32 | seq. One integer key keeps everything in one b-tree, clustered by
-- conversation and ordered by seq: reading a conversation is a range scan, its newest row is one
-- lookup, and no second index is written for each message. It is a rowid, which full-text search
-- (FTS5 external content) asks for, and fits the BIGINT of other databases.
--
-- A seq is never given twice: the newest row is never removed alone, and where retention removes all,
-- `first_seq` of the conversation is raised past the last one.
--
-- `scheme` and `key` are set for a sealed body only, whose ciphertext is a BLOB; a body in the clear
-- is TEXT. Emptying a body (a redaction) sets all three to NULL and keeps the row. The body comes
-- last, so that counting rows does not read the pages it spills over.
CREATE TABLE log (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL,
    author      INTEGER NOT NULL,                -- an account
    device      TEXT    NOT NULL,
    time        INTEGER NOT NULL,
    ref         INTEGER,                         -- the seq that this row redacts or edits
    target      INTEGER,                         -- the account that a membership row is about
    scheme      TEXT,
    key         TEXT,
    body
);

-- What a program that sends the same again after a lost answer gets back: the first result. Kept 7
-- days. `digest` is the SHA-256 of what was to be stored, so that another message under the same id
-- is noticed.
CREATE TABLE retries (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    retry       TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    conversation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    PRIMARY KEY (account, device, retry)
) WITHOUT ROWID;

CREATE INDEX retries_by_time ON retries (time);

-- Up to where a device provably has everything: what was not delivered begins after it.
CREATE TABLE received (
    account     INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (account, conversation, device)
) WITHOUT ROWID;

-- Up to where a person has seen everything, on any device: what is unread begins after it.
CREATE TABLE read (
    account     INTEGER NOT NULL,
    conversation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (account, conversation)
) WITHOUT ROWID;


-- --- keys for end-to-end encryption ------------------------------------------------------------

-- What waits for one device and belongs to no conversation (key material), until that device has
-- acknowledged it; delivered before the log. AUTOINCREMENT, because acknowledging is "up to this id".
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    author      INTEGER NOT NULL REFERENCES accounts (id),
    author_device TEXT  NOT NULL,
    time        INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    FOREIGN KEY (account, device) REFERENCES devices (account, device) ON DELETE CASCADE
);

CREATE INDEX inbox_by_device ON inbox (account, device, id);

-- The public key by which an account signs its devices.
CREATE TABLE account_keys (
    account     INTEGER PRIMARY KEY REFERENCES accounts (id),
    signing_key BLOB    NOT NULL,                -- ed25519
    created     INTEGER NOT NULL
);

-- The public keys of one device; `signature` is made by the account key, and a device without it gets
-- no keys of others.
CREATE TABLE device_keys (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    identity_key BLOB   NOT NULL,                -- curve25519
    signing_key BLOB    NOT NULL,                -- ed25519
    signature   BLOB,
    created     INTEGER NOT NULL,
    PRIMARY KEY (account, device),
    FOREIGN KEY (account, device) REFERENCES devices (account, device) ON DELETE CASCADE
) WITHOUT ROWID;

-- Keys that are each handed out once and then deleted.
CREATE TABLE one_time_keys (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    key_id      TEXT    NOT NULL,
    public_key  BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    PRIMARY KEY (account, device, key_id),
    FOREIGN KEY (account, device) REFERENCES device_keys (account, device) ON DELETE CASCADE
) WITHOUT ROWID;

-- The key that is handed out, again and again, when the one-time keys have run out.
CREATE TABLE fallback_keys (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    key_id      TEXT    NOT NULL,
    public_key  BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    used        INTEGER NOT NULL DEFAULT 0,      -- 1: handed out; the device makes a new one
    PRIMARY KEY (account, device),
    FOREIGN KEY (account, device) REFERENCES device_keys (account, device) ON DELETE CASCADE
) WITHOUT ROWID;
