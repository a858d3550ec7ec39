"""Where a task stands."""

from collections.abc import Iterable, Mapping

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """Where a task stands: among which tasks, within which variables and which function."""

    targets: Mapping[str, None] = {}
    variables: frozenset[str] = frozenset()
    function: str | None = None

    def with_targets(self, targets: Iterable[str]) -> "Scope":
        """The same within another list of tasks."""
        return msgspec.structs.replace(self, targets=dict.fromkeys(targets))

    def with_variables(self, *names: str) -> "Scope":
        """The same with more variables around it."""
        return msgspec.structs.replace(self, variables=self.variables | set(names))
