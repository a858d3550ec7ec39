-- name: keyed
-- What a caller has started under a key.
SELECT execution_key, digest, expires_at FROM idempotency_keys
WHERE caller = ? AND workflow_id = ? AND idempotency_key = ?;

-- name: put_key
-- What is started under a key now; one that has expired is replaced.
INSERT OR REPLACE INTO idempotency_keys (
    caller, workflow_id, idempotency_key, digest, execution_key, expires_at
) VALUES (?, ?, ?, ?, ?, ?);

-- name: forget_keys
-- Up to ?2 keys that have expired at ?1.
DELETE FROM idempotency_keys WHERE (caller, workflow_id, idempotency_key) IN (
    SELECT caller, workflow_id, idempotency_key FROM idempotency_keys
    WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2
);

-- name: release_scheduled
-- Up to ?2 executions whose moment has come at ?1: they are pending like others now.
UPDATE executions SET start_at = NULL WHERE key IN (
    SELECT key FROM executions
    WHERE status = 'pending' AND start_at IS NOT NULL AND start_at <= ?1
    ORDER BY start_at LIMIT ?2
);

-- name: next_start
-- The earliest moment that a pending execution waits for.
SELECT start_at FROM executions
WHERE status = 'pending' AND start_at IS NOT NULL ORDER BY start_at LIMIT 1;

-- name: retire
-- A workflow is retired up to the version ?2.
INSERT OR REPLACE INTO retirements (workflow_id, version, retired_at) VALUES (?1, ?2, ?3);

-- name: retirements
-- All of them: there are no more than workflows have been served.
SELECT workflow_id, version, retired_at FROM retirements ORDER BY workflow_id LIMIT -1;
