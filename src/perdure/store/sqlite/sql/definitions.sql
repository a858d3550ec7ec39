-- name: register
-- A definition; changes no row where its workflow has the version.
INSERT INTO definitions (workflow_id, version, digest, registered_at, served, source, body)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workflow_id, version) DO NOTHING;

-- name: digest
-- That of a definition.
SELECT digest FROM definitions WHERE workflow_id = ? AND version = ?;

-- name: definitions
-- How all of them are announced, in the order of registration.
SELECT served FROM definitions ORDER BY number LIMIT -1;

-- name: body
-- What is compiled.
SELECT body FROM definitions WHERE workflow_id = ? AND version = ?;

-- name: source
-- The text as it was sent.
SELECT source FROM definitions WHERE workflow_id = ? AND version = ?;
