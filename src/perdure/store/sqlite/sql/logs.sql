-- name: put_lines
-- Lines of executions' logs. ?1 is a JSON array of arrays: key, seq, time, level, task, message,
-- fields, batch, kept, position.
INSERT INTO lines (key, seq, time, level, task, message, fields, batch, kept, position)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
    CAST(value ->> 6 AS BLOB), value ->> 7, value ->> 8, value ->> 9
FROM jsonb_each(?1);

-- name: last_line
-- The number of an execution's last line, and the bytes that count towards its quota.
SELECT seq, kept FROM lines WHERE key = ? ORDER BY seq DESC LIMIT 1;
