"""The machine: runs a program without I/O.

`Machine.start` and `Machine.deliver` take events and return commands; the same program and the
same events give the same commands, which is all that durability rests on (docs/journal.md).
Nothing in here knows a clock, randomness, sockets or asyncio: time and a seed come with events.

`commands` and `events` are the closed vocabulary, `batch` its recorded form, `machine` steps
branches and compares replays, `program` is what front ends build programs from.
"""
