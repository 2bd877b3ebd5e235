-- A login by token makes another one now and then, no longer each time.

-- The SHA-256 of the token that was presented when this one was made: it lets the device in until the next one is made,
-- as the answer that held the new one may not have arrived.
ALTER TABLE tokens ADD COLUMN before BLOB;
CREATE UNIQUE INDEX tokens_before ON tokens (before) WHERE before IS NOT NULL;
