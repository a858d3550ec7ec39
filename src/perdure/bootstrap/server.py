"""The server process: the one place where its concrete parts are put together."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from perdure.api.app import create_app
from perdure.bootstrap.admin_key import admin_key
from perdure.bootstrap.announcement import announcement
from perdure.bootstrap.clock import SystemClock
from perdure.bootstrap.edits import edits
from perdure.bootstrap.folder import DataFolder
from perdure.bootstrap.http_server import connections_that_fit, embedded_server
from perdure.bootstrap.randomness import RandomBits
from perdure.bootstrap.reader import PART_THREADS, READ_THREADS, ThreadReader
from perdure.bootstrap.reloading import Reloading
from perdure.bootstrap.settings import Settings
from perdure.bootstrap.spawner import ProcessSpawner
from perdure.engine.engine import Engine
from perdure.engine.state import Limits
from perdure.store.sqlite.store import SqliteStore

log = logging.getLogger(__name__)

_HTTP_GRACE_S = 5
_GC_THRESHOLDS = (20_000, 20, 50)
"""What a request makes lives short and has few cycles: collect seldom."""


@contextlib.asynccontextmanager
async def running_engine(
    folder: DataFolder,
    paths: tuple[Path, ...],
    limits: Limits,
    log_quota_bytes: int,
    *,
    edited: bool = False,
    egress_allow: tuple[str, ...] = (),
) -> AsyncIterator[Engine]:
    """An engine over a locked data folder, with its workers; stopped in order at the end.

    `edited` says whether the code at the paths changes meanwhile; `egress_allow` is the setting.
    """
    loop = asyncio.get_running_loop()
    store = SqliteStore.open(
        folder.path, loop.call_soon_threadsafe, log_quota_bytes=log_quota_bytes
    )
    reader = ThreadReader("read", READ_THREADS)
    part_reader = ThreadReader("parts", PART_THREADS)
    try:
        engine = Engine(
            store.journal,
            store.logs,
            SystemClock(),
            reader,
            ProcessSpawner(paths, folder.workers_lock, edited=edited, egress_allow=egress_allow),
            limits,
            RandomBits(),
            part_reader,
        )
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()
    finally:
        reader.close()
        part_reader.close()
        store.close()


def serve(settings: Settings, announce: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; the exit status.

    Raises FolderError, StorageError or OSError, with a text for people, where it cannot start.
    """
    with DataFolder(settings.data) as folder:
        folder.wait_for_workers(log.warning)
        return uvloop.run(_serve(settings, folder, announce))


async def _serve(settings: Settings, folder: DataFolder, announce: Callable[[str], None]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    key, made = admin_key(folder.path, settings.admin_key)
    new_key = key if made else None
    with listener(settings.host, settings.port) as listening:
        async with running_engine(
            folder,
            settings.paths,
            limits_of(settings),
            settings.log_quota_bytes,
            edited=settings.reload,
            egress_allow=settings.egress_allow,
        ) as engine:
            required = None if settings.no_auth else key
            app = create_app(engine, admin_key=required, clock=SystemClock())
            http = embedded_server(
                app, grace_s=_HTTP_GRACE_S, most_connections=connections_that_fit()
            )
            serving = asyncio.create_task(http.serve(sockets=[listening]))
            reloading = _reloading(settings, engine, announce)
            await _first(stop.wait(), engine.first_served())
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_GC_THRESHOLDS)
            if not stop.is_set():
                announce(
                    announcement(
                        settings, engine.workflows(), engine.import_problems(), new_key=new_key
                    )
                )
            await stop.wait()
            if reloading is not None:
                reloading.cancel()
            log.info("stopping: attempts that run get %d s", settings.shutdown_grace_ms // 1000)
            await engine.stop()
            http.stop()
            await serving
    return 0


def _reloading(
    settings: Settings, engine: Engine, announce: Callable[[str], None]
) -> asyncio.Task[None] | None:
    """Where edits are to take effect, the task that sees to it until it is cancelled."""
    if not settings.reload:
        return None
    return asyncio.create_task(Reloading(edits(settings.paths), engine.reload, announce).run())


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def limits_of(settings: Settings) -> Limits:
    """The engine's bounds, as they are set."""
    return Limits(
        max_running=settings.max_running,
        max_pending=settings.max_pending,
        workers=settings.workers,
        cancel_grace_ms=settings.cancel_grace_ms,
        cleanup_ms=settings.cleanup_timeout_ms,
        shutdown_grace_ms=settings.shutdown_grace_ms,
        idempotency_ttl_ms=settings.idempotency_ttl_ms,
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises FolderError's kin, OSError, with a text for people."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}:{port}: {error.strerror}; name another port with --port"
        ) from None
