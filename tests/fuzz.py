"""`make fuzz`: at least so many requests, 20,000 if no number is given, each run with a new seed.

The first seed may be given as a second number. The exit status is 1 where something was found.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.support.fuzzing import MODULE, Findings, fuzz
from tests.support.servers import server

_EXAMPLES = 100


async def _fuzz(requests: int, seed: int) -> Findings:
    findings = Findings()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="perdure-fuzz-") as folder:
        async with server(Path(folder), MODULE) as its:
            while findings.requests < requests and not findings.reports:
                await fuzz(its, findings, examples=_EXAMPLES, seed=seed)
                seed += 1
                took_s = time.monotonic() - began_s
                print(f"{findings.requests:,} of {requests:,} requests in {took_s:.0f} s")
            if not findings.requests:
                findings.reports.append("no request was made")
    return findings


def main() -> None:
    """Fuzz, and tell what was found."""
    numbers = [int(text) for text in sys.argv[1:]]
    requests, seed = [*numbers, *[20_000, 1][len(numbers) :]]
    findings = asyncio.run(_fuzz(requests, seed))
    for report in findings.reports:
        print(report)
    answers = ", ".join(f"{status}: {n:,}" for status, n in sorted(findings.statuses.items()))
    found = f"{len(findings.reports)} reports, above" if findings.reports else "nothing"
    print(f"{findings.requests:,} requests; answers: {answers}; found: {found}")
    sys.exit(bool(findings.reports))


if __name__ == "__main__":
    main()
