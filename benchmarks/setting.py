"""What every benchmark is given."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.progress import Progress
from benchmarks.server import Server


@dataclass(frozen=True)
class Setting:
    """Where and how thoroughly is measured."""

    folder: Path
    """For data, on the disk that is measured; its contents are deleted at the end."""
    quick: bool
    progress: Progress
    ten_million: bool = False
    """Whether what shows that time does not grow with the store is measured at ten million."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_folder(self) -> Path:
        """A folder for a server that has none yet."""
        return self.folder / f"data-{next(self._numbers)}"

    def server(self, *served: Path) -> Server:
        """A new server in an empty folder, not yet ready; it serves these paths too."""
        return Server(self.new_folder(), *served)
