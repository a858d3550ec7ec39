"""Calls of documents through a real worker: with secrets, to where they may go, and interrupted."""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.http_answers import Answers, Asked, answer, answering
from tests.support.registered import YAML
from tests.support.servers import Api, Server, server, until, until_true

TOKEN = 'Tok3n-"of/gold"+ä'
PASSWORD = "pa55:w0rd&co"
LOGIN = {"username": "ada-of-tests", "password": PASSWORD, "pin": 987_654_321}
STANDARD = "https://open-workflow-specification.org/spec/1.0.0/errors/"
HEAD = "document: {dsl: 1.0.3, namespace: default, name: %s, version: 1.0.0}\n"


async def ended(api: Api, name: str, tasks: str, *, use: str = "{}") -> dict[str, Any]:
    """Register a document of these tasks, and run it to its end."""
    await register(api, name, tasks, use=use)
    return await api.run(name)


async def register(api: Api, name: str, tasks: str, *, use: str = "{}") -> None:
    source = f"{HEAD % name}use: {use}\ndo:\n{tasks}"
    registered = await api.http.post("/api/workflows", content=source, headers=YAML)
    assert registered.status_code == 201, registered.text


def get(uri: str, more: str = "") -> str:
    """A list of one task that calls."""
    return f"- get: {{call: http, with: {{method: get, endpoint: '{uri}'{more}}}}}\n"


@contextlib.asynccontextmanager
async def calling(
    folder: Path, answers: Answers | None = None, **environ: str
) -> AsyncIterator[Server]:
    """A server whose documents may call `answers`, and has these variables."""
    if answers is not None:
        environ["PERDURE_EGRESS_ALLOW"] = f"127.0.0.1:{answers.port}"
    async with server(folder, environ=environ) as its:
        yield its


async def until_asked(answers: Answers, times: int) -> None:
    await until_true(lambda: len(answers.asked) >= times, f"it is asked {times} times")


# -- secrets -----------------------------------------------------------------------------------

PAIR = "ada-of-tests:" + PASSWORD
MARKED = [
    TOKEN,
    PASSWORD,
    "987654321",
    json.dumps(TOKEN, ensure_ascii=False)[1:-1],
    json.dumps(TOKEN)[1:-1],
    quote(TOKEN),
    quote(TOKEN, safe=""),
    quote(PASSWORD, safe=""),
    *(base64.b64encode(text.encode()).decode() for text in (TOKEN, PASSWORD, PAIR, "x" + PASSWORD)),
]

WITH_SECRETS = """\
- sends:
    call: http
    with:
      method: post
      output: response
      endpoint: {{uri: '{url}/quiet', authentication: {{bearer: {{token: '${{ $secrets.token | @uri }}'}}}}}}
      headers: {{x-token: '${{ $secrets.token | @uri }}', x-made: '${{ "x" + $secrets.login.password | @base64 }}'}}
      query: {{token: '${{ $secrets.token }}'}}
      body: {{password: '${{ $secrets.login.password }}', pin: '${{ $secrets.login.pin }}'}}
- signs:
    call: http
    with:
      method: get
      output: response
      endpoint: {{uri: '{url}/quiet', authentication: {{use: me}}}}
      headers: {{x-scheme: '${{ $authorization.scheme }}', x-pair: '${{ $authorization.parameter }}'}}
- fails:
    try:
    - repeats:
        call: http
        with:
          method: post
          endpoint: '${{ "{url}/repeats/" + ($secrets.token | @uri) }}'
          headers: {{x-token: '${{ $secrets.token | @base64 }}', x-made: '${{ "x" + $secrets.login.password | @base64 }}'}}
          query: {{token: '${{ $secrets.token }}'}}
          body: {{password: '${{ $secrets.login.password }}', pin: '${{ $secrets.login.pin }}'}}
    catch:
      do:
      - keep: {{set: {{caught: '${{ $error }}'}}, export: {{as: '${{ . }}'}}}}
- nowhere:
    call: http
    with: {{method: get, endpoint: '${{ "http://" + $secrets.login.password + ".invalid/" }}'}}
"""  # noqa: E501


