"""The Open Workflow front end: documents (DSL 1.0.3) become programs for the machine.

A document is parsed and validated as a whole, decoded into types, and compiled once: what runs
are closures over compiled expressions. Nothing here has a clock, randomness or I/O.
"""
