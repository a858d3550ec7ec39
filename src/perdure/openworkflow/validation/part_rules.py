"""The rules of the parts that tasks share which their schema cannot state."""

from collections.abc import Callable, Set

from perdure.openworkflow.expressions import sites
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.expressions import Expressions
from perdure.openworkflow.validation.parts import SCHEMES
from perdure.openworkflow.validation.references import References
from perdure.openworkflow.validation.scope import Scope
from perdure.openworkflow.validation.values import (
    check_count,
    check_duration,
    check_schema,
    check_status,
    check_template,
)

_RETRY_DURATIONS = (
    ("delay",),
    ("limit", "attempt", "duration"),
    ("limit", "duration"),
    ("jitter", "from"),
    ("jitter", "to"),
)


class PartRules:
    """Reports what cannot work in a part, which is at the collector's path.

    What is used by name is checked where it stands, with what there is where it is used.
    """

    def __init__(self, found: Collector, references: References, expressions: Expressions) -> None:
        self._found = found
        self._references = references
        self._expressions = expressions
        self._checked: set[tuple[str, str, frozenset[str]]] = set()
        self._used: set[tuple[str, str]] = set()

    def unused(self, part: str, name: str) -> bool:
        """Whether nothing has used what ``use`` has under this name."""
        return (part, name) not in self._used

    def _by_name(
        self, part: str, node: Node, scope: Scope, check: Callable[[Node], None], hint: str = ""
    ) -> None:
        """Check what is used by name."""
        definition = self._references.find(part, node, hint)
        key = (part, node.value, scope.variables)
        if definition is None or key in self._checked:
            return
        self._checked.add(key)
        self._used.add(key[:2])
        with self._found.elsewhere("use", part, node.value):
            check(definition)

    def data(self, node: Node | None, expression: str, available: Set[str]) -> None:
        """``input``, ``output`` or ``export``."""
        if node is None:
            return
        schema = node.member("schema")
        if schema is not None:
            with self._found.at("schema"):
                check_schema(schema, self._found)
        with self._found.at(expression):
            self._expressions.expression_or_values(node.member(expression), available)

    def timeout(self, node: Node | None, available: Set[str]) -> None:
        """A timeout, or the name of one."""
        if node is None:
            return
        if isinstance(node.value, str):
            self._by_name(
                "timeouts",
                node,
                Scope(variables=frozenset(available)),
                lambda timeout: self.timeout(timeout, available),
                ". A timeout itself is written as {after: PT1M}",
            )
            return
        with self._found.at("after"):
            self.duration(node.member("after"), available)

    def duration(self, node: Node | None, available: Set[str]) -> None:
        """A duration."""
        if node is not None:
            check_duration(node, self._found)
            if isinstance(node.value, str):
                self._expressions.values(node, available)

    def error(self, node: Node | None, scope: Scope) -> None:
        """An error, or the name of one."""
        if node is None:
            return
        if isinstance(node.value, str):
            self._by_name("errors", node, scope, lambda error: self.error(error, scope))
            return
        self._expressions.values(node, sites.TASK_DEFINITION | scope.variables)
        with self._found.at("type"):
            check_template(node.member("type"), self._found)
        with self._found.at("status"):
            check_status(node.member("status"), self._found)

    def retry(self, node: Node | None, scope: Scope) -> None:
        """A retry policy, or the name of one."""
        if node is None:
            return
        if isinstance(node.value, str):
            self._by_name("retries", node, scope, lambda policy: self.retry(policy, scope))
            return
        found, available = self._found, sites.TASK_DEFINITION | scope.variables
        for name in ("when", "exceptWhen"):
            with found.at(name):
                self._expressions.expression(node.member(name), available)
        for path in _RETRY_DURATIONS:
            with found.at(*path):
                self.duration(_part(node, *path), available)
        count = ("limit", "attempt", "count")
        with found.at(*count):
            check_count(_part(node, *count), found)

    def endpoint(self, node: Node | None, scope: Scope, *, called: bool = False) -> None:
        """An endpoint; that of an HTTP call is `called`, and its templates are simple ones."""
        if node is None:
            return
        if node.members is None:
            self._uri(node, scope, called=called)
            return
        with self._found.at("uri"):
            self._uri(node.member("uri"), scope, called=called)
        with self._found.at("authentication"):
            self.authentication(node.member("authentication"), scope)

    def _uri(self, node: Node | None, scope: Scope, *, called: bool) -> None:
        available = sites.TASK_SENT if called else sites.TASK_DEFINITION
        self._expressions.values(node, available | scope.variables)
        if called:
            check_template(node, self._found)

    def authentication(self, node: Node | None, scope: Scope) -> None:
        """An authentication policy, or the name of one."""
        if node is None:
            return
        use = node.member("use")
        if use is not None and isinstance(use.value, str):
            with self._found.at("use"):
                self._by_name(
                    "authentications", use, scope, lambda policy: self._policy(policy, scope)
                )
        self._policy(node, scope)

    def _policy(self, node: Node, scope: Scope) -> None:
        available = (sites.TASK_SENT - {"authorization"}) | scope.variables
        for scheme in SCHEMES:
            policy = node.member(scheme)
            secret = policy.member("use") if policy is not None else None
            if secret is not None and isinstance(secret.value, str):
                with self._found.at(scheme, "use"):
                    self._references.check_secret(secret)
            elif policy is not None:
                with self._found.at(scheme):
                    self._expressions.values(policy, available)

    def events(self, node: Node | None, scope: Scope) -> None:
        """Which events are consumed,."""
        if node is None:
            return
        found, available = self._found, sites.TASK_DEFINITION | scope.variables
        for name in ("all", "any"):
            strategy = node.member(name)
            for index, item in enumerate((strategy and strategy.items) or ()):
                with found.at(name, index):
                    self._event_filter(item, scope)
        one, until = node.member("one"), node.member("until")
        if one is not None:
            with found.at("one"):
                self._event_filter(one, scope)
        if until is not None:
            with found.at("until"):
                if isinstance(until.value, str):
                    self._expressions.expression(until, available)
                else:
                    self.events(until, scope)

    def _event_filter(self, node: Node, scope: Scope) -> None:
        found, available = self._found, sites.TASK_DEFINITION | scope.variables
        with found.at("with"):
            self._expressions.values(node.member("with"), available)
        correlate = node.member("correlate")
        for name, part in ((correlate.members if correlate is not None else None) or {}).items():
            with found.at("correlate", name, "from"):
                self._expressions.expression(part.member("from"), available)
            with found.at("correlate", name, "expect"):
                self._expressions.values(part.member("expect"), available)


def _part(node: Node, *path: str) -> Node | None:
    part: Node | None = node
    for step in path:
        part = part.member(step) if part is not None else None
    return part
