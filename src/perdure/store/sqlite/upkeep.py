"""Keeps the WAL bounded and gives deleted space back, between groups, on the writer's connection.

A passive checkpoint copies what readers do not need out of the WAL each time that it has grown by
`CHECKPOINT_PAGES`; it waits for nobody. If readers keep it from being begun anew until it has
`TRUNCATE_PAGES`, a checkpoint waits for them a moment, and cuts it. Free pages beyond
`FREE_PAGES_KEPT` are given back to the file system, some at a time. A failure here loses nothing:
it is logged, and tried again later.
"""

import logging

import apsw

from perdure.store.sqlite.connections import BUSY_MS

CHECKPOINT_PAGES = 4_000
TRUNCATE_PAGES = 32_000
TRUNCATE_WAIT_MS = 100
FREE_PAGES_KEPT = 1_000
FREE_PAGES_STEP = 500

_log = logging.getLogger("perdure.store")


class Upkeep:
    """Looks after one file."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._wal_pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES
        connection.set_wal_hook(self._committed)

    def after_group(self) -> None:
        """Do what is due."""
        try:
            if self._wal_pages >= self._checkpoint_at:
                self._checkpoint()
            free = int(self._connection.pragma("freelist_count"))
            if free >= FREE_PAGES_KEPT + FREE_PAGES_STEP:
                self._connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES_STEP})").fetchall()
        except apsw.Error as error:
            _log.warning("%s: upkeep failed: %s", self._connection.filename, error)

    def _committed(self, connection: apsw.Connection, database: str, pages: int) -> int:
        if pages < self._wal_pages:
            self._checkpoint_at = CHECKPOINT_PAGES
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        self._checkpoint_at = self._wal_pages + CHECKPOINT_PAGES
        if self._wal_pages < TRUNCATE_PAGES:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            return
        self._connection.set_busy_timeout(TRUNCATE_WAIT_MS)
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            _log.info("%s: readers keep the WAL from being cut", self._connection.filename)
        finally:
            self._connection.set_busy_timeout(BUSY_MS)
