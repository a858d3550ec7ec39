"""Recovery: whatever dies, nothing acknowledged is lost and nothing recorded is repeated.

`simulation` runs the real engine, store and worker in virtual time and ends them after any commit;
the other tests kill real processes.
"""
