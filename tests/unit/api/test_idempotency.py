"""`Idempotency-Key`: which texts are keys, and how a repeated start is answered."""

import httpx
import msgspec
import pytest

from perdure.model.execution import Execution
from perdure.model.status import Status
from tests.unit.api.fakes import ID, KEY, FakeRuntime, a_head, connected

EXECUTE = "/api/workflows/weather/execute"
HEADER = "Idempotency-Key"


async def start(runtime: FakeRuntime, *lines: str, **headers: str) -> httpx.Response:
    """Start an execution with these lines of the header."""
    async with connected(runtime) as client:
        given = {"Authorization": f"Bearer {KEY}", **headers}
        sent = [(name.encode(), value.encode()) for name, value in given.items()]
        sent += [(HEADER.encode(), line.encode("latin-1")) for line in lines]
        return await client.post(EXECUTE, json={"inputs": {}}, headers=sent)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("k", "k"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e"', "8e03978e"),
        ("two words", "two words"),
        (" around ", "around"),
        ('" kept "', " kept "),
        (r'"a \"b\" \\"', 'a "b" \\'),
        ("it's~!#$%&()*+,-./:;<=>?@[]^_`{|}", "it's~!#$%&()*+,-./:;<=>?@[]^_`{|}"),
        ("k" * 255, "k" * 255),
        (f'"{"k" * 255}"', "k" * 255),
    ],
)
async def test_a_key_is_handed_on(line: str, key: str) -> None:
    runtime = FakeRuntime()
    answer = await start(runtime, line)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/executions/{ID}"
    assert runtime.keys == [key]
    assert runtime.started[0].created_by == "admin"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ('""', "is empty"),
        ("k" * 256, "has 256 characters, and may have 255"),
        (f'"{"k" * 256}"', "has 256 characters, and may have 255"),
        ("a\x01b", "has to be of visible ASCII characters, in quotes or without"),
        ("a\tb", "has to be of visible ASCII characters, in quotes or without"),
        ("\x7f", "has to be of visible ASCII characters, in quotes or without"),
        ("k\xe9", "has to be of visible ASCII characters, in quotes or without"),
        ('"open', "has to be of visible ASCII characters, in quotes or without"),
        ('"a"b"', "has to be of visible ASCII characters, in quotes or without"),
        (r'"a\b"', "has to be of visible ASCII characters, in quotes or without"),
        ('"a";p=1', "has to be of visible ASCII characters, in quotes or without"),
    ],
)
async def test_what_is_no_key_is_refused(line: str, message: str) -> None:
    runtime = FakeRuntime()
    answer = await start(runtime, line)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert answer.json()["errors"] == [{"location": HEADER, "message": message}]
    assert runtime.started == []


async def test_two_keys_are_refused() -> None:
    runtime = FakeRuntime()
    answer = await start(runtime, "a", "b")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "is given more than once"
    assert runtime.started == []


async def test_a_repeated_start_is_answered_with_200_and_how_it_is_now() -> None:
    runtime = FakeRuntime()
    runtime.repeated = True
    runtime.status = Status.COMPLETED
    answer = await start(runtime, "k")
    assert answer.status_code == 200
    assert answer.headers["location"] == f"/api/executions/{ID}"
    assert answer.json()["status"] == "completed"
    assert "result" not in answer.json()


async def test_a_repeated_start_waits_for_the_end() -> None:
    runtime = FakeRuntime()
    runtime.repeated = True
    runtime.whole = Execution(
        head=a_head(status=Status.COMPLETED), inputs=msgspec.Raw(b"{}"), result=msgspec.Raw(b"7")
    )
    answer = await start(runtime, "k", Prefer="wait=5")
    assert (answer.status_code, answer.json()["result"]) == (200, 7)
    assert answer.headers["preference-applied"] == "wait=5"
    runtime.ends_in_time = False
    answer = await start(runtime, "k", Prefer="wait=5")
    assert answer.status_code == 200
    assert "result" not in answer.json()
    assert "preference-applied" not in answer.headers


async def test_without_a_key_nothing_is_looked_for() -> None:
    runtime = FakeRuntime()
    answer = await start(runtime)
    assert answer.status_code == 202
    assert (runtime.keys, len(runtime.started)) == ([], 1)
