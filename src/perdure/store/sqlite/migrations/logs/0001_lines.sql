-- The log (docs/journal.md, section 11). `key` is the number within an execution's id.

CREATE TABLE lines (
    key     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    time    INTEGER NOT NULL,            -- milliseconds since 1970
    level   TEXT NOT NULL,
    task    TEXT,
    message TEXT NOT NULL,
    fields  BLOB,                        -- a JSON object
    batch   INTEGER NOT NULL,            -- as in perdure.ports.logs.NewLogRecord
    kept    INTEGER NOT NULL,            -- bytes that count towards the quota, up to this line
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;

-- Finds what workflow code logged in a step whose batch was lost.
CREATE INDEX lines_of_batch ON lines (key, batch) WHERE batch >= 0;