async def repeats(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Says nothing, or fails with all that it was sent."""
    if asked.target.startswith("/quiet"):
        await answer(body=b"{}", headers={"content-type": "application/json"})(asked, writer)
        return
    told = f"{asked.target} {asked.headers} {asked.body.decode()}".encode()
    await answer(500, told)(asked, writer)


async def test_secrets_are_sent_and_are_nowhere_else(tmp_path: Path) -> None:
    """Neither in what the API tells, nor in any byte of the data folder, nor in the output."""
    use = "{secrets: [token, login], authentications: {me: {basic: {use: login}}}}"
    secrets = {"PERDURE_SECRET_TOKEN": TOKEN, "PERDURE_SECRET_LOGIN": json.dumps(LOGIN)}
    async with answering(repeats) as answers, calling(tmp_path, answers, **secrets) as its:
        await register(its.api, "secretive", WITH_SECRETS.format(url=answers.url), use=use)
        execution = await its.api.run("secretive")

        sent, signed, failed = answers.asked
        assert sent.headers["authorization"] == f"Bearer {quote(TOKEN, safe='')}"
        assert sent.headers["x-token"] == quote(TOKEN, safe="")
        assert sent.target == f"/quiet?token={quote(TOKEN, safe='')}"
        assert json.loads(sent.body) == {"password": PASSWORD, "pin": 987_654_321}
        pair = base64.b64encode(PAIR.encode()).decode()
        assert signed.headers["authorization"] == f"Basic {pair}"
        assert (signed.headers["x-scheme"], signed.headers["x-pair"]) == ("Basic", pair)
        assert failed.target.startswith(f"/repeats/{quote(TOKEN, safe='')}?")

        assert execution["status"] == "failed"
        assert execution["error"]["type"] == f"{STANDARD}validation"
        path = f"/api/executions/{execution['execution_id']}"
        told = [
            (await its.api.http.get(f"{path}{rest}")).content
            for rest in ("", "/tasks", "/logs", "/logs/download?format=json")
        ]
        assert b"/repeats/***" in told[1]
        await its.kill()
        written = {each: each.read_bytes() for each in its.data.rglob("*") if each.is_file()}
        assert any(b"/repeats/***" in content for content in written.values())
        everything = b"\n".join([*told, *written.values(), its.output.encode()])
        for marked in MARKED:
            assert marked.encode() not in everything, marked


@pytest.mark.parametrize(
    ("secret", "authentication", "type_", "said"),
    [
        ("", "{bearer: {token: '${ $secrets.it }'}}", "authorization", "set PERDURE_SECRET_IT"),
        ("hush-hush", "{bearer: {use: it}}", "authentication", "a JSON object that has them"),
        ('{"token": 8899}', "{bearer: {use: it}}", "authentication", "needs token, each a text"),
        ("hush hush", "{bearer: {token: '${ $secrets.it }'}}", "validation", "visible ASCII"),
    ],
)
async def test_a_secret_that_cannot_be_used_is_a_clear_error(
    tmp_path: Path, secret: str, authentication: str, type_: str, said: str
) -> None:
    endpoint = f"{{uri: 'http://127.0.0.1:9/', authentication: {authentication}}}"
    tasks = f"- get: {{call: http, with: {{method: get, endpoint: {endpoint}}}}}"
    async with calling(tmp_path, PERDURE_SECRET_IT=secret) as its:
        error = (await ended(its.api, "unusable", tasks, use="{secrets: [it]}"))["error"]
    assert (error["type"], error["instance"]) == (f"{STANDARD}{type_}", "/do/0/get")
    assert said in error["detail"]
    assert not secret or secret not in error["detail"]


# -- where calls go ----------------------------------------------------------------------------


async def test_calls_go_only_where_they_may(tmp_path: Path) -> None:
    async with answering(answer()) as hidden:
        leads = answer(302, headers={"location": f"{hidden.url}/"})
        async with answering(leads) as allowed, calling(tmp_path, allowed) as its:
            refused = {
                "loopback": get(f"{hidden.url}/"),
                "redirected": get(f"{allowed.url}/", ", redirect: true"),
                "metadata": get("http://169.254.169.254/latest"),
                "mapped": get("http://[::ffff:10.0.0.1]/"),
                "number": get("http://2130706433/"),
            }
            for name, tasks in refused.items():
                error = (await ended(its.api, name, tasks))["error"]
                assert (error["type"], error["status"]) == (f"{STANDARD}authorization", 403), name
                assert error["title"] == "Calls may not go there"
                assert "PERDURE_EGRESS_ALLOW" in error["detail"]
                assert error["instance"] == "/do/0/get"
            assert len(allowed.asked) == 1
        assert not hidden.asked


async def test_what_a_task_has_is_expanded_in_uris(tmp_path: Path) -> None:
    tasks = "- set: {set: {id: 'a b/ü?', none: null}}\n"
    async with answering(answer()) as answers, calling(tmp_path, answers) as its:
        uri = f"{answers.url}/pets/{{id}}/{{none}}/{{missing}}?n={{id}}"
        assert (await ended(its.api, "expanded", tasks + get(uri)))["status"] == "completed"
    [asked] = answers.asked
    assert asked.target == "/pets/a%20b%2F%C3%BC%3F//?n=a%20b%2F%C3%BC%3F"


async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def dripping(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def test_a_body_without_end_meets_its_limit(tmp_path: Path) -> None:
    async with answering(endless) as answers, calling(tmp_path, answers) as its:
        error = (await ended(its.api, "endless", get(f"{answers.url}/")))["error"]
    assert (error["type"], error["status"]) == (f"{STANDARD}communication", 502)
    assert "more than 2,097,152 bytes" in error["detail"]


# -- calls that are interrupted ----------------------------------------------------------------


async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asked.gone()


async def test_a_call_that_drips_ends_with_its_timeout_and_others_go_on(tmp_path: Path) -> None:
    tasks = get("%s/").replace("}}\n", "}, timeout: {after: {seconds: 1}}}\n")
    async with answering(dripping) as answers, calling(tmp_path, answers) as its:
        await register(its.api, "dripping", tasks % answers.url)
        slow = await its.api.start("dripping")
        await until_asked(answers, 1)
        quick = await ended(its.api, "quick", "- one: {set: {n: 1}}")
        assert quick["result"] == {"n": 1}
        assert (await its.api.execution(slow))["status"] == "running"
        error = (await its.api.until_status(slow, "failed"))["error"]
        await until_true(lambda: not answers.open, "its connection is closed")
    assert (error["type"], error["status"]) == (f"{STANDARD}timeout", 408)
    assert error["instance"] == "/do/0/get"
    assert "task get took longer than 1s" in error["detail"]


async def test_a_cancel_ends_a_call(tmp_path: Path) -> None:
    async with answering(silent) as answers, calling(tmp_path, answers) as its:
        await register(its.api, "silent", get(f"{answers.url}/"))
        execution = await its.api.start("silent")
        await until_asked(answers, 1)
        assert (await its.api.control(execution, "cancel")).status_code in (200, 202)
        await its.api.until_status(execution, "cancelled", within_s=5)
        await until_true(lambda: not answers.open, "its connection is closed")
        assert [task["status"] for task in await its.api.tasks(execution)] == ["cancelled"]


async def test_a_pause_lets_a_call_end_and_begins_nothing(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def when_told(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await answer(body=b"done")(asked, writer)

    async with answering(when_told) as answers, calling(tmp_path, answers) as its:
        tasks = get(f"{answers.url}/1") + get(f"{answers.url}/2").replace("get:", "then:")
        await register(its.api, "paused", tasks)
        execution = await its.api.start("paused")
        await until_asked(answers, 1)
        assert (await its.api.control(execution, "pause")).status_code in (200, 202)
        await its.api.until_status(execution, "paused")
        go_on.set()

        async def recorded() -> bool:
            return [t["status"] for t in await its.api.tasks(execution)][:1] == ["completed"]

        await until(recorded, "the call's outcome is recorded")
        assert (await its.api.execution(execution))["status"] == "paused"
        assert len(answers.asked) == 1
        assert (await its.api.control(execution, "resume")).status_code in (200, 202)
        assert (await its.api.until_status(execution, "completed"))["result"] == "done"
    assert [asked.target for asked in answers.asked] == ["/1", "/2"]


async def test_a_call_cut_off_by_kills_is_made_again_under_its_key(tmp_path: Path) -> None:
    """And the one before it, whose outcome is recorded, is not."""
    answered = asyncio.Event()

    async def second_waits(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.target == "/2" and not answered.is_set():
            await asked.gone()
        else:
            await answer(body=asked.target.encode())(asked, writer)

    async with answering(second_waits) as answers, calling(tmp_path, answers) as its:
        post = get(f"{answers.url}/%s").replace("get,", "post,")
        await register(its.api, "killed", post % 1 + (post % 2).replace("get:", "then:"))
        execution = await its.api.start("killed")
        await until_asked(answers, 2)
        [worker] = its.workers()
        os.kill(worker, SIGKILL)
        await until_asked(answers, 3)
        await its.kill()
        answered.set()
        await its.start()
        assert (await its.api.until_status(execution, "completed"))["result"] == "/2"
    targets = [asked.target for asked in answers.asked]
    assert (targets[0], set(targets[1:])) == ("/1", {"/2"})
    assert len(targets) >= 4
    keys = [asked.headers["idempotency-key"] for asked in answers.asked]
    assert keys[0] == f"{execution}:/do/0/get"
    assert set(keys[1:]) == {f"{execution}:/do/1/then"}


async def test_a_download_tells_what_happened(tmp_path: Path) -> None:
    """To a person, in lines without anything of perdure's insides."""
    retry = "retry: {delay: {milliseconds: 50}, limit: {attempt: {count: 1}}}"
    async with answering(answer(503, b"come later")) as answers, calling(tmp_path, answers) as its:
        called = get(f"{answers.url}/").removeprefix("- ").rstrip()
        tasks = f"- insist: {{try: [{{{called}}}], catch: {{{retry}}}}}"
        execution = await ended(its.api, "told", tasks)
        path = f"/api/executions/{execution['execution_id']}/logs/download"
        log: httpx.Response = await its.api.http.get(path, params={"format": "text"})
    failure = f"GET {answers.url}/ answered 503 Service Unavailable: come later"
    attempt = f"ERROR [get] attempt 1 of get failed: Service Unavailable: {failure}"
    assert [line.split(" ", 1)[1] for line in log.text.splitlines()] == [
        "INFO started",
        attempt,
        "INFO [insist] insist is tried again in 0.05s, retry 1",
        attempt,
        f"ERROR failed: Service Unavailable: {failure}",
    ]
