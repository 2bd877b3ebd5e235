-- Files that one person leaves for another: sealed pieces, kept until the reader has them or their time is over.

-- The server knows how many pieces a file has, and nothing else of it: name, size and key are in a letter between the two.
-- An id is never given twice. What is `ended` is nobody's any more: its pieces are removed little by little, and then it.
CREATE TABLE files (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    sender INTEGER NOT NULL REFERENCES accounts (id),
    reader INTEGER NOT NULL REFERENCES accounts (id),
    pieces INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    ended  INTEGER NOT NULL DEFAULT 0
);

-- What somebody has lying counts against a quota; a file goes with everything that either of the two leaves behind.
CREATE INDEX files_by_sender ON files (sender);
CREATE INDEX files_by_reader ON files (reader);
CREATE INDEX files_by_time ON files (ended, time);

-- Pieces come in the order of their numbers, from 0 and without gaps.
CREATE TABLE pieces (
    file   INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (file, number)
);
