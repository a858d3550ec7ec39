"""Connections: what a name stands for when it is connected to, and failures to connect."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls, HttpLimits, trusted_by_the_system
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure
from perdure.ports.calls import HttpRequest
from tests.support.http_answers import answer, answering


class Names:
    """A resolver that answers as it is told, one answer after another; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@contextlib.asynccontextmanager
async def called(*allowed: str, **options: Any) -> AsyncIterator[HttpCalls]:
    calls = HttpCalls(Egress(allowed), **options)
    try:
        yield calls
    finally:
        await calls.close()


async def call(calls: HttpCalls, url: str, **options: Any) -> Any:
    return msgspec.json.decode(await calls.http(HttpRequest(method="get", uri=url, **options)))


async def failed(calls: HttpCalls, url: str, **options: Any) -> Failure:
    with pytest.raises(FailedError) as caught:
        await call(calls, url, **options)
    return caught.value.failure


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "0",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "localhost",
        "LOCALHOST",
    ],
)
async def test_this_side_of_the_network_is_refused_however_it_is_written(host: str) -> None:
    async with answering(answer(200)) as server, called() as calls:
        failure = await failed(calls, f"http://{host}:{server.port}/x?key=hush")
    assert failure.type.endswith("/errors/authorization")
    assert failure.status == 403
    assert failure.title == "Calls may not go there"
    assert "PERDURE_EGRESS_ALLOW" in failure.detail
    assert "hush" not in failure.detail
    assert not server.asked


@pytest.mark.parametrize("host", ["localhost.", "127.0.0.1."])
async def test_a_trailing_dot_gets_nowhere(host: str) -> None:
    async with answering(answer(200)) as server, called() as calls:
        failure = await failed(calls, f"http://{host}:{server.port}/")
    assert failure.status in (400, 403, 503)
    assert not server.asked


async def test_the_refusal_says_what_and_why() -> None:
    names = Names(["10.1.2.3"])
    async with called(resolve=names.resolve) as calls:
        failure = await failed(calls, "http://internal.example/pets")
    assert failure.detail == (
        "GET http://internal.example/pets was refused: internal.example resolves to 10.1.2.3, "
        "which is a private address; to let calls go there, name the host or its network in "
        "PERDURE_EGRESS_ALLOW"
    )


async def test_a_name_that_changes_gains_nothing() -> None:
    async with answering(answer(200, b"1", {"connection": "close"})) as server:
        names = Names(["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"])
        async with called("127.0.0.1", resolve=names.resolve) as calls:
            url = f"http://rebound.example:{server.port}/"
            await call(calls, url)
            assert names.asked == ["rebound.example"], "resolved once for each connection"
            assert "127.0.0.2" in (await failed(calls, url)).detail
            assert "169.254.169.254" in (await failed(calls, url)).detail
    (asked,) = server.asked
    assert asked.headers["host"] == f"rebound.example:{server.port}"


async def test_of_several_addresses_only_permitted_ones_are_tried() -> None:
    async with answering(answer(200, b"1")) as server:
        names = Names(["127.0.0.9", "127.0.0.1"])
        async with called("127.0.0.1", resolve=names.resolve) as calls:
            assert await call(calls, f"http://both.example:{server.port}/") == "1"


async def test_an_address_that_does_not_answer_is_passed_over() -> None:
    async with answering(answer(200, b"1")) as server:
        names = Names(["127.0.0.9", "127.0.0.1"])
        async with called("127.0.0.0/8", resolve=names.resolve) as calls:
            assert await call(calls, f"http://both.example:{server.port}/") == "1"


