-- Finding what was said about a row: deleting a message empties its edits as well.

-- Few rows refer to another, so few pay for this index. Its first column is the conversation.
CREATE INDEX log_by_ref ON log (id >> 32, ref) WHERE ref IS NOT NULL;
