"""Pages of other origins, and other names for this machine, are refused."""

import httpx
import pytest

from tests.unit.api.fakes import KEY, FakeRuntime, connected

EXECUTE = "/api/workflows/weather/execute"


async def asked(
    headers: dict[str, str], *, admin_key: str | None, path: str = EXECUTE
) -> httpx.Response:
    runtime = FakeRuntime()
    async with connected(runtime, admin_key=admin_key) as client:
        answer = await client.request("POST" if path == EXECUTE else "GET", path, headers=headers)
    assert bool(runtime.started) == (path == EXECUTE and answer.is_success)
    return answer


@pytest.mark.parametrize("admin_key", [KEY, None])
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://elsewhere.test",
        "http://localhost:9999",
        "http://localhost.elsewhere.test",
        "http://localhost@elsewhere.test",
        "localhost",
    ],
)
async def test_a_page_of_another_origin(origin: str, admin_key: str | None) -> None:
    answer = await asked({"Origin": origin}, admin_key=admin_key)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_origin")


@pytest.mark.parametrize("admin_key", [KEY, None])
@pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", "http://LOCALHOST"])
async def test_a_page_of_this_origin(origin: str, admin_key: str | None) -> None:
    assert (await asked({"Origin": origin}, admin_key=admin_key)).status_code == 202


@pytest.mark.parametrize(
    "host",
    [
        "elsewhere.test",
        "localhost.elsewhere.test",
        "127.0.0.1.elsewhere.test",
        "192.168.0.1",
        "0.0.0.0",
        "2130706433",
        "[::2]:8000",
        "localhost:8000:8000",
        "localhost@elsewhere.test",
        "elsewhere.test@localhost",
        "",
    ],
)
@pytest.mark.parametrize("path", [EXECUTE, "/api/executions", "/api/nothing"])
async def test_without_a_key_another_name_is_refused(host: str, path: str) -> None:
    answer = await asked({"Host": host}, admin_key=None, path=path)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_origin")


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8000", "127.0.0.1:8000", "127.3.2.1", "[::1]", "[::1]:8000"]
)
async def test_without_a_key_names_of_loopback_are_answered(host: str) -> None:
    assert (await asked({"Host": host}, admin_key=None)).status_code == 202


async def test_with_a_key_any_name_is_answered() -> None:
    assert (await asked({"Host": "perdure.test"}, admin_key=KEY)).status_code == 202


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
async def test_what_is_public_is_told_to_everyone(path: str) -> None:
    headers = {"Host": "elsewhere.test", "Origin": "http://elsewhere.test"}
    assert (await asked(headers, admin_key=None, path=path)).status_code == 200
