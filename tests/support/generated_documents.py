"""Generated documents, whose outcome does not depend on when things happen.

Data is an object: ``log`` tells what ran, in order, and counters bound what is repeated. Every task
passes it on with a word of its own in the log, so that whatever is left out, done twice or done in
another order shows in the result. Branches that run at the same time have logs of their own, and
only the first may fail or end the workflow. Of competing branches the first wins: the others take
days. What a replay has to find again, such as times and ids of events, is sent with each call and
compared with what the answer, which is recorded, gives back.

Calls go to ``http://fake``, which gives back the body's `told`. Their query says after how long
they are answered (`delay_ms`), and in how many rounds of the innermost ``try`` around them they
fail first (`fail`).
"""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.support.generated_leaves import Item, LeafWriter, Place, Task, log_with, post

NAMESPACE, NAME, VERSION = "generated", "document", "1.0.0"
WORKFLOW_ID = f"{NAMESPACE}.{NAME}"
CHILD_ID = f"{NAMESPACE}.child"
_ERRORS = "https://open-workflow-specification.org/spec/1.0.0/errors/"
_DAYS_MS = 10 * 24 * 60 * 60 * 1000
DEPTH = 3
"""How deep tasks have others in them."""
_OWN_LOG = "{log: [], told: .told}"


def document(name: str, tasks: list[Item]) -> dict[str, Any]:
    """A document that begins with an empty log, and whose result is the log."""
    header = {"dsl": "1.0.3", "namespace": NAMESPACE, "name": name, "version": VERSION}
    return {
        "document": header,
        "input": {"from": "{log: []}"},
        "output": {"as": "{log: .log}"},
        "use": _use(),
        "do": tasks,
    }


@st.composite
def documents(draw: st.DrawFn, *, leaves: int = 12, longest_ms: int = 1_500) -> dict[str, Any]:
    """Documents of moderate size, of every kind of task that is executed.

    `longest_ms` is how long one of them waits at most, but for what is never waited for.
    """
    writer = _Writer(draw, leaves, longest_ms)
    place = Place(DEPTH, may_fail=True, may_end=True)
    return document(NAME, writer.tasks(place, at_least=3, at_most=5))


def _use() -> dict[str, Any]:
    """A function, and an extension that changes nothing."""
    helper = [
        {"callOfHelper": post("helper", {"delay_ms": "60"})},
        {"waitOfHelper": {"wait": {"milliseconds": 40}}},
    ]
    before = [{"noted": post("noted", {"delay_ms": "20"})}]
    return {
        "functions": {"helper": {"do": helper}},
        "extensions": [{"notes": {"extend": "wait", "before": before}}],
    }


def child() -> dict[str, Any]:
    """The document that generated ones run."""
    tasks: list[Item] = [
        {"callOfChild": post("child", {"delay_ms": "70"})},
        {"waitOfChild": {"wait": {"milliseconds": 50}}},
    ]
    return document("child", tasks)


