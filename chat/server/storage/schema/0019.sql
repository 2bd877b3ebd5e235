-- What was deleted leaves the parts of the file that nothing refers to (chat/server/storage/scrub.py).

-- One row while there is something to do: pages up to `page` have been gone through, and where something was deleted since
-- that pass began (`again` is 1), another one follows. It begins with one, as older versions left such parts alone.
CREATE TABLE scrub (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    page        INTEGER NOT NULL,
    again       INTEGER NOT NULL
);
INSERT INTO scrub (id, page, again) VALUES (1, 0, 0);
