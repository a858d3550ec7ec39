-- name: create_execution
-- A new execution; changes no row where the key is taken.
INSERT INTO executions (
    key, workflow_id, workflow_version, digest, status, created_at, started_at, tags, priority,
    timeout_ms, created_by, parent_key, parent_position, start_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING;

-- name: put_inputs
-- The inputs of a new execution, or of its new generation.
INSERT OR REPLACE INTO inputs (key, body) VALUES (?, ?);

-- name: put_tag
-- A tag of a new execution, as ``key:value``.
INSERT OR IGNORE INTO execution_tags (tag, key) VALUES (?, ?);
