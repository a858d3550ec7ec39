"""What the core needs of the outside, as small protocols named by intention.

`journal`, `executions` (their lists) and `logs` are kept by a store, `runtime` is what the API
drives, `clock` is time.
"""
