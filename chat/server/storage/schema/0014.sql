-- Credentials that change while a login with the old ones is on its way.

-- `epoch` counts the changes of what lets somebody in to an account: its password, a one-time code, a device that is
-- signed out. A login carries the epoch that it was proven in; before `valid_since` it counts no longer, and gets neither
-- a session nor a token.
ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN valid_since INTEGER NOT NULL DEFAULT 0;

-- The same for one device, since its owner has signed it out. A row is kept for a day: no session outlives the sign-out
-- by longer, and a later one has a greater epoch.
CREATE TABLE ended_devices (
    account     INTEGER NOT NULL REFERENCES accounts (id),
    device      TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    time        INTEGER NOT NULL,                -- milliseconds since the epoch of Unix
    PRIMARY KEY (account, device)
) WITHOUT ROWID;

CREATE INDEX ended_devices_by_time ON ended_devices (time);
