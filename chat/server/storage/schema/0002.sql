-- Full-text search over what was said in the clear.

-- The words of bodies, by the id of their row; the texts themselves stay in the log (external content). Rows are not
-- indexed as they are stored, which would cost every message, but a little later, conversation by conversation;
-- `indexed` says up to which seq that was done. Emptying a body that is indexed takes its words out as well.
CREATE VIRTUAL TABLE words USING fts5 (
    body,
    content = 'log',
    content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);

ALTER TABLE conversations ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
