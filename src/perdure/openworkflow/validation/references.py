"""What a document's parts use by name: references into ``use``, and circular functions."""

from collections.abc import Sequence

from perdure.openworkflow.findings import listed, meant, quoted
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector

_WHAT = {
    "authentications": "authentication",
    "catalogs": "catalog",
    "errors": "error",
    "functions": "function",
    "retries": "retry policy",
    "timeouts": "timeout",
}
PROTOCOLS = ("http", "grpc", "openapi", "asyncapi", "a2a", "mcp")
"""What is called by itself, and not as a function."""
DEFAULT_CATALOG = "default"
"""The catalog of the runtime, which no document has to declare (dsl.md, "Default Catalog")."""


class References:
    """The names in ``use``, and who calls which function."""

    def __init__(self, root: Node, found: Collector) -> None:
        self._found = found
        use = root.member("use")
        self._names = {part: _names(use, part) for part in _WHAT}
        secrets = use.member("secrets") if use is not None else None
        self.secrets = tuple(
            item.value for item in (secrets and secrets.items) or () if isinstance(item.value, str)
        )
        self._calls: dict[str, list[tuple[str, Node, tuple[str | int, ...]]]] = {}

    def find(
        self, part: str, node: Node, hint: str = "", others: Sequence[str] = ()
    ) -> Node | None:
        """What a reference stands for, in ``use``; reports one to what is not there."""
        names, name = self._names[part], node.value
        found = names.get(name)
        if found is None:
            near = meant(name, [*names, *others])
            has = f"use.{part} has {listed(names, 'and')}" if names else f"there is no use.{part}"
            self._found.report(
                node, f"there is no {_WHAT[part]} named {quoted(name)}{near}: {has}{hint}"
            )
        return found

    def check_secret(self, node: Node) -> None:
        """Report a secret that the document does not declare."""
        name = node.value
        if name not in self.secrets:
            near = meant(name, self.secrets)
            self._found.report(
                node, f"there is no secret named {quoted(name)}{near}: declare it in use.secrets"
            )

    def check_call(self, node: Node, caller: str | None) -> None:
        """Report a call of a function that there is not; `caller` is the function that calls."""
        callee: str = node.value
        name, at, catalog = callee.rpartition("@")
        if "://" in callee:
            return
        if at and ":" in name:
            names = self._names["catalogs"]
            if catalog not in names and catalog != DEFAULT_CATALOG:
                self._found.report(
                    node,
                    f"there is no catalog named {quoted(catalog)}{meant(catalog, names)}: declare "
                    "it in use.catalogs",
                )
            return
        self.find(
            "functions",
            node,
            ". Functions of catalogs are called as name:version@catalog, protocols as http, grpc, "
            "openapi, asyncapi, a2a or mcp",
            PROTOCOLS,
        )
        if caller is not None:
            path = tuple(self._found.path)
            self._calls.setdefault(caller, []).append((callee, node, path))

    def check_circles(self) -> None:
        """Report functions that call themselves, directly or through others."""
        done: set[str] = set()
        for start in self._calls:
            self._walk(start, done)

    def _walk(self, start: str, done: set[str]) -> None:
        pending: list[tuple[str, int]] = [(start, 0)]
        on_trail: dict[str, None] = {}
        while pending:
            function, index = pending.pop()
            if index == 0:
                if function in done:
                    continue
                on_trail[function] = None
            calls = self._calls.get(function, [])
            if index == len(calls):
                done.add(function)
                on_trail.pop(function, None)
                continue
            pending.append((function, index + 1))
            callee, node, path = calls[index]
            if callee in on_trail:
                names = list(on_trail)
                self._circle([*names[names.index(callee) :], callee], node, path)
            elif callee not in done:
                pending.append((callee, 0))

    def _circle(self, names: Sequence[str], node: Node, path: tuple[str | int, ...]) -> None:
        shown = " → ".join(names[:5] if len(names) <= 5 else [*names[:4], "…", names[-1]])
        with self._found.elsewhere(*path):
            self._found.report(
                node, f"functions may not be circular, and this one calls itself: {shown}"
            )


def _names(use: Node | None, part: str) -> dict[str, Node]:
    node = use.member(part) if use is not None else None
    return (node.members if node is not None else None) or {}
