"""Exit codes, as api.md and --help have them."""

FAILED = 1
"""The execution failed."""
USAGE = 2
"""What was asked for is wrong: options, inputs, ids, the token."""
CANCELLED = 3
"""The execution was cancelled."""
NOT_REACHABLE = 4
"""The server does not answer, is too busy, or has a fault of its own."""
INTERRUPTED = 130
"""Ctrl-C, as shells have it."""
BROKEN_PIPE = 141
"""Who read the output has left (128 + SIGPIPE), as shells have it."""
