"""Values and rules of perdure, without I/O.

What is here knows nothing of files, clocks or sockets: the status and its one transition
table, executions, task runs, log records, failures, positions, durations, identifiers, the
encoding of values, and the exception tree. Times are whole milliseconds since 1970 in UTC.
"""
