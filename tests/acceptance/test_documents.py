"""Documents over HTTP: registered, checked, executed, kept, retired, and served from files.

Tests that neither end `shared` nor ask what else is there use it, each with names of its own.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any
from zlib import crc32

import httpx
import pytest
import pytest_asyncio

from perdure.engine.families import DEEPEST
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES
from tests.support.registered import ENDLESS, PATIENT, UNSUPPORTED, YAML, greeting
from tests.support.servers import SERVED, Api, Server, server, until

MODULE = SERVED / "fuzzed.py"
"""Serves the Python workflow `weather`, version 1, among others."""
ENDLESS_IN_PYTHON = """
from perdure import run_workflow, start_workflow, workflow

@workflow
async def awaiting() -> None:
    await run_workflow("awaiting", {})

@workflow
async def detached() -> None:
    await start_workflow("detached", {})
"""
SLOWEST_S = 5.0
"""Of a busy machine."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("shared")
    async with server(folder, MODULE, options=["--workers=2"]) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def its(tmp_path: Path) -> AsyncIterator[Server]:
    async with server(tmp_path, MODULE, options=["--workers=2"]) as made:
        yield made


async def register(api: Api, document: str | bytes) -> httpx.Response:
    return await api.http.post("/api/workflows", content=document, headers=YAML)


async def registered(api: Api, document: str) -> dict[str, Any]:
    answer = await register(api, document)
    assert answer.status_code in (200, 201), answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def greeted(api: Api, name: str = "greeting", **more: Any) -> Any:
    answer = await api.execute(name, wait_s=30, name="Ada", **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


# -- registering -------------------------------------------------------------------------------


async def test_a_document_is_registered_once_and_executed(shared: Server) -> None:
    api, source = shared.api, f"# Grüße — 天気\n{greeting('once')}"
    first = await register(api, source)
    assert first.status_code == 201
    location = first.headers["location"]
    assert location == "/api/workflows/once/versions/1.0.0"
    again = await register(api, source)
    assert (again.status_code, again.headers["location"]) == (200, location)
    assert (await register(api, f"# other words\n{greeting('once')}")).status_code == 200
    assert code(await register(api, greeting("once", word="Hi"))) == (409, "version_conflict")
    shown = (await api.http.get(location)).json()
    assert (shown["kind"], shown["source"]) == ("document", source)
    assert shown == first.json()
    assert await greeted(api, "once") == {"greeting": "Hello, Ada"}
    refused = await api.execute("once")
    assert code(refused) == (422, "invalid_inputs")
    assert refused.json()["errors"][0]["location"] == "/inputs"


async def test_json_is_taken_too(shared: Server) -> None:
    document = {
        "document": {"dsl": "1.0.3", "namespace": "team", "name": "json", "version": "1.0.0"},
        "do": [{"one": {"set": {"n": 1}}}],
    }
    answer = await shared.api.http.post("/api/workflows", json=document)
    assert answer.status_code == 201
    assert (await shared.api.run("team.json"))["result"] == {"n": 1}


async def test_every_problem_is_located(shared: Server) -> None:
    broken = greeting("broken").replace("do:", "doo:").replace("version: 1.0.0", "version: one")
    answer = await register(shared.api, broken)
    assert code(answer) == (422, "invalid_document")
    errors = {each["location"]: each["message"] for each in answer.json()["errors"]}
    assert errors["/document/version"].startswith("line 5, column 12: ")
    assert errors["/doo"].startswith("line 11, column 1: ")
    found = await shared.api.http.post("/api/workflows/validate", content=broken, headers=YAML)
    assert found.status_code == 200
    assert found.json()["valid"] is False
    assert [each["location"] for each in found.json()["problems"]] == list(errors)
    assert {each["line"] for each in found.json()["problems"]} == {5, 11}
    fine = await shared.api.http.post("/api/workflows/validate", content=greeting(), headers=YAML)
    assert fine.json() == {"valid": True, "problems": []}
    assert code(await shared.api.http.get("/api/workflows/broken")) == (404, "unknown_workflow")


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\x00",
        b"\xff\xfe{",
        b"a: &a [*a]",
        b"a: [" * 5_000,
        b"- " * 50_000,
        b"{" * 100_000,
        b"document: *unknown",
        b"a: 1\na: 2",
        b"!!python/object/apply:os.system ['true']",
        b"%YAML 9.9\n---\n",
        b"? " * 10_000,
        b"document: {dsl: 1.0.3, name: a/b, namespace: ..%2f, version: 1.0.0}\ndo: []",
    ],
    ids=lambda source: repr(source[:20]),
)
async def test_hostile_texts_are_refused(shared: Server, source: bytes) -> None:
    assert code(await register(shared.api, source)) == (422, "invalid_document")
    assert (await register(shared.api, greeting(f"after-{crc32(source)}"))).status_code == 201


