"""What a worker calls with: its parts fit, and follow the settings."""

from pathlib import Path

import msgspec
import pytest

from perdure.bootstrap.calling import calling
from perdure.bootstrap.worker_command import worker_command
from perdure.model.exceptions import FailedError
from perdure.ports.calls import Calls, HttpRequest, Secrets
from tests.support.http_answers import answer, answering


async def test_calls_and_secrets_of_a_worker() -> None:
    made = calling(["127.0.0.1"], {"PERDURE_SECRET_A": "b"})
    calls: Calls = made.calls
    secrets: Secrets = made.secrets
    async with answering(answer(200, b"1")) as server:
        output = await calls.http(HttpRequest(method="get", uri=server.url))
        assert msgspec.json.decode(output) == "1"
    assert secrets.get("a") == "b"
    await made.close()


async def test_without_the_setting_calls_stay_outside() -> None:
    made = calling([], {})
    with pytest.raises(FailedError, match="PERDURE_EGRESS_ALLOW"):
        await made.calls.http(HttpRequest(method="get", uri="http://127.0.0.1:1/"))
    await made.close()


def test_workers_are_told_where_calls_may_go() -> None:
    allowed = ["10.0.0.0/8", "[::1]:80"]
    lock = Path("lock")
    command = worker_command(
        link_fd=3, marks_fd=4, life_fd=5, lock=lock, paths=["a.py"], egress_allow=allowed
    )
    assert command[-4:] == [
        "--egress-allow=10.0.0.0/8",
        "--egress-allow=[::1]:80",
        "--",
        "a.py",
    ]
