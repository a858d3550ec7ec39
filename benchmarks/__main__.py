"""Measures perdure and says how near it comes to what is possible.

`python -m benchmarks` takes a few minutes; names of benchmarks restrict it to these.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.documents import documents
from benchmarks.download import download
from benchmarks.idle import idle
from benchmarks.indexes import indexes
from benchmarks.lists import lists
from benchmarks.machine import this_machine
from benchmarks.one_client import one_client
from benchmarks.progress import Progress
from benchmarks.report import NOISE, Report, Row, row_text
from benchmarks.sequence import sequence
from benchmarks.setting import Setting
from benchmarks.sleepers import sleepers
from benchmarks.start import start
from benchmarks.throughput import throughput

BENCHMARKS: Mapping[str, Callable[[Setting], Sequence[Row]]] = {
    "throughput": throughput,
    "one-client": one_client,
    "sequence": sequence,
    "documents": documents,
    "idle": idle,
    "start": start,
    "sleepers": sleepers,
    "download": download,
    "lists": lists,
    "indexes": indexes,
}


def main() -> None:
    """Run from the command line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    progress = Progress()
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="perdure-benchmarks-", dir=options.folder) as made:
            setting = Setting(Path(made), options.quick, progress, options.ten_million)
            machine = this_machine(setting.folder)
            print("\n".join(machine.lines()), end="\n\n", flush=True)
            for name in options.names or BENCHMARKS:
                for row in BENCHMARKS[name](setting):
                    progress.clear()
                    print(row_text(row), end="\n\n", flush=True)
                    rows.append(row)
    except KeyboardInterrupt:
        progress.clear()
        sys.exit("stopped; nothing is left behind")
    print(NOISE)
    if options.json is not None:
        report = msgspec.json.encode(Report(machine, rows))
        options.json.write_bytes(msgspec.json.format(report, indent=2) + b"\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure perdure.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    parser.add_argument(
        "--ten-million", action="store_true", help="lists over as many executions: 10 GB of disk"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path.cwd(),
        help="where data is kept meanwhile, so the disk that is measured (default: this one)",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return options


if __name__ == "__main__":
    main()
