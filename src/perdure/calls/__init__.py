"""The outside world: what workflows call, one file per protocol.

Invariants: a connection goes only to an address that calls may reach, judged on the address itself
at the moment of connecting (`egress`, `network`); everything that comes back has a limit, in bytes
and in time; a failure and a recorded response show no credentials; nothing of one call, a cookie
for instance, shows up in another.
"""
