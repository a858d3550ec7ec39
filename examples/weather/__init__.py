"""The workflow `weather`: what the weather was in Seattle, answered from real observations.

`queries` understands what is asked, `record` holds what was observed, `summary` does the
arithmetic and `answers` the wording: plain functions, which know nothing of perdure. `workflow`
makes durable tasks of them; `demo` shows that they survive the death of the server.
"""
