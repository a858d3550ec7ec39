-- name: last
-- The number of an execution's last line.
SELECT seq FROM lines WHERE key = ? ORDER BY seq DESC LIMIT 1;

-- name: kept
-- The bytes that count towards an execution's quota, up to a line.
SELECT kept FROM lines WHERE key = ? AND seq = ?;

-- name: newest
-- The newest lines, the newest first.
SELECT seq, time, level, task, message, fields FROM lines WHERE key = ? ORDER BY seq DESC LIMIT ?;

-- name: of_batch
-- What workflow code logged in steps of a batch or later.
SELECT message FROM lines WHERE key = ?1 AND batch >= ?2 AND batch >= 0 ORDER BY seq;

-- name: page
-- The first lines that are wanted of those between two numbers.
SELECT seq, time, level, task, message, fields FROM lines
WHERE {wanted} ORDER BY seq LIMIT :limit;

-- name: page_descending
-- The same, the last first.
SELECT seq, time, level, task, message, fields FROM lines
WHERE {wanted} ORDER BY seq DESC LIMIT :limit;

-- name: text
-- The wanted lines between two numbers as one text; NULL where there is none. SQLite keeps the
-- order of a subquery for string_agg.
SELECT CAST(string_agg(line, :separator) AS BLOB)
FROM (SELECT {text_line} AS line FROM lines WHERE {wanted} ORDER BY seq);

-- name: text_descending
-- The same, the last first.
SELECT CAST(string_agg(line, :separator) AS BLOB)
FROM (SELECT {text_line} AS line FROM lines WHERE {wanted} ORDER BY seq DESC);

-- name: json
-- As `text`, each line a JSON object.
SELECT CAST(string_agg(line, :separator) AS BLOB)
FROM (SELECT {json_line} AS line FROM lines WHERE {wanted} ORDER BY seq);

-- name: json_descending
-- The same, the last first.
SELECT CAST(string_agg(line, :separator) AS BLOB)
FROM (SELECT {json_line} AS line FROM lines WHERE {wanted} ORDER BY seq DESC);

-- fragment: wanted
-- Whether a line is between two numbers and passes a filter. `:text` is in lower case.
key = :key AND seq BETWEEN :lowest AND :highest
AND (:levels IS NULL OR instr(:levels, level) > 0)
AND (:task IS NULL OR task = :task)
AND (:position IS NULL OR position = :position)
AND (:since IS NULL OR time >= :since)
AND (:until IS NULL OR time < :until)
AND (:text IS NULL OR instr(lower(message), :text) > 0)
AND (:folded IS NULL OR has_folded(message, :folded))

-- fragment: text_line
-- A line for people, in which newlines are not yet indented. A text in the fields `traceback` and
-- `stack` follows on lines of its own; what else is in fields, as JSON.
{moment} || ' ' || level
|| CASE WHEN task IS NULL THEN ' ' ELSE ' [' || task || '] ' END
|| message
|| CASE
    WHEN fields IS NULL THEN ''
    WHEN NOT json_valid(CAST(fields AS TEXT)) THEN ' ' || CAST(fields AS TEXT)
    ELSE ifnull(' ' || nullif(json_remove(
            CAST(fields AS TEXT),
            CASE json_type(CAST(fields AS TEXT), '$.traceback')
                WHEN 'text' THEN '$.traceback' ELSE '$[0]' END,
            CASE json_type(CAST(fields AS TEXT), '$.stack')
                WHEN 'text' THEN '$.stack' ELSE '$[0]' END
        ), '{}'), '')
        || CASE json_type(CAST(fields AS TEXT), '$.traceback')
            WHEN 'text' THEN char(10)
                || rtrim(CAST(fields AS TEXT) ->> '$.traceback', char(10)) ELSE '' END
        || CASE json_type(CAST(fields AS TEXT), '$.stack')
            WHEN 'text' THEN char(10)
                || rtrim(CAST(fields AS TEXT) ->> '$.stack', char(10)) ELSE '' END
END

-- fragment: json_line
-- A line as the API's JSON has it.
'{"seq":' || seq
|| ',"timestamp":"' || {moment}
|| '","level":"' || level
|| '","task":' || json_quote(task)
|| ',"message":' || json_quote(message)
|| ',"fields":' || ifnull(CAST(fields AS TEXT), 'null') || '}'

-- fragment: moment
-- The time of a line; these two functions take a fifth of the time that strftime does.
date(time / 1000, 'unixepoch') || 'T' || time(time / 1000.0, 'unixepoch', 'subsec') || 'Z'
