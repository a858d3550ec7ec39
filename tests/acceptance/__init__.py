"""Real servers, over HTTP, with workflows that misbehave (promises 6, 7 and 8 of the design).

What misbehaves is in `tests/support/served/hostile_*.py`.
"""
