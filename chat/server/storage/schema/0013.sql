-- What a device was shown without proof is a stretch of a conversation, and need not begin where its marks end.

-- `shown` alone said "everything up to here". Lines that are said in a room while older ones wait unread are shown as
-- they come: only what lies between `shown_after` and `shown` may be a repeat then.
ALTER TABLE received ADD COLUMN shown_after INTEGER NOT NULL DEFAULT 0;
