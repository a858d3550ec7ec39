-- name: all
-- All executions. This and the next seven walk an index in the order of keys: keys between ?2 and
-- ?4, at most ?5 of them, oldest first (perdure.store.sqlite.walks turns them round), with the time
-- that they are ordered by, here none. ?6 and ?7 are what the index is searched for.
SELECT 0, key FROM executions WHERE key > ?2 AND key < ?4 ORDER BY key ASC LIMIT ?5;

-- name: tag
-- Those with the tag ?6.
SELECT 0, key FROM execution_tags WHERE tag = ?6 AND key > ?2 AND key < ?4
ORDER BY key ASC LIMIT ?5;

-- name: created_by
-- Those that ?6 created.
SELECT 0, key FROM executions INDEXED BY executions_created_by
WHERE created_by = ?6 AND key > ?2 AND key < ?4 ORDER BY key ASC LIMIT ?5;

-- name: ended
-- Those that ended as ?6.
SELECT 0, key FROM executions INDEXED BY executions_ended
WHERE completed_at IS NOT NULL AND status = ?6 AND key > ?2 AND key < ?4
ORDER BY key ASC LIMIT ?5;

-- name: ended_of_workflow
-- Those of the workflow ?7 that ended as ?6.
SELECT 0, key FROM executions INDEXED BY executions_ended_of_workflow
WHERE completed_at IS NOT NULL AND workflow_id = ?7 AND status = ?6 AND key > ?2 AND key < ?4
ORDER BY key ASC LIMIT ?5;

-- name: idle
-- Those with the status ?6 that have nothing to do for a worker.
SELECT 0, key FROM executions INDEXED BY executions_idle
WHERE (status IN ('pending', 'paused') OR (status = 'running' AND active = 0))
    AND status = ?6 AND key > ?2 AND key < ?4
ORDER BY key ASC LIMIT ?5;

-- name: idle_of_workflow
-- Those of the workflow ?7 with the status ?6 that have nothing to do for a worker.
SELECT 0, key FROM executions INDEXED BY executions_idle_of_workflow
WHERE (status IN ('pending', 'paused') OR (status = 'running' AND active = 0))
    AND workflow_id = ?7 AND status = ?6 AND key > ?2 AND key < ?4
ORDER BY key ASC LIMIT ?5;

-- name: at_work
-- Running executions with something to do for a worker.
SELECT 0, key FROM executions INDEXED BY executions_active
WHERE status = 'running' AND active = 1 AND key > ?2 AND key < ?4 ORDER BY key ASC LIMIT ?5;

-- name: with_text
-- Those with tags or an error.
SELECT 0, key FROM executions INDEXED BY executions_with_text
WHERE (error IS NOT NULL OR tags <> '{}') AND key > ?2 AND key < ?4 ORDER BY key ASC LIMIT ?5;

-- name: started
-- Those that started: by time and key between (?1, ?2) and (?3, ?4), at most ?5, oldest first.
SELECT started_at, key FROM executions INDEXED BY executions_started
WHERE started_at IS NOT NULL AND (started_at, key) > (?1, ?2) AND (started_at, key) < (?3, ?4)
ORDER BY started_at ASC, key ASC LIMIT ?5;

-- name: completed
-- Those that ended as ?6: by time and key between (?1, ?2) and (?3, ?4), at most ?5, oldest first.
SELECT completed_at, key FROM executions INDEXED BY executions_completed
WHERE completed_at IS NOT NULL AND status = ?6
    AND (completed_at, key) > (?1, ?2) AND (completed_at, key) < (?3, ?4)
ORDER BY completed_at ASC, key ASC LIMIT ?5;

-- name: fitting
-- Of the keys in ?1, in their order, those that fit the filters; null is no filter.
-- ?2 workflow ids, ?3 statuses, ?4 tags and how many they are in ?5, ?6 created by, ?7 and ?8 keys
-- between which they were created, ?9 and ?10 when they started; ?11 a text in small letters, and
-- ?12 what is found within the JSON where it is.
SELECT executions.key, workflow_id, workflow_version, status, created_at, started_at,
    completed_at, tags
FROM json_each(?1) AS wanted CROSS JOIN executions ON executions.key = wanted.value
WHERE (?2 IS NULL OR workflow_id IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR status IN (SELECT value FROM json_each(?3)))
    AND (?6 IS NULL OR created_by = ?6)
    AND executions.key > ?7 AND executions.key < ?8
    AND (?9 IS NULL OR started_at >= ?9)
    AND (?10 IS NULL OR started_at < ?10)
    AND (?4 IS NULL OR (tags <> '{}' AND ?5 = (
        SELECT count(*) FROM json_each(?4) AS asked JOIN execution_tags
        ON execution_tags.tag = asked.value AND execution_tags.key = executions.key
    )))
    AND (?11 IS NULL OR (
        instr(lower(tags), ?12) AND EXISTS (
            SELECT 1 FROM json_each(tags) AS pair
            WHERE instr(lower(pair.key || ':' || pair.value), ?11)
        )
    ) OR (
        error IS NOT NULL AND instr(lower(error), ?12) AND (
            instr(lower(error ->> '$.type'), ?11) OR instr(lower(error ->> '$.title'), ?11)
            OR instr(lower(error ->> '$.detail'), ?11)
            OR instr(lower(error ->> '$.instance'), ?11)
        )
    ));
