-- name: set_timer
-- A timer to keep.
INSERT OR REPLACE INTO timers (key, position, due_ms, absolute) VALUES (?, ?, ?, ?);

-- name: clear_timer
-- A timer that was withdrawn.
DELETE FROM timers WHERE key = ? AND position = ?;

-- name: clear_timers
-- All timers of an execution.
DELETE FROM timers WHERE key = ?;

-- name: take_due_timer
-- The timer at ?2, if it still stands, is due at ?3 and not held.
DELETE FROM timers WHERE key = ?1 AND position = ?2 AND due_ms <= ?3 AND held = 0;

-- name: hold_timers
-- A pause holds the timers.
UPDATE timers SET held = 1 WHERE key = ?;

-- name: release_timers
-- The end of a pause that lasted ?2 milliseconds; absolute timers keep their moment.
UPDATE timers SET held = 0, due_ms = due_ms + CASE absolute WHEN 1 THEN 0 ELSE ?2 END
WHERE key = ?1;
