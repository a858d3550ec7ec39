"""The evaluator's process: ``python -I -m perdure.worker.evaluating FD PARENT`` (see `evaluator`).

Documents are validated in such a process too (see `validator`).

It answers one request after the other, and has nothing: no environment, no time zone but UTC, and
limits on time and memory that the kernel holds, since jq keeps the interpreter's lock while it
runs. Where a limit is passed the process dies, and the worker tells what it was by how it died.
"""

import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path

import msgspec

from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.openworkflow.expressions import outside
from perdure.openworkflow.expressions.programs import ProgramError, decoded
from perdure.openworkflow.validation import validate
from perdure.worker.frames import LENGTH_BYTES, receive
from perdure.worker.watchdog import EXHAUSTED, end_with_parent

MEMORY_BYTES = 512 * 1024 * 1024
"""What its data may take, that of Python included."""
KEPT_BYTES = 192 * 1024 * 1024
"""A process that has once taken more than this is not used again."""
CPU_S = 1.0
"""What an evaluation may use of the CPU."""
OVERTIME = signal.SIGPROF
"""What ends the process when an evaluation has used that up."""


class Evaluate(msgspec.Struct, frozen=True, tag=True):
    """An expression to be evaluated."""

    expression: str
    arguments: msgspec.Raw
    cpu_s: float = CPU_S


class Validate(msgspec.Struct, frozen=True, tag=True):
    """A document to be validated; its value is what was found, or how it is announced."""

    source: bytes
    cpu_s: float


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The first message: requests are taken from now on."""


class Value(msgspec.Struct, frozen=True, tag=True):
    """What came of a request, as JSON. `last` where the process ends now."""

    output: msgspec.Raw
    last: bool


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why nothing came of a request."""

    reason: str
    last: bool


Request = Evaluate | Validate
Answer = Value | Refused

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Request).decode


def framed(message: Request | Ready | Answer) -> bytes:
    """A message as it is sent."""
    body = _encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def main() -> None:
    """Answer requests until the worker is gone, or this process has grown too large."""
    end_with_parent(int(sys.argv[2]))
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(OVERTIME, signal.SIG_DFL)
    os.environ["TZ"] = "UTC"
    time.tzset()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    connection.sendall(framed(Ready()))
    while body := receive(connection):
        try:
            answer = _answer(_decode(body))
        except MemoryError:
            os._exit(EXHAUSTED)
        connection.sendall(framed(answer))
        if answer.last:
            break
    os._exit(0)


def _answer(request: Request) -> Answer:
    signal.setitimer(signal.ITIMER_PROF, request.cpu_s)
    if isinstance(request, Validate):
        found = _encode(validate(request.source))
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        return Value(msgspec.Raw(found), _is_large())
    try:
        output = outside.evaluate(request.expression, bytes(request.arguments))
        decoded(output)
    except ProgramError as error:
        return Refused(str(error)[:VALUE_LIMIT_BYTES], _is_large())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    encoded = output.encode()
    if len(encoded) > VALUE_LIMIT_BYTES:
        reason = f"its value has {len(encoded):,} bytes, and may have {VALUE_LIMIT_BYTES:,}"
        return Refused(reason, last=True)
    return Value(msgspec.Raw(encoded), _is_large())


def _is_large() -> bool:
    return _peak_bytes() > KEPT_BYTES


def _peak_bytes() -> int:
    """The most memory that this process has had.

    Linux counts in `ru_maxrss` what the worker had that has started it.
    """
    try:
        lines = Path("/proc/self/status").read_bytes().splitlines()
        [peak_kib] = [line.split()[1] for line in lines if line.startswith(b"VmHWM:")]
        return int(peak_kib) * 1024
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
