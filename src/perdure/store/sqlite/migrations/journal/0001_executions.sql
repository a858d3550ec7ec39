-- Executions and their record (docs/journal.md, section 1). `key` is the number within an
-- execution's id; times are milliseconds since 1970.

-- The head of an execution. Its rows are rewritten by every append, so they are kept small.
CREATE TABLE executions (
    key                 INTEGER PRIMARY KEY,
    workflow_id         TEXT NOT NULL,
    workflow_version    TEXT NOT NULL,
    digest              TEXT NOT NULL,
    status              TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER,
    completed_at        INTEGER,                     -- set exactly while it has ended
    tags                TEXT NOT NULL,               -- a JSON object of strings
    priority            INTEGER NOT NULL,
    timeout_ms          INTEGER,
    created_by          TEXT,
    parent_key          INTEGER,
    parent_position     TEXT,
    run                 INTEGER NOT NULL DEFAULT 1,
    epoch               INTEGER NOT NULL DEFAULT 0,
    next_seq            INTEGER NOT NULL DEFAULT 0,
    journal_start       INTEGER NOT NULL DEFAULT 0,
    journal_bytes       INTEGER NOT NULL DEFAULT 0,  -- of the current generation
    inbox_seq           INTEGER NOT NULL DEFAULT 0,  -- the last number given to a row
    inbox_read          INTEGER NOT NULL DEFAULT 0,  -- rows up to here are deleted
    control_seq         INTEGER NOT NULL DEFAULT 0,
    active              INTEGER NOT NULL DEFAULT 1,
    cancel_requested_at INTEGER,
    paused_at           INTEGER,
    error               TEXT                         -- a failure, JSON
) STRICT;

-- In the order of admission; the key, and so the age, is part of every index.
CREATE INDEX executions_pending ON executions (priority DESC) WHERE status = 'pending';

CREATE INDEX executions_active ON executions (key) WHERE status = 'running' AND active = 1;

CREATE INDEX executions_parent ON executions (parent_key, parent_position)
WHERE parent_key IS NOT NULL;

-- The inputs of the current generation.
CREATE TABLE inputs (
    key  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE batches (
    key  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;

-- Executions that have batches of earlier generations: those before `journal_start`.
CREATE TABLE outdated (
    key           INTEGER PRIMARY KEY,
    journal_start INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
    key       INTEGER NOT NULL,
    inbox_seq INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (key, inbox_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_ids (
    key      INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (key, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    key      INTEGER NOT NULL,
    position TEXT NOT NULL,
    due_ms   INTEGER NOT NULL,
    absolute INTEGER NOT NULL,
    held     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due_ms) WHERE held = 0;

-- An ended execution has no timers, nothing in its inbox, and receives no event.
CREATE TRIGGER executions_ended
AFTER UPDATE OF completed_at ON executions WHEN NEW.completed_at IS NOT NULL
BEGIN
    DELETE FROM timers WHERE key = NEW.key;
    DELETE FROM inbox WHERE key = NEW.key;
    DELETE FROM event_ids WHERE key = NEW.key;
END;
