"""Collects findings while a document is walked, up to a limit."""

from collections.abc import Iterator
from contextlib import contextmanager

from perdure.openworkflow.findings import Finding, pointer
from perdure.openworkflow.reading import Node

LIMIT_FINDINGS = 100
"""How many findings a report has; a last one says that there are more."""
_LIMIT_CHARACTERS = 200_000


class EnoughError(Exception):
    """As many findings as a report may have."""


class Collector:
    """What has been found, each problem once, and the path at which the walk is."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.path: list[str | int] = []
        self._known: set[Finding] = set()
        self._characters = 0

    @contextmanager
    def at(self, *steps: str | int) -> Iterator[None]:
        """Walk below the path for a while."""
        self.path.extend(steps)
        yield
        del self.path[len(self.path) - len(steps) :]

    @contextmanager
    def elsewhere(self, *path: str | int) -> Iterator[None]:
        """Walk at another path for a while."""
        outer, self.path = self.path, list(path)
        yield
        self.path = outer

    def report(self, node: Node, message: str) -> None:
        """A problem of the value at the path. Raises EnoughError once there are too many."""
        self._add(Finding(pointer(self.path), node.line, node.column, message))

    def report_key(self, owner: Node, key: str, message: str) -> None:
        """A problem of a key of the object at the path."""
        line, column = (owner.keys or {}).get(key, (owner.line, owner.column))
        self._add(Finding(pointer([*self.path, key]), line, column, message))

    def _add(self, finding: Finding) -> None:
        if finding in self._known:
            return
        self._known.add(finding)
        self.findings.append(finding)
        self._characters += len(finding.location) + len(finding.message)
        if len(self.findings) > LIMIT_FINDINGS or self._characters > _LIMIT_CHARACTERS:
            raise EnoughError
