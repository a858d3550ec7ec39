-- How executions are started (docs/journal.md, section 1).

-- The moment before which a pending execution does not start; null once it has come.
ALTER TABLE executions ADD COLUMN start_at INTEGER;

-- In the order of admission, without those whose moment has not come.
DROP INDEX executions_pending;
CREATE INDEX executions_pending ON executions (priority DESC)
WHERE status = 'pending' AND start_at IS NULL;

CREATE INDEX executions_scheduled ON executions (start_at)
WHERE status = 'pending' AND start_at IS NOT NULL;

-- Which execution a caller has started under a key.
CREATE TABLE idempotency_keys (
    caller          TEXT NOT NULL,      -- empty for one without a name
    workflow_id     TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest          BLOB NOT NULL,      -- of what was asked for
    execution_key   INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (caller, workflow_id, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- Workflows of which callers execute nothing up to a version.
CREATE TABLE retirements (
    workflow_id TEXT PRIMARY KEY,
    version     TEXT NOT NULL,          -- the highest that was served
    retired_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
