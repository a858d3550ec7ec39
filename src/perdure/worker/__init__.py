"""The process that runs programs: hosts machines, runs tasks, captures their logs.

Invariants:
- One loop drives everything: machines are stepped on it, async tasks share it, threads and child
  processes report to it. Nothing but user code may keep it busy, and `marks` name that code.
- An effect begins only when the batch with its command is on disk (`hosted`).
- A machine is stepped with no running loop in sight, so asyncio in workflow code fails at the call.
- An attempt ends once: with what it brought about, as stopped, or as abandoned (`attempts`).
- Nothing that user code raises ends the loop; what a machine raises holds its execution.
- Without its server the process ends at once (`watchdog`); what it had in flight is begun again.
"""
