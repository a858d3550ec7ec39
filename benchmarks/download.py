"""The log of an execution as a file: how fast, at what cost in memory, and who waits for it."""

import http.client
import multiprocessing
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.memory import MB, resident_mb
from benchmarks.report import Measured, Row, Target
from benchmarks.running import load
from benchmarks.server import Get, Server, ServerError, request_headers
from benchmarks.setting import Setting
from perdure.ports.logs import NewLogRecord
from perdure.store.sqlite import SqliteStore

SPEED_TARGET_MB_S = 50.0
GROWTH_TARGET_MB = 30.0
LATENCY_TARGET = 2.0
_PORTION = 1_000
_QUOTA_BYTES = 1 << 40
_READ_BYTES = 1 << 18
_PROBES_A_LOOK = 10
_IDLE_PROBES = 500
_START_MS = 1_771_864_200_000


@dataclass
class Probes:
    """Latencies of GETs of an execution, one after the other, and the server's memory meanwhile."""

    latencies_ms: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def median_ms(self) -> float:
        """The median of the latencies."""
        return statistics.median(self.latencies_ms)


class Fetched(NamedTuple):
    """What came of a download."""

    size_mb: float
    seconds: float


def download(setting: Setting) -> Sequence[Row]:
    """Measure downloads of one log, and GETs of another execution before and during them."""
    lines, repeats = (200_000, 2) if setting.quick else (1_000_000, 5)
    with setting.server() as server:
        server.wait_until_ready()
        load(server.start("three-tasks", wait=True), connections=1, requests=2)
        page = server.get("/api/executions?limit=2")["executions"]
        logged_id, other_id = (each["execution_id"] for each in page)
    setting.progress.say(f"writing a log of {lines:,} lines")
    _fill(server.folder, logged_id, lines)
    speeds: list[float] = []
    growths_mb: list[float] = []
    idle_ms: list[float] = []
    during_ms: list[float] = []
    path = f"/api/executions/{logged_id}/logs/download"
    with (
        Server(server.folder) as server,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as client,
    ):
        server.wait_until_ready()
        with server.connection() as get:
            _probe(get, other_id, _IDLE_PROBES)
            for repeat in range(repeats):
                setting.progress.say(f"downloads, {repeat + 1} of {repeats}")
                idle_ms.append(statistics.median(_probe(get, other_id, _IDLE_PROBES)))
                before_mb = resident_mb(server.pid)
                fetching = client.submit(_fetch, server.port, path, request_headers())
                probes = _probe_during(fetching, server, get, other_id)
                fetched = fetching.result()
                speeds.append(fetched.size_mb / fetched.seconds)
                growths_mb.append(probes.peak_mb - before_mb)
                during_ms.append(probes.median_ms)
        gzip = request_headers() | {"accept-encoding": "gzip"}
        compressed = client.submit(_fetch, server.port, path, gzip).result()
    ratios = [during / idle for during, idle in zip(during_ms, idle_ms, strict=True)]
    return [
        Row(
            what=f"download of {lines:,} log lines as text",
            unit="MB/s",
            measured=Measured.of(speeds),
            target=Target(">=", SPEED_TARGET_MB_S),
            notes=[
                f"{fetched.size_mb:.0f} MB, with GETs of another execution meanwhile",
                f"with gzip, and alone, {fetched.size_mb / compressed.seconds:.0f} MB/s of text, "
                f"of which {compressed.size_mb:.0f} MB are sent",
            ],
        ),
        Row(
            what="the server's memory grows by",
            unit="MB",
            measured=Measured.of(growths_mb),
            target=Target("<", GROWTH_TARGET_MB, "the resident memory (RSS) of the server alone"),
        ),
        Row(
            what="median GET during it, by that before it",
            unit="times",
            measured=Measured.of(ratios),
            target=Target("<", LATENCY_TARGET, "one client, the status of another execution"),
            notes=[
                f"{Measured.of(during_ms).median:.2f} ms during it, "
                f"{Measured.of(idle_ms).median:.2f} ms before it"
            ],
        ),
    ]


def _fill(folder: Path, execution_id: str, lines: int) -> None:
    """Add lines to a log, through the store and while no server has it."""
    store = SqliteStore.open(folder, lambda told: None, log_quota_bytes=_QUOTA_BYTES)
    for first in range(0, lines, _PORTION):
        store.logs.write([_line(execution_id, n) for n in range(first, first + _PORTION)])
    store.close()


def _line(execution_id: str, number: int) -> NewLogRecord:
    fields = b'{"station":%d,"wind":{"speed":%d}}' % (number, number % 90)
    return NewLogRecord(
        execution_id,
        _START_MS + 3 * number,
        "WARNING" if number % 10 == 0 else "INFO",
        "observe",
        f"observed station {number} with {number % 40}.5 degrees and wind from the north-west",
        fields if number % 10 == 0 else None,
        position=f"/observe@{number // 1000}",
    )


def _probe(get: Get, execution_id: str, count: int) -> Sequence[float]:
    latencies_ms = []
    for _ in range(count):
        started_s = time.perf_counter()
        get(f"/api/executions/{execution_id}")
        latencies_ms.append((time.perf_counter() - started_s) * 1000)
    return latencies_ms


def _probe_during(download: Future[Fetched], server: Server, get: Get, execution_id: str) -> Probes:
    probes = Probes()
    while not download.done():
        probes.latencies_ms += _probe(get, execution_id, _PROBES_A_LOOK)
        probes.peak_mb = max(probes.peak_mb, resident_mb(server.pid))
    return probes


def _fetch(port: int, path: str, headers: Mapping[str, str]) -> Fetched:
    """Download, in a process of its own: its work delays no probe."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    started_s = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    size = 0
    buffer = memoryview(bytearray(_READ_BYTES))
    while read := response.readinto(buffer):
        size += read
    seconds = time.perf_counter() - started_s
    connection.close()
    if response.status != http.client.OK:
        raise ServerError(f"the download was answered {response.status}")
    return Fetched(size / MB, seconds)
