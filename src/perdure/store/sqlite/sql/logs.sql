-- name: put_lines
-- Lines of executions' logs. ?1 is a JSON array of arrays: key, seq, time, level, task, message,
-- fields, batch, kept.
INSERT INTO lines (key, seq, time, level, task, message, fields, batch, kept)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
    CAST(value ->> 6 AS BLOB), value ->> 7, value ->> 8
FROM jsonb_each(?1);

-- name: last_line
-- The number of an execution's last line, and the bytes that count towards its quota.
SELECT seq, kept FROM lines WHERE key = ? ORDER BY seq DESC LIMIT 1;

-- name: newest
-- The newest lines, the newest first.
SELECT seq, time, level, task, message, fields FROM lines WHERE key = ? ORDER BY seq DESC LIMIT ?;

-- name: page
-- Lines after a number, in order.
SELECT seq, time, level, task, message, fields FROM lines
WHERE key = ? AND seq > ? ORDER BY seq LIMIT ?;

-- name: of_batch
-- What workflow code logged in steps of a batch or later.
SELECT message FROM lines WHERE key = ?1 AND batch >= ?2 AND batch >= 0 ORDER BY seq;
