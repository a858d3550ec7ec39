-- name: create_execution
-- New executions; changes no row for a key that is taken. ?1 is a JSON array of arrays, which have
-- the columns in this order.
INSERT INTO executions (
    key, workflow_id, workflow_version, digest, status, created_at, started_at, tags, priority,
    timeout_ms, created_by, parent_key, parent_position, start_at, depth
)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13,
    value ->> 14
FROM jsonb_each(?1) WHERE true
ON CONFLICT (key) DO NOTHING;

-- name: put_inputs
-- The inputs of a new execution, or of its new generation.
INSERT OR REPLACE INTO inputs (key, body) VALUES (?, ?);

-- name: put_all_inputs
-- The inputs of new executions. ?1 is a JSON array of arrays: key, body.
INSERT INTO inputs (key, body) SELECT value ->> 0, CAST(value ->> 1 AS BLOB) FROM jsonb_each(?1);

-- name: put_tag
-- A tag of a new execution, as ``key:value``.
INSERT OR IGNORE INTO execution_tags (tag, key) VALUES (?, ?);
