"""Puts load on a server, and takes only what was answered as it should be."""

import uvloop

from benchmarks.load import Report, Target, generate_load
from benchmarks.server import ServerError


def load(target: Target, *, connections: int, requests: int) -> Report:
    """Send the requests. Raises ServerError where one was not answered with success."""
    report = uvloop.run(generate_load(target, connections=connections, requests=requests))
    if report.errors:
        raise ServerError(f"of {requests:,} requests some failed: {report.errors}")
    return report
