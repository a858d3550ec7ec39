"""The tasks of generated documents that have no others in them, and calls among them."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

FAKE = "http://fake"
"""Where calls go to."""
_ANSWER = "[.path, .told == $input.told]"
"""An expression: what answered a call, and whether what was told is what it is still."""

Task = dict[str, Any]
Item = dict[str, Task]
"""A task by its name, as lists of tasks have them."""


@dataclass(frozen=True)
class Place:
    """Where a task stands."""

    depth: int
    may_fail: bool
    """Whether an error may leave it."""
    may_end: bool
    """Whether it may end the workflow."""
    alone: bool = True
    """Whether nothing runs at the same time."""
    variables: tuple[str, ...] = ()
    """Of the loops around it."""

    def below(self, **changes: Any) -> "Place":
        """A place within a task here."""
        return replace(self, depth=self.depth - 1, **changes)


def log_with(word: str, *, to: str = "$input") -> str:
    """An expression: the data with one more word, itself an expression, in its log."""
    log = f"{to.rstrip('.')}.log"
    return f"{to} + {{log: ({log} + [{word}])}}"


def post(name: str, query: dict[str, str]) -> Task:
    return {
        "call": "http",
        "with": {
            "method": "post",
            "endpoint": f"{FAKE}/{name}",
            "query": query,
            "body": {"told": "${ .told }"},
        },
        "output": {"as": log_with(_ANSWER)},
    }


@dataclass
class LeafWriter:
    """Writes tasks of one document. Names are used once."""

    draw: st.DrawFn
    leaves: int
    """How many more there may be, about."""
    longest_ms: int
    number: int = 0

    def _named(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def _length_ms(self) -> int:
        return self.draw(st.integers(0, self.longest_ms))

    def _set(self, place: Place) -> Item:
        self.leaves -= 1
        name = self._named("set")
        word = f'"{name}' + "".join(f" \\(${variable})" for variable in place.variables) + '"'
        return {name: {"set": f"${{ {log_with(word, to='.')} }}"}}

    def _counted(self, place: Place) -> Item:
        """How long the log is, by a recursion that nobody knows to end: it is evaluated outside."""
        self.leaves -= 1
        name = self._named("counted")
        count = "def count: if . == [] then 0 else 1 + (.[1:] | count) end; .log | count"
        word = f'"{name} \\({count})"'
        return {name: {"set": f"${{ {log_with(word, to='.')} }}"}}

    def _wait(self, place: Place) -> Item:
        self.leaves -= 1
        length_ms = self._length_ms()
        lengths = [{"milliseconds": length_ms}, f"PT{length_ms / 1000:.3f}S"]
        return {self._named("wait"): {"wait": self.draw(st.sampled_from(lengths))}}

    def _call(self, place: Place, *, fail: int = 0, delay_ms: int | None = None) -> Item:
        self.leaves -= 1
        name = self._named("call")
        query = {"delay_ms": str(self._length_ms() if delay_ms is None else delay_ms)}
        if fail:
            query["fail"] = str(fail)
        return {name: post(name, query)}

    def _failing(self, place: Place) -> Item:
        return self._call(place, fail=self.draw(st.integers(1, 4)))

    def _emit(self, place: Place) -> Item:
        self.leaves -= 1
        name = self._named("emit")
        event = {"source": "https://generated", "type": name, "data": {"log": "${ .log }"}}
        log = log_with('"\\(.type) of \\(.data.log | length)"')
        output = {"as": f"{log} + {{told: [.id, .time]}}"}
        return self._told({name: {"emit": {"event": {"with": event}}, "output": output}}, place)

    def _times(self, place: Place) -> Item:
        self.leaves -= 1
        times = "now, $task.startedAt.epoch.milliseconds, $workflow.startedAt.iso8601, $workflow.id"
        return self._told({self._named("times"): {"set": f"${{ . + {{told: [{times}]}} }}"}}, place)

    def _told(self, teller: Item, place: Place) -> Item:
        """What a task tells is sent with a call."""
        return {self._named("told"): {"do": [teller, self._call(place)]}}

    def _conditional(self, place: Place) -> Item:
        [(name, task)] = self._set(place).items()
        length = self.draw(st.integers(2, 12))
        directives = ["continue", "exit", *(["end"] if place.may_end else [])]
        then = self.draw(st.sampled_from(directives))
        return {name: {"if": f".log | length > {length}", **task, "then": then}}

    def _export(self, place: Place) -> Item:
        """It tells who exported last, and exports where nobody else could at the same time."""
        self.leaves -= 1
        name = self._named("export")
        task: Task = {"set": f"${{ {log_with('$context.last', to='.')} }}"}
        if place.alone:
            task["export"] = {"as": f'$context + {{last: "{name}"}}'}
        return {name: task}

    def _function(self, place: Place) -> Item:
        self.leaves -= 1
        name = self._named("function")
        given = {"log": [], "told": "${ .told }"}
        output = {"as": log_with(f"{{{name}: .log}}")}
        return {name: {"call": "helper", "with": given, "output": output}}

    def _raise(self, place: Place) -> Item:
        self.leaves -= 1
        name = self._named("raise")
        error = {"type": f"https://generated/{name}", "status": 400, "title": "Raised"}
        return {name: {"raise": {"error": error}}}
