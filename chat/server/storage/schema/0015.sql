-- An index for searches that forgets: plain rows in place of FTS5, which keeps deleted words in its older segments.

-- The terms (chat/protocol/values/terms.py) of what was said in the clear. The key begins with the conversation, so a search reads
-- nothing of conversations that are not the reader's, a prefix is one range, and a page of new rows lands in one place.
CREATE TABLE terms (
    conversation INTEGER NOT NULL,
    term        TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (conversation, term, seq)
) WITHOUT ROWID;

-- Rows up to `indexed` used to be in the old index. Those up to `unindexed` are not yet in the new one: they are added in
-- the background, the newest first, so that the upgrade of a large log does not hold up the start. Then the old index
-- (`words`) is removed in small steps.
ALTER TABLE conversations ADD COLUMN unindexed INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET unindexed = indexed;
CREATE INDEX conversations_unindexed ON conversations (id) WHERE unindexed > 0;
