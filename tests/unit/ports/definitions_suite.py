"""Definitions are kept once and never change; children know how deep they are nested."""

import msgspec

from perdure.model.status import Status
from perdure.ports.definitions import Definition, Register
from perdure.ports.journal import Outcome, Parent
from perdure.ports.runtime import Served
from tests.unit.ports.subject import CREATED, Suite, creation

replace = msgspec.structs.replace


def defined(workflow_id: str = "weather", version: str = "1.0.0", body: bytes = b"{}") -> Register:
    served = Served(
        workflow_id=workflow_id,
        version=version,
        digest=f"of {body.decode()}",
        kind="document",
        title="Wetter — 天気",
        tags={"team": "forecasts"},
        timeout_ms=5,
        input_schema=b'{"type":"object"}',
        unsupported=("call grpc at /do/0/greet",),
    )
    definition = Definition(served=served, source=f"# é {body.decode()}\n", body=body)
    return Register(definition=definition, registered_at=CREATED)


class DefinitionsSuite(Suite):
    def test_a_definition_is_kept_as_it_was_registered(self) -> None:
        first, other = defined(), defined("a.b", "2.0.0-rc.1+x", b'{"x":"\xc3\xa9"}')
        for each in (first, other):
            self.done(each)
        assert self.journal.definitions() == [first.definition.served, other.definition.served]
        assert self.journal.definition_body("a.b", "2.0.0-rc.1+x") == other.definition.body
        assert self.journal.definition_source("weather", "1.0.0") == first.definition.source

    def test_what_is_not_registered_is_not_there(self) -> None:
        self.done(defined())
        assert self.journal.definition_body("weather", "1.0.1") is None
        assert self.journal.definition_source("Weather", "1.0.0") is None

    def test_a_definition_never_changes(self) -> None:
        first = defined()
        self.done(first)
        assert self.act(first).reason == "duplicate"
        assert self.act(defined(body=b"[]")).reason == "mismatch"
        assert self.journal.definitions() == [first.definition.served]
        assert self.journal.definition_body("weather", "1.0.0") == b"{}"

    def test_of_several_at_once_the_first_counts(self) -> None:
        outcomes: list[Outcome] = []
        changes = [defined(body=body) for body in (b"{}", b"{}", b"[]", b"{}")]
        for change in changes:
            self.journal.submit(change, outcomes.append)
        self.subject.settle(lambda: len(outcomes) == len(changes))
        assert [each.reason for each in outcomes] == ["", "duplicate", "mismatch", "duplicate"]
        assert self.journal.definition_body("weather", "1.0.0") == b"{}"

    def test_a_depth_is_recorded(self) -> None:
        top = self.created()
        assert self.row(top).depth == 0
        below = replace(
            creation(self.new_id(), Status.PENDING), depth=7, parent=Parent(top, "/child")
        )
        self.done(below)
        assert self.row(below.execution_id).depth == 7
