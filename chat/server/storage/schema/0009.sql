-- Where each member begins to read.

-- What came before this seq was said before the member came, into a room that showed newcomers nothing of it. It is
-- fixed when the member joins: a change of the room's setting counts for those who come later.
ALTER TABLE members ADD COLUMN readable_after INTEGER NOT NULL DEFAULT 0;

UPDATE members SET readable_after = joined_seq
    WHERE conversation IN (SELECT conversation FROM rooms WHERE from_start = 0);
