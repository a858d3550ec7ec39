"""Where expressions stand, and which arguments they have there (dsl.md, Runtime expression
arguments: the table of availability).

`$secrets` and `$authorization` are in the table everywhere, and in the prose at one site only.
Here they are had by what a call sends, and nowhere else: elsewhere their values would be recorded
(docs/documents.md, Expressions).
"""

SECRET = frozenset({"secrets", "authorization"})
"""Arguments whose values are recorded nowhere."""

WORKFLOW_INPUT_FROM = frozenset({"workflow", "runtime"})
TASK_IF = frozenset({"context", "task", "workflow", "runtime"})
TASK_INPUT_FROM = TASK_IF
TASK_DEFINITION = frozenset({"context", "input", "task", "workflow", "runtime"})
TASK_SENT = TASK_DEFINITION | SECRET
"""What a call sends: its `with`, and what it authenticates with."""
TASK_OUTPUT_AS = TASK_DEFINITION
TASK_EXPORT_AS = TASK_DEFINITION | {"output"}
WORKFLOW_OUTPUT_AS = frozenset({"context", "workflow", "runtime"})

ARGUMENTS = TASK_EXPORT_AS | SECRET
"""All arguments that the specification has."""
