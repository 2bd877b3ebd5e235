-- What clients remember of the log and a backup that was put in place does not have.

-- Up to which seq each conversation is still what clients saw of it, each time a backup was put in place (milliseconds
-- since the epoch). What comes behind it has seqs that were given before, to what is lost.
CREATE TABLE restored (
    time         INTEGER NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    last         INTEGER NOT NULL,
    PRIMARY KEY (time, conversation)
) WITHOUT ROWID;
