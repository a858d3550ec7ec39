-- Where in its execution the task of a line is: a name may stand at several positions. Lines from
-- before have none, and are found by the name of their task only.
ALTER TABLE lines ADD COLUMN position TEXT;
