"""One admin key, in `Authorization: Bearer`."""

import hmac

import pytest

from tests.unit.api.fakes import KEY, FakeRuntime, connected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY.upper()}",
        f"Basic {KEY}",
        KEY,
    ],
)
@pytest.mark.parametrize("path", ["/api/executions", "/api/no-such-path", "/", "/healthz/"])
async def test_without_the_key_nothing_is_told(header: str | None, path: str) -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get(path, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in answer.text


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} "])
async def test_the_key_opens(header: str) -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get("/api/executions", headers={"Authorization": header})
    assert answer.status_code == 200


async def test_a_token_that_is_not_ascii_is_only_wrong() -> None:
    async with connected(FakeRuntime(), token=None) as client:
        answer = await client.get("/api/executions", headers={b"Authorization": b"Bearer \xff"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_key(path: str) -> None:
    async with connected(FakeRuntime(), token=None) as client:
        assert (await client.get(path)).status_code == 200


async def test_the_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare_digest(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    async with connected(FakeRuntime(), token="guess") as client:
        await client.get("/api/executions")
    assert compared == [(b"guess", KEY.encode())]


async def test_without_authentication_everyone_may() -> None:
    async with connected(FakeRuntime(), admin_key=None, token=None) as client:
        assert (await client.get("/api/executions")).status_code == 200
