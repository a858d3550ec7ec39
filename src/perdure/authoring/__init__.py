"""The Python front end: decorators, signatures to JSON Schema, loading of modules.

`task` and `workflow` are the decorators and what they make: a `Workflow` is the program that a
machine runs, a `Task` the subject of its commands, which a worker invokes. `steps` and `gathering`
are what workflow code awaits beside them, `context` is what a task knows of itself. `signature`,
`schema` and `source` describe functions; `loading` finds them, by `modules`.

Values pass through JSON at every border. What workflow code hands to a task is checked at the
call, what a task returns before it is recorded. A recorded value that no longer decodes is a
disagreement and holds the execution: the code has changed under it.
"""
