-- name: number_row
-- Give the next number to a row, unless the execution has ended, ?2 rows are unread, or its
-- generation is another than ?3.
UPDATE executions SET inbox_seq = inbox_seq + 1, active = 1
WHERE key = ?1 AND completed_at IS NULL AND inbox_seq - inbox_read < ?2
    AND journal_start = coalesce(?3, journal_start)
RETURNING inbox_seq, status;

-- name: put_row
-- A row under the number just given.
INSERT INTO inbox (key, inbox_seq, body) VALUES (?, ?, ?);

-- name: has_event_id
-- One row if an event with this id was received before.
SELECT 1 FROM event_ids WHERE key = ? AND event_id = ?;

-- name: put_event_id
-- Remember the id of an event.
INSERT INTO event_ids (key, event_id) VALUES (?, ?);

-- name: read_inbox
-- The owner has read up to ?3 under epoch ?2; ?4 is whether it has work all the same.
UPDATE executions SET
    epoch = ?2,
    inbox_read = max(inbox_read, ?3),
    active = CASE WHEN ?4 OR inbox_seq > ?3 THEN active ELSE 0 END
WHERE key = ?1 AND completed_at IS NULL AND epoch <= ?2
RETURNING status;

-- name: delete_rows
-- Rows that were read.
DELETE FROM inbox WHERE key = ? AND inbox_seq <= ?;
