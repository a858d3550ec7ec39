"""Changes that are applied together leave what they leave one after the other."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model import failure as failures
from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.journal import (
    AppendBatch,
    Cancel,
    Change,
    CreateExecution,
    End,
    Outcome,
    Parent,
    PutInbox,
    TimerSet,
)
from perdure.store.sqlite.changes import appending, apply, apply_together
from perdure.store.sqlite.changes import creation as creating
from perdure.store.sqlite.changes.rows import ApartError
from perdure.store.sqlite.connections import open_writer
from tests.unit.ports.subject import CREATED, batch, creation

IDS = [execution_id((CREATED << 21) + number) for number in range(3)]
TABLES = ("executions", "inputs", "batches", "inbox", "timers", "execution_tags")
ENDS = (
    End(status=Status.COMPLETED, at=CREATED + 5),
    End(
        status=Status.FAILED,
        at=CREATED + 6,
        error=failures.runtime('it\'s \x00 "broken" \U0001f600'),
    ),
)

replace = msgspec.structs.replace


def appends() -> st.SearchStrategy[AppendBatch]:
    return st.builds(
        _append,
        st.sampled_from(IDS),
        seq=st.integers(0, 3),
        epoch=st.integers(1, 2),
        known=st.integers(0, 1),
        guarded=st.booleans(),
        active=st.booleans(),
        end=st.sampled_from([None, None, None, *ENDS]),
        body=st.sampled_from([b"{}", '{"a":"é\\u0000\\"\U0001f600"}'.encode(), b"x" * 20_000]),
        timers=st.sampled_from([(), (), (TimerSet("/t", CREATED, True),)]),
    )


def _append(
    id: str,
    *,
    seq: int,
    epoch: int,
    known: int,
    guarded: bool,
    active: bool,
    end: End | None,
    body: bytes,
    timers: tuple[TimerSet, ...],
) -> AppendBatch:
    return replace(
        batch(id, seq, epoch=epoch),
        inbox_known=known,
        inbox_seen=known,
        guarded=guarded,
        active=active,
        end=end,
        body=body,
        timers_set=timers,
    )


CREATED_WITH: tuple[dict[str, Any], ...] = (
    {},
    {"inputs": b'{"big":"' + b"x" * 20_000 + b'"}'},
    {"tags": {"a": "b"}},
    {"parent": Parent(execution_id=IDS[0], position="/é@1")},
    {"created_by": "o'neil \x00", "timeout_ms": 5, "priority": -3, "start_at": CREATED + 9},
)


def _created(id: str, details: dict[str, Any]) -> CreateExecution:
    return replace(creation(id), **details)


def changes() -> st.SearchStrategy[list[Change]]:
    event = b'{"kind":"EventReceived"}'
    return st.lists(
        st.one_of(
            appends(),
            appends(),
            st.builds(_created, st.sampled_from(IDS), st.sampled_from(CREATED_WITH)),
            st.builds(lambda id: PutInbox(execution_id=id, event=event), st.sampled_from(IDS)),
            st.builds(
                lambda id: Cancel(execution_id=id, at=CREATED, event=event), st.sampled_from(IDS)
            ),
        ),
        max_size=12,
    )


class Twins:
    """Two files in which the same happens: in one of them each change is applied alone."""

    def __init__(self, folder: Path) -> None:
        self.alone = open_writer(folder / "alone.db", "journal")
        self.together = open_writer(folder / "together.db", "journal")

    def __enter__(self) -> "Twins":
        for connection in (self.alone, self.together):
            connection.execute("BEGIN")
        return self

    def __exit__(self, *error: object) -> None:
        for connection in (self.alone, self.together):
            connection.execute("ROLLBACK")

    def close(self) -> None:
        self.alone.close()
        self.together.close()


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with closing(Twins(tmp_path_factory.mktemp("twins"))) as twins:
        yield twins


def contents(connection: apsw.Connection) -> dict[str, list[Any]]:
    return {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608
        for table in TABLES
    }


def outcomes(connection: apsw.Connection, changes: list[Change]) -> list[Outcome]:
    return [apply(connection, change) for change in changes]


@given(first=changes(), group=changes())
def test_together_is_as_one_after_the_other_or_not_at_all(
    twins: Twins, first: list[Change], group: list[Change]
) -> None:
    before: list[Change] = [*map(creation, IDS), *first]
    with twins:
        for connection in (twins.alone, twins.together):
            outcomes(connection, before)
        expected = outcomes(twins.alone, group)
        try:
            got = apply_together(twins.together, group)
        except ApartError:
            assert not all(outcome.done for outcome in expected)
        else:
            assert got == expected
            assert contents(twins.together) == contents(twins.alone)


@given(group=changes(), details=st.lists(st.sampled_from(CREATED_WITH), min_size=3, max_size=3))
def test_what_is_allowed_is_done_together(
    twins: Twins, group: list[Change], details: list[dict[str, Any]]
) -> None:
    allowed = [*map(_created, IDS, details), *_in_sequence(group)]
    with twins:
        expected = outcomes(twins.alone, allowed)
        assert apply_together(twins.together, allowed) == expected
        assert all(outcome.done for outcome in expected)
        assert contents(twins.together) == contents(twins.alone)


def _in_sequence(group: list[Change]) -> list[Change]:
    """What is created is new, appends are as owners would send them; nothing after an end."""
    next_seqs = dict.fromkeys(IDS, 0)
    kept: list[Change] = []
    for change in group:
        if not isinstance(change, AppendBatch | PutInbox) or change.execution_id not in next_seqs:
            continue
        if isinstance(change, AppendBatch):
            seq = next_seqs[change.execution_id]
            next_seqs[change.execution_id] += 1
            if change.end is not None:
                del next_seqs[change.execution_id]
            kept.append(replace(change, seq=seq, epoch=1))
        else:
            kept.append(change)
    return kept


def test_an_execution_may_go_on_several_times_in_a_group(twins: Twins) -> None:
    group: list[Change] = [
        *map(creation, IDS),
        *(batch(id, seq) for seq in range(3) for id in IDS),
        replace(batch(IDS[0], 3), end=ENDS[0]),
    ]
    with twins:
        assert apply_together(twins.together, group) == outcomes(twins.alone, group)
        assert contents(twins.together) == contents(twins.alone)


def test_a_group_may_be_larger_than_a_statement(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "ROWS_LIMIT", 2)
    monkeypatch.setattr(creating, "ROWS_LIMIT", 2)
    group: list[Change] = [*map(creation, IDS), *(batch(id, 0) for id in IDS)]
    with twins:
        assert apply_together(twins.together, group) == outcomes(twins.alone, group)
        assert contents(twins.together) == contents(twins.alone)


def test_one_that_is_refused_refuses_all(twins: Twins) -> None:
    with twins:
        outcomes(twins.together, [creation(IDS[0]), creation(IDS[1])])
        with pytest.raises(ApartError):
            apply_together(twins.together, [batch(IDS[0], 0), batch(IDS[1], 1)])
