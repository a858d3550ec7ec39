"""The embedded engine: keeps the record of executions and has workers run them.

One file per service, all on one asyncio loop, all over the same `State`:

- `ownership` answers the workers: appends, releases, outcomes; it alone gives executions away
- `families` carries out what a batch means for children and parents
- `starting` takes what callers want to have executed, under idempotency keys too; `scheduled` has
  those admitted whose moment has come; `retiring` ends the service of workflows
- `admission` decides what is loaded next: the running limit, pending ones, ready ones
- `timers` moves due timers into inboxes
- `control` carries out cancel, pause, resume and outside events
- `workers` starts, replaces and quarantines worker processes, which `liveness` watches
- `generations` knows which code serves, and what old code is kept; `trials` tries what was edited
- `recovery` finds what a start has to go on with; `retention` deletes what no replay needs
- `views` tells from the journal what an execution does, `stories` keep what was told, `task_runs`
  add the values; `catalog` knows what is served

No user code runs here and no expression is evaluated. Whatever is acknowledged, to a caller or to
a worker, is on disk. Of an execution that waits nothing is kept in memory but, within bounds, what
was told of it.
"""