async def test_a_name_may_be_allowed_with_its_port() -> None:
    async with (
        answering(answer(200, b"1")) as server,
        answering(answer(200, b"2")) as other,
        called(f"localhost:{server.port}") as calls,
    ):
        assert await call(calls, f"http://localhost:{server.port}/") == "1"
        assert (await failed(calls, f"http://localhost:{other.port}/")).status == 403
        assert (await failed(calls, server.url)).status == 403


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_ipv6() -> None:
    async with answering(answer(200, b"1"), host="::1") as server, called("::1") as calls:
        assert await call(calls, f"http://[::1]:{server.port}/") == "1"
    assert server.asked[0].headers["host"] == f"[::1]:{server.port}"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(answer(200, b"proxied")) as proxy, answering(answer(200, b"1")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with called("127.0.0.1") as calls:
            assert await call(calls, server.url) == "1"
    assert not proxy.asked


# -- failures to connect ---------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_refused_connection_is_no_answer() -> None:
    async with called("127.0.0.1") as calls:
        failure = await failed(calls, f"http://127.0.0.1:{free_port()}/")
    assert failure.type.endswith("/errors/communication")
    assert (failure.status, failure.title) == (503, "No answer")
    assert failure.detail.endswith("no connection to 127.0.0.1: Connection refused")


async def test_a_name_that_is_none() -> None:
    async with called() as calls:
        failure = await failed(calls, "http://nowhere.invalid/")
        assert failure.status == 503
        assert "nowhere.invalid cannot be resolved" in failure.detail
        failure = await failed(calls, f"http://{'x' * 70}.example/")
        assert failure.status == 503
    async with called(resolve=Names([]).resolve) as calls:
        assert "has no address" in (await failed(calls, "http://nothing.example/")).detail


async def test_a_name_server_that_is_silent() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    async with called(resolve=resolve, limits=HttpLimits(connect_s=0.05)) as calls:
        failure = await failed(calls, "http://slow.example/")
    assert failure.status == 504
    assert "no connection to slow.example in time" in failure.detail


# -- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``good.example`` and 127.0.0.1, signed by itself, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make certificates with")
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:good.example,IP:127.0.0.1"
    subject = ["-subj", "/CN=good.example", "-addext", names, "-days", "1"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command = [openssl, "req", "-x509", *kind, *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key").read_bytes() + (folder / "certificate").read_bytes())
    return both


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_nobody_trusts(certificate: Path) -> None:
    tls = server_side(certificate)
    async with answering(answer(200), tls=tls) as server, called("127.0.0.1") as calls:
        failure = await failed(calls, server.url + "/x")
    assert failure.type.endswith("/errors/communication")
    assert (failure.status, failure.title) == (502, "The answer cannot be used")
    assert "TLS with 127.0.0.1 fails: self-signed certificate" in failure.detail
    assert not server.asked


async def test_a_trusted_certificate_has_to_be_for_the_host(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate)
    names = Names(["127.0.0.1"])
    async with (
        answering(answer(200, b"1"), tls=server_side(certificate)) as server,
        called("127.0.0.1", resolve=names.resolve, trusted=lambda: trusted) as calls,
    ):
        for host in ("good.example", "good.example.", "127.0.0.1"):
            assert await call(calls, f"https://{host}:{server.port}/") == "1"
        failure = await failed(calls, f"https://other.example:{server.port}/")
    assert failure.status == 502
    assert "Hostname mismatch" in failure.detail


async def test_tls_with_what_speaks_none() -> None:
    limits = HttpLimits(connect_s=0.05)
    async with answering(answer(200)) as server, called("127.0.0.1", limits=limits) as calls:
        assert (await failed(calls, server.url.replace("http:", "https:"))).status == 504

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener, called("127.0.0.1") as calls:
        port = listener.sockets[0].getsockname()[1]
        failure = await failed(calls, f"https://127.0.0.1:{port}/")
    assert failure.status == 502
    assert "TLS with 127.0.0.1 fails" in failure.detail


async def test_plain_http_with_what_speaks_tls(certificate: Path) -> None:
    tls = server_side(certificate)
    async with answering(answer(200), tls=tls) as server, called("127.0.0.1") as calls:
        failure = await failed(calls, server.url.replace("https:", "http:"))
    assert failure.status == 502


def test_the_default_trust_verifies() -> None:
    context = trusted_by_the_system()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