async def test_a_text_that_is_too_long_is_refused(shared: Server) -> None:
    for size in (DOCUMENT_LIMIT_BYTES + 1, 10 * 1024 * 1024):
        text = greeting("long") + "#" * (size - len(greeting("long")))
        assert code(await register(shared.api, text)) == (413, "too_large")
    text = greeting("long") + "#" * (DOCUMENT_LIMIT_BYTES - len(greeting("long")))
    assert (await register(shared.api, text)).status_code == 201
    shown = (await shared.api.http.get("/api/workflows/long")).json()
    assert shown["source"] == text


async def test_python_workflows_and_documents_have_one_namespace(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its:
        clash = greeting("weather", "1.0.0").replace("version: 1.0.0", "version: 1.0.0-beta.1")
        assert (await registered(its.api, clash))["version"] == "1.0.0-beta.1"
        assert (await its.api.http.get("/api/workflows/weather")).json()["kind"] == "python"
        assert (await registered(its.api, greeting("weather", "2.0.0")))["kind"] == "document"
        assert await greeted(its.api, "weather") == {"greeting": "Hello, Ada"}
        await its.stop()
        clashing = tmp_path / "clashing.yaml"
        clashing.write_text(greeting("weather", "2.0.0", word="Hi"))
        its.paths.append(clashing)
        await its.start()
        listed = (await its.api.http.get("/api/workflows")).json()
        assert any("weather version 2.0.0" in each for each in listed["problems"])
        assert await greeted(its.api, "weather") == {"greeting": "Hello, Ada"}


async def test_a_version_that_a_file_has_is_not_registered(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "greeting.yaml").write_text(greeting())
    async with server(tmp_path, served) as its:
        assert code(await register(its.api, greeting(word="Hi"))) == (409, "version_conflict")
        assert (await register(its.api, greeting())).status_code == 201
        await its.stop()
        its.paths.clear()
        await its.start()
        assert await greeted(its.api) == {"greeting": "Hello, Ada"}


async def test_many_are_registered_at_once(its: Server) -> None:
    """Each is kept, also where some are told to come again; executions go on meanwhile."""
    names = [f"many-{number}" for number in range(500)]
    at_once = asyncio.Semaphore(50)

    async def insist(name: str) -> None:
        async def taken() -> bool:
            answer = await register(its.api, greeting(name))
            if answer.status_code != 201:
                assert code(answer) == (503, "overloaded")
            return answer.status_code == 201

        async with at_once:
            await until(taken, f"{name} is registered", within_s=60, poll_s=1.0)

    async def execute_all_the_while() -> None:
        while True:
            began = time.monotonic()
            assert (await its.api.run("weather", query="rain"))["status"] == "completed"
            assert time.monotonic() - began < SLOWEST_S

    async def listed() -> set[str]:
        found = await its.api._pages("/api/workflows", "workflows", limit=200)
        return {each["workflow_id"] for each in found}

    async with asyncio.TaskGroup() as group:
        executing = group.create_task(execute_all_the_while())
        await asyncio.gather(*map(insist, names))
        executing.cancel()
    assert await listed() >= set(names)
    await its.kill()
    await its.start()
    assert await listed() >= set(names)
    assert await greeted(its.api, names[-1]) == {"greeting": "Hello, Ada"}


# -- executing ---------------------------------------------------------------------------------


async def test_an_execution_outlives_kills(tmp_path: Path) -> None:
    async with server(tmp_path, options=["--workers=2"]) as its:
        await registered(its.api, PATIENT.format(seconds=3))
        patient = await its.api.start("patient")

        async def waits() -> bool:
            return bool((await its.api.execution(patient))["waiting_for"])

        await until(waits, "it waits")
        for pid in its.workers():
            os.kill(pid, SIGKILL)
        await its.kill()
        await its.start()
        ended = await its.api.until_status(patient, "completed")
        assert ended["result"] == {"seen": 2}


async def test_an_execution_stays_with_its_version(shared: Server) -> None:
    await registered(shared.api, PATIENT.format(seconds=1))
    patient = await shared.api.start("patient")
    newer = (
        PATIENT.format(seconds=0).replace("1.0.0", "2.0.0", 2).replace("dsl: 2.0.0", "dsl: 1.0.3")
    )
    await registered(shared.api, newer.replace("seen: 1", "seen: 5"))
    assert (await shared.api.run("patient"))["result"] == {"seen": 6}
    ended = await shared.api.until_status(patient, "completed")
    assert (ended["workflow_version"], ended["result"]) == ("1.0.0", {"seen": 2})


async def test_a_retired_one_stays_so(tmp_path: Path) -> None:
    async with server(tmp_path) as its:
        await registered(its.api, greeting())
        assert (await its.api.http.delete("/api/workflows/greeting")).status_code == 204
        for _ in range(2):
            assert code(await its.api.execute("greeting", name="Ada")) == (410, "workflow_retired")
            again = await registered(its.api, greeting())
            assert again["retired_at"] is not None
            await its.kill()
            await its.start()
        await registered(its.api, greeting(version="1.0.1", word="Welcome back"))
        assert await greeted(its.api) == {"greeting": "Welcome back, Ada"}


async def test_what_is_not_executed_yet_is_registered_and_says_so(shared: Server) -> None:
    shown = await registered(shared.api, UNSUPPORTED)
    assert shown["unsupported"] == ["call grpc at /do/0/first/do/0/greet"]
    refused = await shared.api.execute("greeter")
    assert code(refused) == (422, "unsupported_task")
    assert "call grpc at /do/0/first/do/0/greet" in refused.json()["detail"]


async def test_a_workflow_that_starts_itself_without_an_end_meets_a_limit(its: Server) -> None:
    await registered(its.api, ENDLESS)
    outermost = await its.api.start("endless")
    ended = await its.api.until_status(outermost, "failed", within_s=60)
    assert f"at most {DEEPEST} deep" in ended["error"]["detail"]
    assert len(await its.api.executions()) == DEEPEST + 1
    assert await registered(its.api, greeting())
    assert await greeted(its.api) == {"greeting": "Hello, Ada"}


async def test_a_python_workflow_that_starts_itself_meets_the_same_limit(tmp_path: Path) -> None:
    module = tmp_path / "endless_flows.py"
    module.write_text(ENDLESS_IN_PYTHON)
    async with server(tmp_path, module) as its:
        # Who awaits a child that fails does too; one that lives on its own concerns nobody.
        for name, expected in (("awaiting", DEEPEST + 1), ("detached", 1)):
            await its.api.start(name)

            async def met(name: str = name, expected: int = expected) -> bool:
                found = [x for x in await its.api.executions() if x["workflow_id"] == name]
                failed = [x for x in found if x["status"] == "failed"]
                return len(found) == DEEPEST + 1 and len(failed) == expected

            await until(met, f"{name} has met the limit", within_s=60)


async def test_a_child_that_is_not_executed_yet_fails_its_parent(its: Server) -> None:
    await registered(its.api, UNSUPPORTED)
    await registered(its.api, ENDLESS.replace("        name: endless", "        name: greeter"))
    parent = await its.api.start("endless")
    ended = await its.api.until_status(parent, "failed")
    assert "call grpc at /do/0/first/do/0/greet" in ended["error"]["detail"]


# -- workers that fail -------------------------------------------------------------------------


async def test_a_worker_that_dies_while_it_validates_takes_nothing_along(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its:
        [worker] = its.workers()
        os.kill(worker, SIGSTOP)
        asking = [
            asyncio.create_task(register(its.api, greeting())),
            asyncio.create_task(
                its.api.http.post("/api/workflows/validate", content=greeting(), headers=YAML)
            ),
        ]
        assert (await its.api.http.get("/api/executions")).status_code == 200
        os.kill(worker, SIGKILL)
        os.kill(worker, SIGCONT)
        for answer in await asyncio.gather(*asking):
            assert code(answer) == (503, "not_ready")
            assert int(answer.headers["retry-after"]) > 0
        await its.until_ready()
        assert (await registered(its.api, greeting()))["version"] == "1.0.0"


# -- files -------------------------------------------------------------------------------------


async def test_documents_are_served_from_folders(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "greeting.yaml").write_text(greeting())
    (folder / "other.json").write_text('{"name": "no document"}')
    broken = folder / "broken.yml"
    broken.write_text(greeting("broken").replace("do:", "doo:"))
    named = tmp_path / "named.yaml"
    named.write_text(greeting("named", word="Hi"))
    async with server(tmp_path, folder, named) as its:
        listed = (await its.api.http.get("/api/workflows")).json()
        assert [each["workflow_id"] for each in listed["workflows"]] == ["greeting", "named"]
        [problem] = listed["problems"]
        assert f'{broken}:11:1: /doo: a workflow document has no property "doo"' in problem
        assert await greeted(its.api) == {"greeting": "Hello, Ada"}
        assert await greeted(its.api, "named") == {"greeting": "Hi, Ada"}
        shown = (await its.api.http.get("/api/workflows/greeting")).json()
        assert (shown["kind"], shown["source"]) == ("document", greeting())


async def test_edits_of_documents_are_taken_up(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    file = folder / "greeting.yaml"
    file.write_text(greeting())
    async with server(tmp_path, folder, options=["--reload"]) as its:
        assert await greeted(its.api) == {"greeting": "Hello, Ada"}

        async def says(word: str) -> bool:
            return bool(await greeted(its.api) == {"greeting": f"{word}, Ada"})

        file.write_text(greeting(word="Hi"))
        await until(lambda: says("Hi"), "the edit is served")
        file.write_text(greeting(word="Ho").replace("do:", "doo:"))
        await until_output(its, "not reloaded after an edit of greeting.yaml")
        assert await says("Hi")
        file.write_text(greeting(word="Ho"))
        await until(lambda: says("Ho"), "the correction is served")


async def test_an_edit_that_clashes_with_what_is_registered_is_not_taken_up(
    tmp_path: Path,
) -> None:
    file = tmp_path / "greeting.yaml"
    file.write_text(greeting())
    async with server(tmp_path, file, options=["--reload"]) as its:
        await registered(its.api, greeting(version="2.0.0"))
        file.write_text(greeting(version="2.0.0", word="Hi"))
        await until_output(
            its,
            "not reloaded after an edit of greeting.yaml",
            "greeting version 2.0.0: is registered with other content",
        )
        assert await greeted(its.api) == {"greeting": "Hello, Ada"}
        file.write_text(greeting(version="2.0.1", word="Hi"))
        await until_output(its, "new: greeting 2.0.1, gone: greeting 1.0.0")
        assert await greeted(its.api) == {"greeting": "Hi, Ada"}
        assert await greeted(its.api, version="2.0.0") == {"greeting": "Hello, Ada"}


async def until_output(its: Server, *texts: str) -> None:
    async def there() -> bool:
        return all(text in its.output for text in texts)

    await until(there, f"the server says {texts}")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--input", "name=Ada"], 0, '"Hello, Ada"'),
        (["--input", "other=Ada"], 2, '"name" is a required property'),
    ],
)
async def test_a_document_is_run_in_the_foreground(
    tmp_path: Path, arguments: Sequence[str], status: int, said: str
) -> None:
    (tmp_path / "flow.yaml").write_text(greeting())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "perdure",
        "run",
        "flow.yaml",
        *arguments,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == status, output.decode()
    assert said in output.decode()


async def test_what_is_wrong_with_a_document_is_told_line_by_line(tmp_path: Path) -> None:
    source = greeting().replace("do:", "doo:").replace("version: 1.0.0", "version: one")
    (tmp_path / "flow.yaml").write_text(source)
    command = [sys.executable, "-m", "perdure", "run", "flow.yaml"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, output = await asyncio.wait_for(process.communicate(), 60)
    said = output.decode().splitlines()
    assert (process.returncode, said[0]) == (2, "perdure: flow.yaml has no workflow")
    assert len(said) > 2
    assert all(line.startswith("perdure:   flow.yaml:") for line in said[1:]), said
    assert said[1].startswith("perdure:   flow.yaml:5:12: ")
