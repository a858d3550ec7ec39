-- name: head
-- What refusals and changes of status depend on.
SELECT status, epoch, next_seq, started_at, paused_at, cancel_requested_at, journal_start
FROM executions WHERE key = ?;

-- name: admit
-- Into the status ?3 from ?2; ?4 is when, for the first time, though not before its creation.
UPDATE executions SET status = ?3, started_at = coalesce(started_at, max(?4, created_at))
WHERE key = ?1 AND status = ?2;

-- name: pause
-- Into the status ?3 from ?2, at ?4; ?5 is why, where it is held.
UPDATE executions SET status = ?3, paused_at = ?4, error = ?5 WHERE key = ?1 AND status = ?2;

-- name: resume
-- Into the status ?3 from ?2.
UPDATE executions SET status = ?3, paused_at = NULL, error = NULL WHERE key = ?1 AND status = ?2;

-- name: end
-- Into the status ?3 from ?2, at ?4, with the error ?5; a trigger clears timers and inbox.
UPDATE executions SET
    status = ?3,
    completed_at = ?4,
    error = ?5,
    paused_at = NULL,
    active = 0,
    inbox_read = inbox_seq
WHERE key = ?1 AND status = ?2;

-- name: request_cancel
-- A cancel was asked for at ?2; the first request counts.
UPDATE executions SET cancel_requested_at = coalesce(cancel_requested_at, ?2) WHERE key = ?1;

-- name: note_control
-- The row just put into the inbox is one that appends must have read.
UPDATE executions SET control_seq = inbox_seq WHERE key = ?;