class _Writer(LeafWriter):
    """Writes one document."""

    def tasks(self, place: Place, *, at_least: int = 1, at_most: int = 3) -> list[Item]:
        """A list of tasks."""
        count = self.draw(st.integers(at_least, at_most))
        return [self.task(place) for _ in range(count)]

    def task(self, place: Place) -> Item:
        """A task of any kind that may stand here; at the top one that has others in it."""
        kinds: list[str] = []
        if place.depth < DEPTH or self.leaves <= 0:
            kinds += ["set", "wait", "call", "call", "function", "emit", "emit", "times", "times"]
            kinds += ["conditional", "export", "counted"]
            if place.may_fail:
                kinds += ["failing", "raise"]
        if place.depth > 0 and self.leaves > 0:
            nested = ["do", "for", "fork", "compete", "attempt", "attempt", "again", "late", "run"]
            kinds += [*nested, *nested]
        kind = self.draw(st.sampled_from(kinds))
        item: Item = getattr(self, f"_{kind}")(place)
        return item

    def _do(self, place: Place) -> Item:
        return {self._named("do"): {"do": self.tasks(place.below())}}

    def _for(self, place: Place) -> Item:
        name = self._named("for")
        item, index = f"item{self.number}", f"index{self.number}"
        inner = place.below(variables=(*place.variables, item, index))
        task: Task = {
            "for": {
                "each": item,
                "at": index,
                "in": self.draw(st.sampled_from(['["a", "b"]', '["a", "b", "c"]', "[.log[:2][]]"])),
            },
            "do": self.tasks(inner, at_most=2),
        }
        if self.draw(st.booleans()):
            task["while"] = f"(.log | length) < {self.draw(st.integers(1, 12))}"
        return {name: task}

    def _branch(self, item: Item) -> Item:
        """A branch has a log of its own."""
        [(name, task)] = item.items()
        return {f"{name}Branch": {"input": {"from": _OWN_LOG}, "do": [{name: task}]}}

    def _fork(self, place: Place) -> Item:
        name = self._named("fork")
        first = place.below(alone=False)
        others = replace(first, may_fail=False, may_end=False)
        count = self.draw(st.integers(0, 2))
        branches = [self.task(first), *(self.task(others) for _ in range(count))]
        fork = {"branches": [self._branch(branch) for branch in branches]}
        return {name: {"fork": fork, "output": {"as": log_with(f'{{"{name}": map(.log)}}')}}}

    def _compete(self, place: Place) -> Item:
        name = self._named("compete")
        winner = place.below(alone=False, may_fail=False)
        loser = replace(winner, may_end=False)
        losers: list[Item] = []
        for _ in range(self.draw(st.integers(1, 2))):
            if self.draw(st.booleans()):
                losers.append(self._call(loser, delay_ms=_DAYS_MS))
            else:
                tasks = [self._call(loser), {self._named("wait"): {"wait": "P10D"}}]
                losers.append({self._named("do"): {"do": tasks}})
        branches = [self._branch(branch) for branch in (self.task(winner), *losers)]
        fork = {"compete": True, "branches": branches}
        return {name: {"fork": fork, "output": {"as": log_with(f'{{"{name}": .log}}')}}}

    def _attempt(self, place: Place) -> Item:
        """A ``try``. What it catches is all, unless an error may leave it."""
        name = self._named("try")
        inner = self.tasks(place.below(may_fail=True), at_most=2)
        if self.draw(st.booleans()):
            inner.insert(self.draw(st.integers(0, len(inner))), self._failing(place))
        catch: dict[str, Any] = {"as": "caught"}
        if place.may_fail:
            catch |= self.draw(
                st.sampled_from(
                    [
                        {},
                        {"errors": {"with": {"type": f"{_ERRORS}communication"}}},
                        {"errors": {"with": {"status": 400}}},
                        {"when": "$caught.status >= 500"},
                        {"exceptWhen": "$caught.status >= 500"},
                    ]
                )
            )
        if self.draw(st.booleans()):
            catch["retry"] = self._retry()
        word = f'"{name} caught \\($caught.status) at \\($caught.instance)"'
        handler = {f"{name}Caught": {"set": f"${{ {log_with(word, to='.')} }}"}}
        catch["do"] = [handler]
        if self.draw(st.booleans()):
            catch["do"].append(self.task(place.below()))
        if self.draw(st.booleans()):
            catch["then"] = "continue"
        elif place.may_fail and self.draw(st.booleans()):
            del catch["do"]
        return {name: {"try": inner, "catch": catch}}

    def _retry(self) -> dict[str, Any]:
        retry: dict[str, Any] = {"limit": {"attempt": {"count": self.draw(st.integers(1, 3))}}}
        if self.draw(st.booleans()):
            retry["delay"] = {"milliseconds": self.draw(st.integers(1, 400))}
            backoffs = ["constant", "exponential", "linear"]
            retry["backoff"] = {self.draw(st.sampled_from(backoffs)): {}}
        if self.draw(st.booleans()):
            retry["jitter"] = {"from": {"milliseconds": 10}, "to": {"milliseconds": 300}}
        return retry

    def _again(self, place: Place) -> Item:
        """Tasks that a ``switch`` jumps back to, as often as a counter allows."""
        name = self._named("again")
        count, number, word = f"count{self.number}", self.number, f'"{name}"'
        rounds = self.draw(st.integers(2, 3))
        [(first, task)] = self.task(place.below()).items()
        cases = [
            {"back": {"when": f".{count} < {rounds}", "then": first}},
            {"on": {"then": f"after{number}"}},
        ]
        return {
            name: {
                "do": [
                    {f"begin{number}": {"set": f"${{ . + {{{count}: 0}} }}"}},
                    {first: task},
                    {f"bump{number}": {"set": f"${{ . + {{{count}: (.{count} + 1)}} }}"}},
                    self._call(place),
                    {f"switch{number}": {"switch": cases}},
                    {f"passed{number}": {"set": {"log": ["a jump that was not made"]}}},
                    {
                        f"after{number}": {
                            "set": f"${{ {log_with(word, to='.')} }}",
                            "then": "exit",
                        }
                    },
                    {f"never{number}": {"set": {"log": ["an exit that was not taken"]}}},
                ]
            }
        }

    def _late(self, place: Place) -> Item:
        """Something that takes days, under a timeout that is caught."""
        name = self._named("late")
        slow: Item = {self._named("wait"): {"wait": "P10D"}}
        if self.draw(st.booleans()):
            slow = self._call(place, delay_ms=_DAYS_MS)
        [(slow_name, task)] = slow.items()
        after = {"milliseconds": self.draw(st.integers(1, self.longest_ms))}
        limited = {slow_name: {**task, "timeout": {"after": after}}}
        word = f'"{name} \\($error.status)"'
        handler = {f"{name}Caught": {"set": f"${{ {log_with(word, to='.')} }}"}}
        catch = {"errors": {"with": {"type": f"{_ERRORS}timeout"}}, "do": [handler]}
        return {name: {"try": [limited], "catch": catch}}

    def _run(self, place: Place) -> Item:
        self.leaves -= 1
        name = self._named("run")
        which = {"namespace": NAMESPACE, "name": "child", "version": VERSION}
        return {
            name: {"run": {"workflow": which}, "output": {"as": log_with(f'{{"{name}": .log}}')}}
        }
