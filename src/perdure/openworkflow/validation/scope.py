"""Where a task stands."""

from collections.abc import Sequence

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """Where a task stands: among which tasks, within which variables and which function."""

    targets: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()
    function: str | None = None

    def with_targets(self, targets: Sequence[str]) -> "Scope":
        """The same within another list of tasks."""
        return msgspec.structs.replace(self, targets=tuple(targets))

    def with_variables(self, *names: str) -> "Scope":
        """The same with more variables around it."""
        return msgspec.structs.replace(self, variables=self.variables | set(names))
