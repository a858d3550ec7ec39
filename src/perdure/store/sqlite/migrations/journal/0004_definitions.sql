-- Registered definitions, and how deep children are nested (docs/journal.md, section 1).

-- They are never changed or deleted. Announcements come before the long columns: reading all of
-- them at a start passes those over.
CREATE TABLE definitions (
    number        INTEGER PRIMARY KEY,
    workflow_id   TEXT NOT NULL,
    version       TEXT NOT NULL,
    digest        TEXT NOT NULL,    -- of the body
    registered_at INTEGER NOT NULL,
    served        TEXT NOT NULL,    -- the announcement, JSON
    source        TEXT NOT NULL,    -- as it was sent
    body          BLOB NOT NULL,    -- what is compiled
    UNIQUE (workflow_id, version)
) STRICT;

-- How many executions stand above one that another execution has started.
ALTER TABLE executions ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
