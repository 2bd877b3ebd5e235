-- Who made a room and when, what files take, and how well the author of a letter is known to its reader.

-- Rooms of one account in a day are counted by these, closed ones among them; 0 for rooms that were made before.
ALTER TABLE rooms ADD COLUMN creator INTEGER NOT NULL DEFAULT 0;
CREATE INDEX rooms_by_creator ON rooms (creator, created) WHERE creator <> 0;

-- The sums of pieces that wait, of one sender and of all.
CREATE INDEX files_waiting ON files (sender, pieces) WHERE NOT ended;

-- 0: a stranger, 1: somebody in the same room, 2: somebody whom the reader has written to, or with whom the reader shares a
-- private room. Each may fill a part of an inbox, the ones better known a larger one.
ALTER TABLE inbox ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;

-- How many letters lie in an inbox: of each standing (`author` is 0), and of each author. To count them for each letter
-- that comes would take milliseconds where many lie there. The triggers keep it true, whoever removes letters.
CREATE TABLE inbox_counts (
    account     INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    author      INTEGER NOT NULL,
    standing    INTEGER NOT NULL,
    letters     INTEGER NOT NULL,
    PRIMARY KEY (account, device, author, standing)
) WITHOUT ROWID;

INSERT INTO inbox_counts
    SELECT account, device, 0, standing, count(*) FROM inbox GROUP BY account, device, standing
    UNION ALL
    SELECT account, device, author, standing, count(*) FROM inbox GROUP BY account, device, author, standing;

CREATE TRIGGER inbox_letter_came AFTER INSERT ON inbox BEGIN
    INSERT INTO inbox_counts VALUES
        (new.account, new.device, 0, new.standing, 1),
        (new.account, new.device, new.author, new.standing, 1)
        ON CONFLICT DO UPDATE SET letters = letters + 1;
END;

CREATE TRIGGER inbox_letter_went AFTER DELETE ON inbox BEGIN
    UPDATE inbox_counts SET letters = letters - 1
        WHERE account = old.account AND device = old.device AND author IN (0, old.author) AND standing = old.standing;
    DELETE FROM inbox_counts
        WHERE account = old.account AND device = old.device AND author IN (0, old.author) AND letters = 0;
END;
