"""A worker process: ``python -m perdure.bootstrap.worker`` with the flags of `worker_command`.

It loads what it serves before it reads its first message; what cannot be loaded is told, and is
not fatal. Ctrl-C and SIGTERM are the server's to handle: the worker stops when it says so, and
ends when it does.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop

from perdure.bootstrap.calling import calling
from perdure.bootstrap.clock import SystemClock
from perdure.bootstrap.loading import load
from perdure.bootstrap.randomness import RandomBits
from perdure.link.socket import worker_end
from perdure.openworkflow.program import compile
from perdure.worker import watchdog
from perdure.worker.assembly import Assembly
from perdure.worker.evaluator import ProcessEvaluator
from perdure.worker.marks import Marks
from perdure.worker.validator import ProcessValidator, validation

log = logging.getLogger("perdure.worker")

_LAST_WORDS_S = 5.0


def main() -> None:
    """Run a worker until the server stops it or ends. Does not return."""
    flags = _flags()
    inherited = (flags.link_fd, flags.marks_fd, flags.life_fd)
    for descriptor in inherited:
        os.set_inheritable(descriptor, False)
    watchdog.end_with_parent(flags.parent)
    watchdog.end_with(flags.life_fd)
    lock = watchdog.hold_lock(flags.lock)
    os.register_at_fork(after_in_child=lambda: _let_go((*inherited, lock)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave_to_server)
    outside = calling(flags.egress_allow, os.environ)
    compile_document = partial(compile, calls=outside.calls, secrets=outside.secrets)
    loaded = load(flags.paths, validation, compile_document)
    gc.collect()
    gc.freeze()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(None)
    marks = Marks.attach(flags.marks_fd)
    worker = Assembly(
        loop,
        loaded,
        SystemClock(),
        partial(RandomBits(), 63),
        marks,
        evaluator=ProcessEvaluator(loop, inherited=(lock,)),
        compile_document=compile_document,
        validator=ProcessValidator(loop, inherited=(lock,)),
        inherited=(lock,),
    )
    _serve(loop, worker, socket.socket(fileno=flags.link_fd))


def _serve(loop: asyncio.AbstractEventLoop, worker: Assembly, connection: socket.socket) -> None:
    host = worker.host
    stopped = False

    def on_stopped() -> None:
        nonlocal stopped
        stopped = True
        loop.call_later(_LAST_WORDS_S, leave, "")

    def leave(reason: str) -> None:
        worker.close()
        if not stopped:
            watchdog.end_at_once()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def exhausted() -> None:
        """Whose code has taken the memory is marked; who only suffered goes on elsewhere."""
        log.critical("out of memory: the worker ends")
        watchdog.end_at_once(watchdog.EXHAUSTED)

    async def begin() -> None:
        channel = await worker_end(connection, host)
        worker.connect(channel, lambda: channel.unsent_bytes)

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), MemoryError) and "future" not in context:
            exhausted()
        loop.default_exception_handler(context)

    host.on_stopped = on_stopped
    host.on_closed = leave
    host.on_exhausted = exhausted
    loop.set_exception_handler(failed)
    beginning = loop.create_task(begin())
    beginning.add_done_callback(lambda task: task.result())
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):  # of an asyncio task that user code has made
            log.exception("something in a task tried to end the worker")


def _leave_to_server(number: int, frame: FrameType | None) -> None:
    """A handler, since ignored signals would stay ignored in what user code starts."""


def _let_go(descriptors: Sequence[int]) -> None:
    """A fork that user code makes must not keep the server from seeing this worker's end."""
    for descriptor in descriptors:
        os.close(descriptor)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="perdure.bootstrap.worker")
    for name in ("--link-fd", "--marks-fd", "--life-fd", "--parent"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--egress-allow", action="append", default=[])
    parser.add_argument("paths", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
