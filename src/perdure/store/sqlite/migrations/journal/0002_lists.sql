-- What lists of executions are read from. An execution that has ended does not change, so it goes
-- into its indexes once, at its end. One that is not at work for a worker (it waits, is paused or
-- pending) is found through the idle ones, and the few at work through `executions_active`: a
-- short execution never touches the idle ones. The key, and so the age, is part of every index.

-- Lists take the moment of creation from the key, and nothing starts before it was created.
UPDATE executions SET created_at = key >> 21 WHERE created_at <> key >> 21;
UPDATE executions SET started_at = created_at WHERE started_at < created_at;

-- These four have all that their conditions mention, so that rows need not be read to count them.
CREATE INDEX executions_ended ON executions (status, key, completed_at)
WHERE completed_at IS NOT NULL;

CREATE INDEX executions_ended_of_workflow ON executions (workflow_id, status, key, completed_at)
WHERE completed_at IS NOT NULL;

CREATE INDEX executions_idle ON executions (status, key, active)
WHERE status IN ('pending', 'paused') OR (status = 'running' AND active = 0);

CREATE INDEX executions_idle_of_workflow ON executions (workflow_id, status, key, active)
WHERE status IN ('pending', 'paused') OR (status = 'running' AND active = 0);

CREATE INDEX executions_created_by ON executions (created_by) WHERE created_by IS NOT NULL;

CREATE INDEX executions_started ON executions (started_at) WHERE started_at IS NOT NULL;

CREATE INDEX executions_completed ON executions (status, completed_at)
WHERE completed_at IS NOT NULL;

-- Those in which a text can be found.
CREATE INDEX executions_with_text ON executions (key) WHERE error IS NOT NULL OR tags <> '{}';

-- `tag` is ``key:value``.
CREATE TABLE execution_tags (
    tag TEXT NOT NULL,
    key INTEGER NOT NULL,
    PRIMARY KEY (tag, key)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO execution_tags (tag, key)
SELECT tags.key || ':' || tags.value, executions.key
FROM executions, json_each(executions.tags) AS tags
WHERE executions.tags <> '{}';
