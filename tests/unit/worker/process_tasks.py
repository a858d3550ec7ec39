"""Tasks in processes of their own, for the tests: found by reference in another process."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from perdure.authoring.context import current_task
from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.model.exceptions import Cancelled, RaisedError

log = logging.getLogger("process_tasks")

CHATTY_LINES = 12_000


@task(process=True)
def act(how: str, place: str = "") -> str:
    """Do what `how` says."""
    return _ACTIONS[how](place)


@task(process=True, on_crash="fail")
def act_once(how: str) -> str:
    return _ACTIONS[how]("")


@task(process=True, timeout="1s")
def act_in_time(how: str, place: str = "") -> str:
    return _ACTIONS[how](place)


@workflow
async def acting(how: str, place: str = "") -> str:
    return await act(how, place)


@workflow
async def acting_once(how: str) -> str:
    return await act_once(how)


@workflow
async def acting_in_time(how: str, place: str = "") -> str:
    return await act_in_time(how, place)


def _says_who(place: str) -> str:
    log.info("in process", extra={"leader": os.getpid() == os.getpgrp()})
    return current_task().idempotency_key


def _raises(place: str) -> str:
    raise RaisedError("out of stock", retryable=False)


def _leaves(place: str) -> str:
    os._exit(7)


def _dies(place: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


def _talks(place: str) -> str:
    for number in range(CHATTY_LINES):
        log.info("line %d", number)
    return "said"


def _overflows(place: str) -> str:
    return "x" * (3 * 1024 * 1024)


def _writes_much(place: str) -> str:
    sys.stdout.write(("y" * 1023 + "\n") * 2_000)
    return "written"


def _sleeps(place: str) -> str:
    Path(place).write_text("begun")
    time.sleep(600)
    return "never"


def _cleans_up(place: str) -> str:
    try:
        _sleeps(place)
    except Cancelled:
        Path(place).write_text("cleaned")
        raise
    return "never"


def _starts_another(place: str) -> str:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # for the other one too
    with subprocess.Popen(["sleep", "600"]) as other:
        Path(place).write_text(str(other.pid))
        other.wait()
    return "never"


_ACTIONS = {
    "says who": _says_who,
    "raises": _raises,
    "leaves": _leaves,
    "dies": _dies,
    "talks": _talks,
    "overflows": _overflows,
    "writes much": _writes_much,
    "sleeps": _sleeps,
    "cleans up": _cleans_up,
    "starts another": _starts_another,
}
