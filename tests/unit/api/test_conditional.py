"""`GET /api/executions/{id}`: its ETag, `If-None-Match`, and `Prefer: wait`."""

import msgspec
import pytest

from perdure.api.conditional import entity_tag
from perdure.model.execution import Execution, Revision
from perdure.model.status import Status
from perdure.ports.runtime import RefusedError
from tests.unit.api.fakes import ID, FakeRuntime, a_head, connected

EXECUTION = f"/api/executions/{ID}"
NOW = Revision(status=Status.RUNNING, run=1, batches=3, last_line=2)
TAG = entity_tag(NOW, 100).decode()
OPAQUE = TAG.removeprefix("W/")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_execution_has_a_tag_and_may_be_kept_by_its_client(method: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.request(method, EXECUTION)
        problem = await client.request(method, EXECUTION + "?logs=x")
    assert answer.status_code == 200
    assert answer.headers["etag"] == TAG
    assert answer.headers["cache-control"] == "private, no-cache"
    assert problem.headers["cache-control"] == "no-store"
    assert "etag" not in problem.headers


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.COMPLETED},
        {"run": 2},
        {"batches": 4},
        {"inbox_seq": 1},
        {"start_at": 5},
        {"completed_at": 5},
        {"cancel_requested_at": 5},
        {"paused_at": 5},
        {"last_line": 3},
    ],
)
def test_a_tag_changes_with_everything_that_can_change(change: dict[str, object]) -> None:
    assert set(change) <= set(Revision.__struct_fields__)
    assert entity_tag(msgspec.structs.replace(NOW, **change), 100) != entity_tag(NOW, 100)


def test_a_tag_is_of_as_many_log_lines() -> None:
    assert entity_tag(NOW, 99) != entity_tag(NOW, 100) == entity_tag(NOW, 100)


@pytest.mark.parametrize(
    "known",
    [TAG, OPAQUE, "*", f'"a", {TAG}', f'{TAG},"b,c"', f' , "a" ,, {OPAQUE} , ', f'"",W/"x",{TAG}'],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent(method: str, known: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.request(method, EXECUTION, headers={"If-None-Match": known})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == TAG
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers
    assert runtime.asked == [(ID, True)], "all of it was not read"


async def test_tags_may_come_in_several_lines() -> None:
    async with connected(FakeRuntime()) as client:
        lines = [*client.headers.items(), ("If-None-Match", '"a"'), ("If-None-Match", TAG)]
        answer = await client.get(EXECUTION, headers=lines)
    assert answer.status_code == 304


@pytest.mark.parametrize(
    "known",
    ['"a"', "", TAG.upper(), OPAQUE.strip('"'), f"w/{OPAQUE}", f"{TAG} x", f"x, {TAG}", '*, "a"'],
)
async def test_another_tag_or_none_is_answered_in_full(known: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.get(EXECUTION, headers={"If-None-Match": known})
    assert answer.status_code == 200
    assert answer.json()["execution_id"] == ID


async def test_a_tag_of_other_logs_is_another_one() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{EXECUTION}?logs=0", headers={"If-None-Match": TAG})
    assert answer.status_code == 200
    assert runtime.asked == [(ID, False), (ID, 0)]


async def test_an_unknown_execution_matches_nothing() -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError("unknown_execution", "there is none")
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION, headers={"If-None-Match": "*", "Prefer": "wait=1"})
    assert answer.status_code == 404


# -- Prefer: wait ----------------------------------------------------------------------------


@pytest.mark.parametrize(("preferred", "seconds"), [("wait=7", 7), ("wait=100", 60)])
async def test_waits_for_a_change_of_status(preferred: str, seconds: int) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION, headers={"Prefer": preferred})
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == f"wait={seconds}"
    assert (runtime.waited, runtime.since) == ([seconds], [None])


@pytest.mark.parametrize("preferred", ["wait=0", "wait=soon", "respond-async"])
async def test_waits_for_nothing_unless_asked(preferred: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION, headers={"Prefer": preferred})
    assert "preference-applied" not in answer.headers
    assert runtime.waited == []


async def test_where_too_many_wait_it_is_answered_at_once() -> None:
    runtime = FakeRuntime()
    runtime.may_wait = False
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION, headers={"Prefer": "wait=7"})
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


async def test_who_has_the_present_state_waits_for_another_status() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        headers = {"Prefer": "wait=7", "If-None-Match": TAG}
        answer = await client.get(EXECUTION, headers=headers)
    assert answer.status_code == 304
    assert answer.headers["preference-applied"] == "wait=7"
    assert (runtime.waited, runtime.since) == ([7], [Status.RUNNING])


async def test_who_has_an_older_state_does_not_wait() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        headers = {"Prefer": "wait=7", "If-None-Match": '"older"'}
        answer = await client.get(EXECUTION, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=7"
    assert runtime.waited == []


async def test_the_tag_is_that_of_what_is_sent() -> None:
    runtime = FakeRuntime()
    sent = msgspec.structs.replace(NOW, batches=9)
    runtime.whole = Execution(head=a_head(), inputs=msgspec.Raw(b"{}"), revision=sent)
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION, headers={"If-None-Match": '"older"'})
    assert answer.headers["etag"] == entity_tag(sent, 100).decode()
